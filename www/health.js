// How it stands with the connection, in one place and calmly: what passes within a moment is not
// mentioned, and what has passed goes away by itself.

/** A connection that is back sooner than this was never away, in milliseconds. */
export const PATIENCE = 3000;
/** Without a network nothing comes back that fast; but between two networks there is a moment. */
export const OFFLINE_AFTER = 1000;
/** A restart that takes longer is not the service's own any more. */
export const RESTART_LASTS = 30_000;

/**
 * What to show: a state of `#health`, and in how many milliseconds to look again, or 0.
 *
 * @param known `server`: what the server says of the posta-server; `lostAt`: since when this page's
 *   own connection is away, or null; `isRestart`: whether the service said goodbye; `online`
 */
export function stateAt(now, { server, lostAt, isRestart, online }) {
  if (lostAt === null) return { state: server, again: 0 };
  const away = now - lostAt;
  const patience = online ? PATIENCE : OFFLINE_AFTER;
  if (away < patience) return { state: server, again: patience - away };
  if (!online) return { state: "offline", again: 0 };
  if (!isRestart || away >= RESTART_LASTS) return { state: "reconnecting", again: 0 };
  return { state: "restarting", again: RESTART_LASTS - away };
}

/** States that pass by themselves. */
const PASSING = ["offline", "reconnecting", "restarting"];

export class Health {
  #banner = document.getElementById("health");
  #say;
  #server = this.#banner.dataset.state;
  #lostAt = null;
  #isRestart = false;
  #timer = 0;

  /** @param page `say(words)` to screen readers, and `retry()` the connection now */
  constructor({ say, retry }) {
    this.#say = say;
    window.addEventListener("online", () => this.#show());
    window.addEventListener("offline", () => this.#show());
    document.getElementById("try-now").addEventListener("click", retry);
    document.addEventListener("click", ({ target }) => {
      if (target.closest?.("#connection")) this.#open(!this.#banner.classList.contains("open"));
    });
    this.#keepPlace();
  }

  /** What the server says of the posta-server: `ok`, `unreachable` or `refused`. */
  set server(state) {
    if (state === "unreachable" && this.#server !== state) this.#lastContact();
    this.#server = state;
    this.#show();
  }

  connected() {
    this.#lostAt = null;
    this.#isRestart = false;
    this.#show();
  }

  /** @param restarting whether the service said that it goes */
  lost({ restarting = false } = {}) {
    this.#lostAt ??= Date.now();
    this.#isRestart ||= restarting;
    this.#show();
  }

  #show() {
    const known = { server: this.#server, lostAt: this.#lostAt, isRestart: this.#isRestart };
    const { state, again } = stateAt(Date.now(), { ...known, online: navigator.onLine });
    clearTimeout(this.#timer);
    if (again > 0) this.#timer = setTimeout(() => this.#show(), again);
    const before = this.#banner.dataset.state;
    if (state === before) return;
    this.#banner.dataset.state = state;
    if (state === "ok") {
      this.#open(false);
      this.#say(PASSING.includes(before) ? "Connected again." : "Your posta-server is back.");
    }
  }

  /** In a conversation the header says it in a word; the sentence is there for who asks. */
  #open(open) {
    this.#banner.classList.toggle("open", open);
    document.getElementById("connection")?.setAttribute("aria-expanded", open);
  }

  /** A strip that comes or goes above does not move what one reads further up. */
  #keepPlace() {
    let height = this.#banner.parentElement.offsetHeight;
    new ResizeObserver(([{ target }]) => {
      const grown = target.offsetHeight - height;
      height = target.offsetHeight;
      const box = document.getElementById("scroll");
      // At the bottom it stays there by itself: nothing is left to scroll.
      if (box) box.scrollTop += grown;
    }).observe(this.#banner.parentElement);
  }

  /** It was there until just now; the server writes the same words when it draws the page. */
  #lastContact() {
    const words = this.#banner.querySelector(".when-unreachable");
    let place = words.querySelector(".last-contact");
    if (!place) {
      place = document.createElement("span");
      place.className = "last-contact";
      words.append(place);
    }
    const time = document.createElement("time");
    time.dateTime = new Date().toISOString();
    time.dataset.local = "full";
    time.textContent = time.dateTime;
    place.replaceChildren(" Last contact: ", time, ".");
  }
}
