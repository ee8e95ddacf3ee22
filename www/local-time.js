// Times and days as the reader has them. The server writes UTC, since it does not know better; this
// puts the browser's zone and language in its place, on fragments before they are swapped in.

const FORMS = {
  clock: { hour: "numeric", minute: "2-digit" },
  weekday: { weekday: "short" },
  date: { day: "numeric", month: "short" },
  dateWithYear: { day: "numeric", month: "short", year: "numeric" },
  day: { day: "numeric", month: "long" },
  dayWithYear: { day: "numeric", month: "long", year: "numeric" },
  full: { dateStyle: "long", timeStyle: "short" },
};

/** Minutes by which a moment may lie ahead and still be now. */
const SKEW = 2;

/** Days and times in one zone and language. */
export class LocalTime {
  #formats = new Map();
  #relative;
  #minutes;
  #locale;
  #zone;

  /** Both default to the browser's own. */
  constructor(locale, zone) {
    this.#locale = locale;
    this.#zone = zone;
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    this.#minutes = new Intl.NumberFormat(locale, { style: "unit", unit: "minute" });
  }

  /** `YYYY-MM-DD`, the calendar day of a moment. */
  day(at) {
    // The one language whose dates are ISO 8601 everywhere.
    return this.#format("iso", { year: "numeric", month: "2-digit", day: "2-digit" }, "sv").format(at);
  }

  /** “Today”, “Yesterday”, “May 12”, and with its year when that is another one. */
  dayName(at, now) {
    const days = daysBetween(this.day(at), this.day(now));
    if (days === 0 || days === 1) return capital(this.#relative.format(-days, "day"), this.#locale);
    return this.#write(this.#sameYear(at, now) ? "day" : "dayWithYear", at);
  }

  /** What stands in a `<time data-local=FORM>`. */
  text(form, at, now) {
    if (form === "full" || form === "clock") return this.#write(form, at);
    if (form === "inline") return this.#inline(at, now);
    const minutes = Math.floor((now - at) / 60_000);
    // Clocks of two hosts may disagree by a moment.
    if (minutes < 1 && minutes >= -SKEW) return capital(this.#relative.format(0, "second"), this.#locale);
    if (minutes > 0 && minutes < 60) return this.#minutes.format(minutes);
    const days = daysBetween(this.day(at), this.day(now));
    if (days === 0) return this.#write("clock", at);
    if (days === 1) return capital(this.#relative.format(-1, "day"), this.#locale);
    if (days > 1 && days < 7) return this.#write("weekday", at);
    return this.#write(this.#sameYear(at, now) ? "date" : "dateWithYear", at);
  }

  /** “now”, “5 minutes ago”, “4:12 PM”, “yesterday”, “May 12”: in the middle of a sentence. */
  #inline(at, now) {
    const minutes = Math.floor((now - at) / 60_000);
    if (minutes < 1 && minutes >= -SKEW) return this.#relative.format(0, "second");
    if (minutes > 0 && minutes < 60) return this.#relative.format(-minutes, "minute");
    const days = daysBetween(this.day(at), this.day(now));
    if (days === 0) return this.#write("clock", at);
    if (days === 1) return this.#relative.format(-1, "day");
    return this.#write(this.#sameYear(at, now) ? "date" : "dateWithYear", at);
  }

  #sameYear(at, now) {
    return this.day(at).slice(0, -6) === this.day(now).slice(0, -6);
  }

  #write(form, at) {
    return this.#format(form, FORMS[form], this.#locale).format(at);
  }

  #format(name, options, locale) {
    let format = this.#formats.get(name);
    if (!format) {
      format = new Intl.DateTimeFormat(locale, { ...options, timeZone: this.#zone });
      this.#formats.set(name, format);
    }
    return format;
  }
}

/** Puts the reader's own time into every `<time data-local>` in `root`. */
export function writeTimes(root, local, now = Date.now()) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) continue;
    setText(time, local.text(time.dataset.local, at, now));
    const full = local.text("full", at, now);
    if (time.dataset.local !== "full" && time.title !== full) time.title = full;
  }
}

/**
 * Puts a line with the day before the first message of each day in `root`, and takes away lines
 * that are no longer right. Messages without a time belong to the day before them.
 *
 * @param root holds the messages, in order
 * @param before the day of what stands above `root`, or ""
 * @returns the day of the last message, or ""
 */
export function writeDays(root, local, { before = "", now = Date.now() } = {}) {
  let last = before;
  const right = new Set();
  for (const message of root.querySelectorAll(".msg[data-at]")) {
    const at = Date.parse(message.dataset.at);
    if (Number.isNaN(at)) continue;
    const day = local.day(at);
    if (day === last) continue;
    last = day;
    right.add(dayLine(message, day, local.dayName(at, now)));
  }
  for (const line of root.querySelectorAll(".day")) {
    if (!right.has(line)) line.remove();
  }
  return last;
}

/** Milliseconds from `now` until the next day begins where the reader is. */
export function untilMidnight(local, now = Date.now()) {
  const today = local.day(now);
  let low = now;
  let high = now + 26 * 3_600_000; // the longest day there is has 25 hours
  while (high - low > 500) {
    const middle = (low + high) / 2;
    if (local.day(middle) === today) low = middle;
    else high = middle;
  }
  return high - now;
}

function dayLine(message, day, words) {
  // The line “New” belongs right above its message, under the day.
  const above = message.previousElementSibling;
  const place = above?.id === "new-line" ? above : message;
  let line = place.previousElementSibling;
  if (!line?.classList.contains("day")) {
    line = message.ownerDocument.createElement("p");
    line.className = "day";
    place.before(line);
  }
  const id = `day-${day}`;
  if (line.id !== id) line.id = id;
  setText(line, words);
  return line;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function capital(text, locale) {
  const [first = "", ...rest] = text;
  return first.toLocaleUpperCase(locale) + rest.join("");
}
