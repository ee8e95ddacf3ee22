// The scroll contract: where a thread stands after something changed.
//
// `place` decides, from numbers alone. `Scroller` measures, asks it, and carries it out in the same
// task as the change, so that no frame shows anything in between. The style sheet switches the
// browser's own scroll anchoring off: two who keep the place would fight.

/** How far from its end a thread still counts as being at the bottom, in CSS pixels. */
export const SLACK = 96;

/** Why the view is placed anew. */
export const Trigger = Object.freeze({
  /** A thread was opened. */
  OPENED: "opened",
  /** Back from sleep, or from the back-forward cache. */
  RESUMED: "resumed",
  /** The reader wrote something. */
  SENT: "sent",
  /** The newest part was drawn anew. */
  LIVE: "live",
  /** A page of history was put in at the top. */
  OLDER: "older",
  /** A page of messages was put in at the end of one that does not reach down to the newest. */
  NEWER: "newer",
  /** A message was jumped to: it has been placed already. */
  FOUND: "found",
  /** The window, the keyboard, the composer or something late took or gave room. */
  RESIZED: "resized",
});

/** Whether the reader is at the bottom. */
export function isAtBottom({ scrollTop, scrollHeight, clientHeight }) {
  return scrollTop + clientHeight >= scrollHeight - SLACK;
}

/**
 * The new `scrollTop`.
 *
 * @param before `scrollTop`, `scrollHeight` and `clientHeight` before the change; `anchor` is how far
 *   from the beginning the first visible message stood
 * @param after `scrollHeight` and `clientHeight` after it; `anchor` for the same message, if it is
 *   still there
 * @param trigger one of `Trigger`
 */
export function place(before, after, trigger) {
  const bottom = Math.max(0, after.scrollHeight - after.clientHeight);
  // Whatever grew or shrank above the line that is read.
  const moved = Number.isFinite(before.anchor) && Number.isFinite(after.anchor) ? after.anchor - before.anchor : null;
  const within = (top) => Math.min(Math.max(0, top), bottom);
  switch (trigger) {
    case Trigger.OPENED:
    case Trigger.RESUMED:
    case Trigger.SENT:
      return bottom;
    case Trigger.OLDER:
      return within(before.scrollTop + (moved ?? after.scrollHeight - before.scrollHeight));
    case Trigger.NEWER:
    case Trigger.FOUND:
      return within(before.scrollTop + (moved ?? 0));
    default:
      return isAtBottom(before) ? bottom : within(before.scrollTop + (moved ?? 0));
  }
}

/** Keeps the place in one thread's scroll container. */
export class Scroller {
  #box;
  #last;
  #changing = false;
  #observer;
  #moved;

  /**
   * @param box the scroll container
   * @param contents what grows in it
   * @param moved called with whether the reader is at the bottom, whenever the view has moved
   */
  constructor(box, contents, moved) {
    this.#box = box;
    this.#moved = moved;
    this.#last = this.#measure();
    box.addEventListener("scroll", this.#catchUp, { passive: true });
    // Called after layout and before paint: what was pinned is pinned again in the same frame.
    this.#observer = new ResizeObserver(this.#catchUp);
    for (const element of [box, ...contents]) this.#observer.observe(element);
  }

  get isAtBottom() {
    return isAtBottom(this.#last);
  }

  /** Carries out a synchronous change and places the view after it. */
  keep(trigger, change) {
    this.#catchUp();
    this.#changing = true;
    try {
      return change();
    } finally {
      this.#changing = false;
      this.#settle(trigger, this.#last);
    }
  }

  stop() {
    this.#observer.disconnect();
    this.#box.removeEventListener("scroll", this.#catchUp);
  }

  /** The reader scrolled, or sizes changed by themselves, or both. */
  #catchUp = () => {
    if (this.#changing) return;
    const now = this.#measure();
    const { scrollTop, scrollHeight, clientHeight } = this.#last;
    if (now.scrollHeight === scrollHeight && now.clientHeight === clientHeight) {
      this.#remember(now);
    } else {
      // Where the reader's hand is now, in the sizes for which the last place was right.
      const { anchor, message } = this.#last;
      // Where less is left to scroll, the browser has gone up to the new end, not the reader.
      const isCut = now.scrollTop < scrollTop && now.scrollTop >= now.scrollHeight - now.clientHeight - 1;
      this.#settle(Trigger.RESIZED, {
        scrollTop: isCut ? scrollTop : now.scrollTop,
        scrollHeight,
        clientHeight,
        anchor,
        message,
      });
    }
  };

  #settle(trigger, before) {
    const after = { ...this.#measure(), anchor: this.#placeOf(before.message) };
    const top = place(before, after, trigger);
    if (Math.abs(top - after.scrollTop) >= 0.5) this.#box.scrollTop = top;
    this.#remember(this.#measure());
  }

  #remember(now) {
    const message = this.#firstVisible();
    this.#last = { ...now, message, anchor: this.#placeOf(message) };
    this.#moved(isAtBottom(now));
  }

  #measure() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    return { scrollTop, scrollHeight, clientHeight };
  }

  /** The message at the upper edge of the view; they stand in order, so a few looks find it. */
  #firstVisible() {
    const messages = this.#box.querySelectorAll(".msg");
    const { top } = this.#box.getBoundingClientRect();
    let low = 0;
    let high = messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (messages[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    return messages[low] ?? null;
  }

  /** How far from the beginning of the thread a message stands; undefined when it is gone. */
  #placeOf(message) {
    if (!message || !this.#box.contains(message)) return undefined;
    return message.getBoundingClientRect().top - this.#box.getBoundingClientRect().top + this.#box.scrollTop;
  }
}
