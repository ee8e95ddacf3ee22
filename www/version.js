// Which version of the program this page belongs to: when the service is another one, the page says
// so by itself at the next change of conversation, by loading it whole.

export class Version {
  #registration = null;
  #isOld = false;

  constructor() {
    const worker = globalThis.navigator?.serviceWorker;
    if (!worker) return;
    // The first worker of all takes over too, and is no news.
    let had = worker.controller !== null;
    worker.addEventListener("controllerchange", () => {
      this.#isOld = had;
      had = true;
    });
    worker.register("/sw.js", { updateViaCache: "none" }).then(
      (registration) => (this.#registration = registration),
      () => {}, // private windows may refuse; all else works
    );
  }

  /** The service may have been replaced. */
  look() {
    this.#registration?.update().catch(() => {});
  }

  /** Whether the service runs another version than this page is of. */
  get isOld() {
    return this.#isOld;
  }
}
