// The history above: pages of older messages, fetched before the reader gets to their place.

/** A page is fetched when fewer than this many screens are left above. */
const SCREENS_AHEAD = 2;
/** After a failure, the next try comes no sooner than this, in milliseconds. */
const RETRY_AFTER = 2000;

export class Older {
  #box;
  #pages;
  #ask;
  #put;
  #isLoading = false;
  #notBefore = 0;

  /**
   * @param box the scroll container
   * @param pages `#older`, whose `data-before` says that there is more
   * @param ask answers the page of messages before a row, or null when it could not be had
   * @param put puts a page in at the top of `pages`, without moving what is read
   */
  constructor(box, pages, { ask, put }) {
    this.#box = box;
    this.#pages = pages;
    this.#ask = ask;
    this.#put = put;
  }

  /** The view has moved: fetches what may be wanted next, until the screens ahead are full. */
  async moved() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    while (this.#isWanted()) await this.#load();
    this.#isLoading = false;
  }

  async #load() {
    const page = await this.#ask(this.#pages.dataset.before);
    if (page === null) {
      this.#notBefore = performance.now() + RETRY_AFTER;
      return;
    }
    this.#put(page);
    // The page that is now on top says whether there is more above it.
    const next = this.#pages.firstElementChild?.dataset.before;
    if (next) this.#pages.dataset.before = next;
    else delete this.#pages.dataset.before;
  }

  #isWanted() {
    const isNear = this.#box.scrollTop < SCREENS_AHEAD * this.#box.clientHeight;
    return isNear && performance.now() >= this.#notBefore && Boolean(this.#pages.dataset.before);
  }
}
