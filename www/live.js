// The bridge from the server's event stream to the page.
//
// EventSource gives up for good after an HTTP error, notices a dead network only when TCP does, and
// leaves no way to say how long to wait: so every end of a stream is an end, and this opens the
// next one. Nothing waits for DOMContentLoaded, which never comes again after a back-forward restore.
import { SignedOut, postForm } from "./refresh.js";
import { Turn } from "./turns.js";

/** The server pings every 15 seconds; a stream silent for longer than this is dead. */
const SILENCE = 40_000;
const LOOK_EVERY = 5_000;
/** A look that comes this late means that the machine slept, or the page was frozen. */
const SLEPT = 90_000;
const FIRST_RETRY = 500;
const LAST_RETRY = 30_000;
/** Streams that end because the server restarts come back spread over this time. */
const SPREAD = 2_000;
/** A tab that is looked at and has no stream says so this often: its person is there. */
const TELL_EVERY = 60_000;

/** What the server says that concerns the whole page. */
export const TRIGGERS = [
  "thread-updated",
  "contact-changed",
  "contact-removed",
  "resync",
  "health",
  "session-ending",
  "signed-out",
];

/** How long to wait before the `attempt`th try (from 0), in milliseconds, for `chance` in 0..1. */
export function retryAfter(attempt, chance = Math.random()) {
  const longest = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** attempt);
  return longest / 2 + (chance * longest) / 2;
}

export class Live {
  #handlers;
  #tab = crypto.randomUUID();
  #channel = null;
  #turn = new Turn((ours) => (ours ? this.#open() : this.#close()));
  #source = null;
  #isGreeted = false;
  #heard = 0;
  #looked = Date.now();
  #slept = false;
  #attempt = 0;
  #retry = 0;
  #clock = 0;
  #told = 0;

  /**
   * @param handlers `view()` answers `{peer, visible}`, and `told(view)` follows when the server
   *   knows it; `trigger(name, data)`; `connected({slept})` when what happened meanwhile must be
   *   asked for; `lost({restarting})`; `signedOut()`
   */
  constructor(handlers) {
    this.#handlers = handlers;
    document.addEventListener("visibilitychange", () => this.#seen());
    window.addEventListener("online", () => this.#reopen());
    window.addEventListener("offline", () => this.#ended());
    window.addEventListener("pagehide", () => this.stop());
  }

  /** Begins, or begins again. `slept` when the page was away, in the back-forward cache. */
  start({ slept = false } = {}) {
    this.#slept ||= slept;
    this.#channel ??= this.#listen();
    this.#heard = this.#looked = Date.now();
    this.#clock ||= setInterval(() => this.#look(), LOOK_EVERY);
    this.#turn.want();
  }

  /** Streams, locks and channels keep a page out of the back-forward cache: all go. */
  stop() {
    clearInterval(this.#clock);
    this.#clock = 0;
    this.#turn.give();
    this.#channel?.close();
    this.#channel = null;
  }

  /** Somebody does not want to wait for the next try. */
  now() {
    this.#hurry();
    this.#pass("now");
  }

  /** Tells the server what this tab shows: a visible tab is a sign of its person's life. */
  async tell() {
    const view = this.#handlers.view();
    this.#told = Date.now();
    try {
      await postForm("/events/view", this.#view(view), { keepalive: true });
      this.#handlers.told(view);
    } catch (error) {
      // Anything else: the next stream says it again.
      if (error instanceof SignedOut) this.#handlers.signedOut();
    }
  }

  /** What this tab shows, as a form. */
  #view({ peer, visible } = this.#handlers.view()) {
    const fields = { tab: this.#tab, peer: peer ?? "", visible: visible ? "1" : "0" };
    return new URLSearchParams(fields).toString();
  }

  #open() {
    this.#close();
    const asked = this.#view();
    const source = new EventSource(`/events?${asked}`);
    this.#source = source;
    this.#heard = Date.now();
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        this.#heard = Date.now();
        act(event);
      });
    on("hello", () => this.#greeted(asked));
    on("ping", () => this.#pass("ping"));
    on("bye", () => this.#ended({ wait: Math.random() * SPREAD, restarting: true }));
    for (const name of TRIGGERS) {
      on(name, (event) => {
        const data = parse(event.data);
        this.#pass(name, data);
        this.#handlers.trigger(name, data);
      });
    }
    source.addEventListener("error", () => this.#failed(source));
  }

  #greeted(asked) {
    this.#attempt = 0;
    this.#isGreeted = true;
    this.#pass("connected");
    this.#connected();
    // What this tab shows may have changed while the stream was on its way.
    if (this.#view() !== asked) this.tell();
  }

  #connected() {
    this.#handlers.connected({ slept: this.#slept });
    this.#slept = false;
  }

  async #failed(source) {
    if (source !== this.#source) return;
    const wasRefused = !this.#isGreeted;
    this.#ended();
    // An EventSource does not tell the status; asking something else is the way to learn of a 401.
    if (wasRefused) await this.tell();
  }

  /** The stream is over; the next one comes after a while. */
  #ended({ wait = retryAfter(this.#attempt), restarting = false } = {}) {
    if (!this.#source) return;
    this.#close();
    this.#attempt += 1;
    this.#pass("lost", { restarting, wait });
    this.#handlers.lost({ restarting });
    this.#retry = setTimeout(() => this.#reopen(), wait);
  }

  #hurry() {
    this.#attempt = 0;
    if (!this.#isGreeted) this.#reopen();
  }

  #reopen() {
    if (this.#turn.isOurs) this.#open();
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#isGreeted = false;
  }

  /** The tab was hidden, or is looked at again. */
  #seen() {
    this.#look();
    this.tell();
  }

  /** Whether the stream still lives. Sleeping machines and frozen pages do not say when they wake. */
  #look() {
    const now = Date.now();
    this.#slept ||= now - this.#looked > SLEPT;
    this.#looked = now;
    const { visible } = this.#handlers.view();
    if (visible && !this.#turn.isOurs && now - this.#told > TELL_EVERY) this.tell();
    if (now - this.#heard <= SILENCE) return;
    this.#heard = now;
    if (this.#turn.isOurs) return this.#open();
    // Nobody passes anything on: ask for what happened meanwhile, and take its place.
    this.#connected();
    if (visible) this.#turn.takeOver();
  }

  /** Passes on what this tab's stream hears. */
  #pass(name, data = {}) {
    this.#channel?.postMessage({ name, data });
  }

  /** Takes what another tab's stream hears, as long as this one has none. */
  #listen() {
    if (!("BroadcastChannel" in window)) return null; // then each tab has its own
    const channel = new BroadcastChannel("triggers");
    channel.addEventListener("message", ({ data: { name, data } }) => {
      if (this.#turn.isOurs) {
        if (name === "now") this.#hurry();
        return;
      }
      this.#heard = Date.now();
      if (name === "connected") this.#connected();
      else if (name === "lost") this.#lostElsewhere(data);
      else if (name !== "ping" && name !== "now") this.#handlers.trigger(name, data);
    });
    return channel;
  }

  /** Clocks of tabs that nobody looks at are slow: one that is looked at minds the time for them. */
  #lostElsewhere({ restarting, wait }) {
    this.#handlers.lost({ restarting });
    if (!this.#handlers.view().visible) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#pass("now"), wait);
  }
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return {};
  }
}
