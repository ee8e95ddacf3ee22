// A long thread, of which the page holds a part: more is fetched before the reader gets to an end,
// and what is far away is let go, so that a page never grows heavy.
//
// `#older` holds pages of history, `#messages` the newest part, which lives. Where the page does not
// reach down to the newest, `#messages` is hidden and its `data-after` names the last row above it.
import { swap } from "./refresh.js";
import { Trigger } from "./scroll.js";

/** Messages in the page, at most. */
export const MOST = 300;
/** A page is fetched when fewer than this many screens are left at an end… */
const SCREENS_AHEAD = 2;
/** …or CSS pixels: on a huge screen the ends would chase each other. */
const MOST_AHEAD = 2500;
/** What goes is this much further away than what would be fetched again, in CSS pixels. */
const MARGIN = 100;
/** After a failure, the next try comes no sooner than this, in milliseconds. */
const RETRY_AFTER = 2000;

/** How much must be there beyond each edge of the view, in CSS pixels. */
export function ahead(clientHeight) {
  return Math.min(SCREENS_AHEAD * clientHeight, MOST_AHEAD);
}

/**
 * What to let go of.
 *
 * @param count messages in the page
 * @param box `scrollTop`, `scrollHeight` and `clientHeight`
 * @returns how many messages at which end, the one further from the view
 */
export function excess(count, { scrollTop, scrollHeight, clientHeight }, most = MOST) {
  const below = scrollHeight - clientHeight - scrollTop;
  return { count: Math.max(0, count - most), end: scrollTop >= below ? "top" : "bottom" };
}

export class History {
  #box;
  #pages;
  #options;
  #isLoading = false;
  #notBefore = 0;

  /**
   * @param box the scroll container
   * @param pages `#older`, whose `data-before` says that there is more above
   * @param options `messages()` answers `#messages`; `ask(query)` a fragment, or null when it could
   *   not be had; `keep(trigger, change)` changes without moving what is read; `arrive(text,
   *   askedAt)` swaps the newest part in; `changed()` follows every change
   */
  constructor(box, pages, options) {
    this.#box = box;
    this.#pages = pages;
    this.#options = options;
  }

  /** Whether the newest messages are not in the page. */
  get isAway() {
    return this.#messages.dataset.after !== undefined;
  }

  /** The view has moved: fetches what may be wanted next, until there is enough at both ends. */
  async moved() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      for (;;) {
        if (performance.now() < this.#notBefore) break;
        if (this.#wantsOlder()) await this.#loadOlder();
        else if (this.#wantsNewer()) await this.#loadNewer();
        else break;
      }
    } finally {
      this.#isLoading = false;
    }
  }

  /** Lets go of what is too much, at the end further from the view. */
  trim() {
    const all = [...this.#box.querySelectorAll(".msg[data-row]")];
    const { count, end } = excess(all.length, this.#box);
    if (count === 0) return;
    const far = (end === "top" ? all : all.reverse()).slice(0, count);
    const kept = far.findIndex((message) => this.#isHeld(message, end));
    const going = kept < 0 ? far : far.slice(0, kept);
    if (going.length === 0) return;
    if (end === "top") this.#cutTop(going, all[going.length]);
    else this.#cutBottom(going, all[going.length]);
    for (const page of this.#pages.querySelectorAll(".page")) {
      if (!page.querySelector(".msg")) page.remove();
    }
    this.#options.changed();
  }

  /** The newest part takes the place of everything, with what is above it fetched anew. */
  startOver(before) {
    this.#pages.replaceChildren();
    set(this.#pages, "before", before);
  }

  /** The page ends where it ends now: what comes is not in it. */
  leave() {
    const messages = this.#messages;
    const rows = this.#box.querySelectorAll(".msg[data-row]");
    // What is on its way is drawn again with the newest part.
    this.#archive([...messages.children].filter((child) => !child.matches(".msg:not([data-row])")));
    messages.replaceChildren();
    messages.hidden = true;
    messages.dataset.after = [...rows].at(-1)?.dataset.row ?? "0";
  }

  /** What the newest part no longer holds becomes history. */
  archive(from) {
    this.#archive([...this.#messages.children].filter((child) => Number(child.dataset.row ?? Infinity) < from));
  }

  #archive(children) {
    if (children.length === 0) return;
    const page = document.createElement("div");
    page.className = "page";
    // Moving an element takes the selection and the focus from it.
    const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed } = getSelection();
    const focused = document.activeElement;
    page.append(...children);
    this.#pages.append(page);
    if (!isCollapsed && (page.contains(anchorNode) || page.contains(focusNode))) {
      getSelection().setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
    }
    if (page.contains(focused)) focused.focus({ preventScroll: true });
  }

  get #messages() {
    return this.#options.messages();
  }

  #cutTop(going, first) {
    for (const message of going) {
      // Days and the line “New” stand above their message.
      while (message.previousElementSibling) message.previousElementSibling.remove();
      message.remove();
    }
    const messages = this.#messages;
    if (messages.contains(first)) {
      messages.dataset.from = first.dataset.row;
      while (first.previousElementSibling) first.previousElementSibling.remove();
    }
    this.#pages.dataset.before = first.dataset.row;
  }

  #cutBottom(going, last) {
    if (!this.isAway) this.leave();
    for (const message of going) {
      while (message.nextElementSibling) message.nextElementSibling.remove();
      message.remove();
    }
    while (last.nextElementSibling) last.nextElementSibling.remove();
    this.#messages.dataset.after = last.dataset.row;
  }

  /** What is near, marked or focused stays, and with it all that is nearer. */
  #isHeld(message, end) {
    const view = this.#box.getBoundingClientRect();
    const place = message.getBoundingClientRect();
    const distance = end === "top" ? view.top - place.bottom : place.top - view.bottom;
    if (distance < ahead(this.#box.clientHeight) + MARGIN) return true;
    if (message.contains(document.activeElement)) return true;
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(message, true);
  }

  #wantsOlder() {
    return this.#box.scrollTop < ahead(this.#box.clientHeight) && Boolean(this.#pages.dataset.before);
  }

  #wantsNewer() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    return this.isAway && scrollHeight - clientHeight - scrollTop < ahead(clientHeight);
  }

  async #loadOlder() {
    const { before } = this.#pages.dataset;
    const text = await this.#options.ask({ before });
    if (text === null) return this.#failed();
    // It was started over or trimmed meanwhile: this page would not fit.
    if (this.#pages.dataset.before !== before) return undefined;
    this.#options.keep(Trigger.OLDER, () => {
      swap(this.#pages, text, "afterbegin");
      // The page that is now on top says whether there is more above it.
      set(this.#pages, "before", this.#pages.firstElementChild?.dataset.before);
      this.#options.changed();
    });
    return this.#options.keep(Trigger.OLDER, () => this.trim());
  }

  async #loadNewer() {
    const { after } = this.#messages.dataset;
    const askedAt = performance.now();
    const text = await this.#options.ask({ after });
    if (text === null) return this.#failed();
    if (this.#messages.dataset.after !== after) return undefined;
    this.#options.keep(Trigger.NEWER, () => {
      const isNewest = text.startsWith('<div id="messages"');
      if (isNewest) {
        this.#options.arrive(text, askedAt);
        this.#dropDoubles();
      } else {
        swap(this.#pages, text, "beforeend");
        this.#messages.dataset.after = this.#pages.lastElementChild?.dataset.after ?? after;
      }
      this.#options.changed();
    });
    return this.#options.keep(Trigger.NEWER, () => this.trim());
  }

  #failed() {
    this.#notBefore = performance.now() + RETRY_AFTER;
  }

  /** Nothing may be in the page twice: the newest part has it as it is now. */
  #dropDoubles() {
    const from = Number(this.#messages.dataset.from);
    for (const message of this.#pages.querySelectorAll(".msg[data-row]")) {
      if (Number(message.dataset.row) >= from) message.remove();
    }
  }
}

function set(element, name, value) {
  if (value) element.dataset[name] = value;
  else delete element.dataset[name];
}
