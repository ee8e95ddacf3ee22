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
 * @param before `scrollTop`, `scrollHeight` and `clientHeight` before the change
 * @param after `scrollHeight` and `clientHeight` after it
 * @param trigger one of `Trigger`
 */
export function place(before, after, trigger) {
  const bottom = Math.max(0, after.scrollHeight - after.clientHeight);
  const within = (top) => Math.min(Math.max(0, top), bottom);
  switch (trigger) {
    case Trigger.OPENED:
    case Trigger.RESUMED:
    case Trigger.SENT:
      return bottom;
    case Trigger.OLDER:
      return within(before.scrollTop + after.scrollHeight - before.scrollHeight);
    default:
      return isAtBottom(before) ? bottom : within(before.scrollTop);
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
    const { scrollHeight, clientHeight } = this.#last;
    if (now.scrollHeight === scrollHeight && now.clientHeight === clientHeight) {
      this.#remember(now);
    } else {
      // Where the reader's hand is now, in the sizes for which the last place was right.
      this.#settle(Trigger.RESIZED, { scrollTop: now.scrollTop, scrollHeight, clientHeight });
    }
  };

  #settle(trigger, before) {
    const after = this.#measure();
    const top = place(before, after, trigger);
    if (Math.abs(top - after.scrollTop) >= 1) this.#box.scrollTop = top;
    this.#remember(this.#measure());
  }

  #remember(now) {
    this.#last = now;
    this.#moved(isAtBottom(now));
  }

  #measure() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    return { scrollTop, scrollHeight, clientHeight };
  }
}
