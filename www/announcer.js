// What screen readers are told: one polite line, which says who wrote and never reads the log out.

/** What comes together is told together, in milliseconds after the first. */
const GATHER = 1000;
/** Then nothing more is told for so long: a busy room is one line now and then. */
const REST = 5000;
/** Words that were spoken are taken away, so that nobody finds them later among the page's. */
const STAYS = 10_000;
/** Of a single message its words are told, up to so many characters. */
const WORDS = 160;
/** Clocks differ: what was written so long before a thread was opened may still be new to it. */
const SKEW = 5 * 60_000;

/**
 * One line about messages.
 *
 * @param heard `[{name, text}]`, oldest first; `text` is "" when only the name is to be told
 */
export function inWords(heard) {
  const [first] = heard;
  if (heard.length === 1) {
    return first.text ? `${first.name}: ${first.text}` : `New message from ${first.name}`;
  }
  const names = [...new Set(heard.map(({ name }) => name))];
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  const last = shown.pop();
  const who = shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
  return `${heard.length} new messages from ${who}`;
}

export class Announcer {
  #place = document.getElementById("status");
  #heard = [];
  #timer = 0;
  #restUntil = 0;
  #wipe = 0;
  #unread = null;
  #observer = null;

  /** Says a sentence. */
  say(words) {
    clearTimeout(this.#wipe);
    // The same words again are no change, and would not be spoken.
    this.#place.textContent = this.#place.textContent === words ? `${words}\u00a0` : words;
    this.#wipe = setTimeout(() => (this.#place.textContent = ""), STAYS);
  }

  /** Follows the conversation that is open, or none. */
  follow(section) {
    this.#observer?.disconnect();
    this.#observer = null;
    if (!section) return;
    const since = Date.now() - SKEW;
    let newest = Math.max(0, ...rows(section).map(({ dataset }) => Number(dataset.row)));
    this.#observer = new MutationObserver(() => {
      const fresh = rows(section).filter(({ dataset }) => Number(dataset.row) > newest);
      if (fresh.length === 0) return;
      newest = Math.max(...fresh.map(({ dataset }) => Number(dataset.row)));
      for (const message of fresh) {
        // History that is fetched later is not news.
        if (Date.parse(message.dataset.at) < since) continue;
        this.#hear(author(message, section), said(message));
      }
    });
    this.#observer.observe(section.querySelector("#scroll"), { childList: true, subtree: true });
  }

  /** The list of conversations was drawn: who has written elsewhere? */
  listed(open) {
    const unread = new Map();
    for (const line of document.querySelectorAll("#contacts [data-peer]")) {
      const { peer } = line.dataset;
      const count = Number.parseInt(line.querySelector(".badge")?.textContent ?? "0", 10);
      unread.set(peer, count);
      const more = count - (this.#unread?.get(peer) ?? 0);
      // The first list is none of news; the open conversation tells its own.
      if (!this.#unread || peer === open || more <= 0) continue;
      const name = line.querySelector(".name").textContent;
      for (let one = 0; one < more; one += 1) this.#hear(name, "");
    }
    this.#unread = unread;
  }

  #hear(name, text) {
    if (document.visibilityState === "hidden") return;
    this.#heard.push({ name, text });
    const wait = Math.max(GATHER, this.#restUntil - Date.now());
    this.#timer ||= setTimeout(() => this.#tell(), wait);
  }

  #tell() {
    this.#timer = 0;
    this.#restUntil = Date.now() + REST;
    const heard = this.#heard;
    this.#heard = [];
    this.say(inWords(heard));
  }
}

function rows(section) {
  return [...section.querySelectorAll("#scroll .msg.in[data-row]")];
}

/** In a room the author stands on a cluster's first bubble. */
function author(message, section) {
  let first = message;
  while (!first.classList.contains("first") && first.previousElementSibling?.matches(".msg.in")) {
    first = first.previousElementSibling;
  }
  const name = first.querySelector(".author b") ?? section.querySelector("#thread-name");
  return name.textContent;
}

function said(message) {
  const text = message.querySelector(".words, .caption")?.textContent.trim() ?? "";
  return text.length > WORDS ? `${text.slice(0, WORDS)}…` : text;
}
