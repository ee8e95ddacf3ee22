// Who of this browser's tabs holds an event stream of its own.
//
// Over HTTP/1.1 a browser opens six connections to a host, for all tabs together, and a stream
// keeps one for good: six open tabs would leave none for the seventh's page. So only a few tabs
// have a stream, visible ones first, and pass on what they hear; all tabs of one browser have one
// session, and triggers are the same for all of them.

/** Streams at once: three that are looked at, and one that listens for all that are not. */
const VISIBLE = ["stream visible 1", "stream visible 2", "stream visible 3"];
const HIDDEN = ["stream hidden"];

/** How long a tab keeps its stream while it waits for a turn of the other kind, in milliseconds. */
const GRACE = 1000;

/** This tab's turn to hold a stream. */
export class Turn {
  #changed;
  #wanted = null;
  #waiting = null;
  #release = null;

  /** @param changed called with true when the turn begins, and with false when it is over */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Whether this tab may hold a stream now. */
  get isOurs() {
    return this.#release !== null;
  }

  /** Asks for a turn as a tab that is looked at, or as one that is not. */
  want(visible) {
    if (this.#wanted === visible) return;
    this.#wanted = visible;
    this.#waiting?.abort();
    if (navigator.locks) this.#wait(visible ? VISIBLE : HIDDEN);
    else this.#take(() => {}); // no locks without https: each tab has its own
  }

  /** Gives the turn back, and asks for none. */
  give() {
    this.#wanted = null;
    this.#waiting?.abort();
    this.#waiting = null;
    this.#end();
  }

  /** Stands in every line at once; being served in one ends the others. */
  #wait(names) {
    const waiting = new AbortController();
    this.#waiting = waiting;
    const served = () => {
      if (waiting.signal.aborted) return undefined;
      waiting.abort();
      return new Promise((release) => this.#take(release));
    };
    for (const name of names) {
      navigator.locks.request(name, { signal: waiting.signal }, served).catch((error) => {
        if (error.name !== "AbortError") throw error;
      });
    }
    setTimeout(() => {
      if (!waiting.signal.aborted) this.#end();
    }, GRACE);
  }

  /** A stream that is open stays open from one kind of turn to the other. */
  #take(release) {
    const before = this.#release;
    this.#release = release;
    if (before) before();
    else this.#changed(true);
  }

  #end() {
    if (!this.#release) return;
    this.#release();
    this.#release = null;
    this.#changed(false);
  }
}
