// Which of this browser's tabs holds the event stream.
//
// Over HTTP/1.1 a browser opens six connections to a host, for all tabs together, and a stream
// keeps one for good: six open tabs would leave none for the seventh's page. So one tab has the
// stream and passes on what it hears; all tabs of one browser have one session, and triggers are
// the same for all of them.

const LOCK = "stream";

/** This tab's turn to hold the stream. */
export class Turn {
  #changed;
  #isWanted = false;
  #waiting = null;
  #release = null;

  /** @param changed called with true when the turn begins, and with false when it is over */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Whether this tab may hold the stream now. */
  get isOurs() {
    return this.#release !== null;
  }

  /** Stands in line for it. */
  want() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (!canShare()) return this.#take(() => {}); // no locks without https: each tab has its own
    this.#waiting = new AbortController();
    this.#ask({ signal: this.#waiting.signal });
  }

  /** Takes it from a tab that has it and does nothing with it: frozen, or stuck. */
  takeOver() {
    if (!this.#isWanted || this.isOurs || !canShare()) return;
    this.#waiting?.abort();
    this.#ask({ steal: true });
  }

  /** Gives the turn back, and asks for none. */
  give() {
    this.#isWanted = false;
    this.#waiting?.abort();
    this.#waiting = null;
    this.#end();
  }

  #ask(options) {
    const served = () => {
      if (!this.#isWanted || this.isOurs) return undefined;
      return new Promise((release) => this.#take(release));
    };
    navigator.locks.request(LOCK, options, served).catch((error) => {
      if (error.name !== "AbortError") throw error;
      // Either this tab gave up waiting, or another one took it over: then it waits in line again.
      if (!this.isOurs) return;
      this.#end();
      this.#isWanted = false;
      this.want();
    });
  }

  #take(release) {
    this.#release = release;
    this.#changed(true);
  }

  #end() {
    if (!this.#release) return;
    this.#release();
    this.#release = null;
    this.#changed(false);
  }
}

/** Whether one tab can hold it for all: that takes a lock, and a way to pass on what it hears. */
function canShare() {
  return Boolean(navigator.locks) && "BroadcastChannel" in window;
}
