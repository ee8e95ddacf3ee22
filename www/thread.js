// One open conversation: keeps what is on the page as the server would draw it now.
import { Attached } from "./attached.js";
import { Composer } from "./composer.js";
import { History } from "./history.js";
import { writeDays, writeTimes } from "./local-time.js";
import { Outbox } from "./outbox.js";
import { SignedOut, coalesce, fetchFragment, swap, postForm } from "./refresh.js";
import { Scroller, Trigger } from "./scroll.js";

/** How long a message that was jumped to is pointed at, in milliseconds. */
const FOUND_FOR = 2200;

export class Thread {
  #section;
  #box;
  #pages;
  #history;
  #button;
  #context;
  #path;
  #scroller;
  #composer;
  #attached;
  #outbox;
  #gone = new AbortController();
  #trigger = Trigger.LIVE;
  #readTo;
  #newestSeen;
  #firstNew;

  /**
   * @param section `#thread`
   * @param context `local` time, `drafts`, `queue`, `pictures`, `signedOut()`
   */
  constructor(section, context) {
    this.#section = section;
    this.#context = context;
    this.#box = section.querySelector("#scroll");
    this.#pages = section.querySelector("#older");
    this.#button = section.querySelector("#new-messages");
    const form = section.querySelector("#composer");
    this.#path = form.action;
    this.#readTo = 0;
    this.refresh = coalesce(() => this.#read());

    writeDays(this.#box, context.local);
    this.#firstNew = section.querySelector("#new-line + .msg")?.dataset.row ?? "";
    this.#scroller = new Scroller(this.#box, [this.#pages, this.#messages], this.#moved);
    const history = new History(this.#box, this.#pages, {
      messages: () => this.#messages,
      ask: (query) => this.#ask(query),
      keep: (trigger, change) => this.#scroller.keep(trigger, change),
      arrive: (text, askedAt) => this.#swapNewest(text, askedAt),
      changed: () => this.#changed(),
    });
    this.#newestSeen = this.#newestRow();
    if (!this.#showFound()) this.#scroller.keep(Trigger.OPENED, () => {});
    // Only now: until it was placed, the view stood at the top, where history is wanted.
    this.#history = history;
    this.#history.moved();
    this.#outbox = new Outbox(section, {
      queue: context.queue,
      peer: this.peer,
      dress: (bubble) => writeTimes(bubble, context.local),
    });
    this.#composer = new Composer(form, {
      peer: this.peer,
      drafts: context.drafts,
      send: (text) => this.#send(text),
    });
    this.#attached = new Attached(section, {
      pictures: context.pictures,
      peer: this.peer,
      path: new URL(this.#path).pathname.replace(/messages$/, "images"),
      done: () => this.#composer.focus(),
      signal: this.#gone.signal,
    });
    section.addEventListener("click", this.#unsent, { signal: this.#gone.signal });
    this.queued();
    this.#composer.focus();
    this.pictured();
    this.#button.addEventListener("click", this.#toNewest, { signal: this.#gone.signal });
    if (document.visibilityState === "visible") this.seen();
  }

  /** The peer's display URL. */
  get peer() {
    return this.#section.dataset.peer;
  }

  /** Draws anew and shows the newest: back from sleep, or through the back-forward cache. */
  resume() {
    if (this.#history.isAway) return this.#startOver();
    this.#trigger = Trigger.RESUMED;
    return this.refresh();
  }

  /** Something came into this thread, or changed: `row`, where that is known. */
  told(row) {
    // What is written while one reads elsewhere in the thread waits below.
    if (this.#history.isAway && row > this.#newestSeen) this.#offer("New messages");
    return this.refresh();
  }

  /** Writes the days anew, since one has passed. */
  tellDays() {
    this.#scroller.keep(Trigger.LIVE, () => {
      writeDays(this.#box, this.#context.local);
      writeTimes(this.#box, this.#context.local);
    });
  }

  /**
   * The person looks at what is here. The server marks what comes live into a visible tab; this is
   * for what came before it knew that the tab was visible.
   */
  async seen() {
    const row = this.#newestRow(".in");
    if (row <= this.#readTo) return;
    this.#readTo = row;
    try {
      await postForm(this.#path.replace(/messages$/, "read"), { row });
    } catch (error) {
      if (error instanceof SignedOut) this.#context.signedOut();
      else this.#readTo = 0; // not told: told again the next time
    }
  }

  /** The queue holds something else than before. */
  queued() {
    let left = false;
    this.#scroller.keep(Trigger.LIVE, () => {
      left = this.#outbox.sync();
      writeDays(this.#box, this.#context.local);
    });
    if (left) this.refresh();
  }

  /** The pictures that wait to be sent are others, or stand otherwise. */
  pictured() {
    this.#scroller.keep(Trigger.LIVE, () => this.#attached.show());
  }

  /** One of them was sent: one's own stands at the end. */
  pictureSent() {
    if (this.#history.isAway) return this.#startOver();
    this.#scroller.keep(Trigger.SENT, () => {});
    return this.refresh();
  }

  /** Keeps what is half written. Whether nothing would be lost with the page. */
  save() {
    return this.#composer.save();
  }

  stop() {
    this.#gone.abort();
    this.#scroller.stop();
    this.#composer.stop();
  }

  // Morphs keep the element, but a whole new drawing may bring another.
  get #messages() {
    return this.#section.querySelector("#messages");
  }

  #newestRow(kind = "") {
    const rows = this.#messages.querySelectorAll(`.msg${kind}[data-row]`);
    return Number([...rows].at(-1)?.dataset.row ?? 0);
  }

  #send(text) {
    const after = Math.max(this.#newestSeen, this.#newestRow());
    this.#context.queue.add({ peer: this.peer, path: new URL(this.#path).pathname, text, after });
    this.#scroller.keep(Trigger.SENT, () => {
      this.#outbox.sync();
      writeDays(this.#box, this.#context.local);
    });
    // One's own words stand at the end: what one read is left for them.
    if (this.#history.isAway) this.#startOver();
  }

  /** A button under a message that could not be sent. */
  #unsent = async ({ target }) => {
    const wanted = target.closest?.("[data-unsent] [name=unsent]")?.value;
    if (!wanted) return;
    const { unsent: key } = target.closest("[data-unsent]").dataset;
    if (wanted === "retry") return this.#context.queue.retry(key);
    const entry = await this.#context.queue.take(key);
    if (wanted === "edit" && entry) this.#composer.giveBack(entry.text);
    else this.#composer.focus();
  };

  async #read() {
    if (this.#history.isAway) {
      this.#history.moved(); // what could not be had may be had now
      return;
    }
    const askedAt = performance.now();
    const text = await this.#ask({ from: this.#messages.dataset.from ?? "" });
    // While it was asked, its end may have been let go of.
    if (text === null || this.#history.isAway) return;
    const newest = this.#newestRow();
    this.#scroller.keep(this.#trigger, () => {
      this.#swapNewest(text, askedAt);
      this.#changed();
    });
    this.#trigger = Trigger.LIVE;
    this.#scroller.keep(Trigger.LIVE, () => this.#history.trim());
    if (this.#newestRow() > newest && !this.#scroller.isAtBottom) this.#offer("New messages");
    if (document.visibilityState === "visible") this.seen();
  }

  /** Leaves whatever is shown for the newest messages. */
  async #startOver() {
    const askedAt = performance.now();
    const text = await this.#ask({});
    // A posta-server that is away may leave nothing to draw; what is on the page is better.
    if (text === null || !text.includes('id="msg-')) return;
    this.#scroller.keep(Trigger.RESUMED, () => {
      this.#history.startOver("");
      this.#swapNewest(text, askedAt);
      this.#history.startOver(this.#messages.dataset.before);
      this.#changed();
    });
    this.#button.hidden = true;
    this.#history.moved();
    // The address no longer says what is shown; coming back to it must not lead elsewhere.
    if (location.search) history.replaceState(history.state, "", location.pathname);
    if (document.visibilityState === "visible") this.seen();
  }

  #swapNewest(text, askedAt) {
    swap(this.#messages, text, "outerMorph", (fragment) => this.#prepare(fragment, askedAt));
  }

  /** What the page holds is another part of the thread than before. */
  #changed() {
    writeDays(this.#box, this.#context.local);
    this.#newestSeen = Math.max(this.#newestSeen, this.#newestRow(), Number(this.#messages.dataset.after ?? 0));
    if (this.#history.isAway && this.#button.hidden) this.#offer("To the newest");
  }

  #offer(words) {
    this.#button.querySelector("span").textContent = words;
    this.#button.hidden = false;
  }

  /** Shows the message that was jumped to, and points at it for a moment. Whether there is one. */
  #showFound() {
    const message = this.#section.querySelector(`#msg-${this.#box.dataset.found || "none"}`);
    if (!message) return false;
    this.#scroller.keep(Trigger.FOUND, () => {});
    message.scrollIntoView({ block: "center", behavior: "instant" });
    this.#scroller.keep(Trigger.FOUND, () => message.classList.add("found"));
    setTimeout(() => message.classList.remove("found"), FOUND_FOR);
    return true;
  }

  /** Makes an incoming `#messages` what this page shows. Whether it may go in. */
  #prepare(fragment, askedAt) {
    const incoming = fragment.querySelector("#messages");
    const isEmpty = !incoming?.querySelector(".msg");
    // A posta-server that is away may leave nothing to draw; what is on the page is better.
    if (isEmpty && this.#newestRow() > 0) return false;
    const from = Number(incoming.dataset.from);
    // More has come than one answer holds: what lies between is fetched when one scrolls there.
    if (!this.#history.isAway && from > this.#newestRow() && this.#newestRow() > 0) {
      if (!this.#scroller.isAtBottom && this.#trigger !== Trigger.RESUMED) {
        this.#history.leave();
        return false;
      }
      this.#messages.replaceChildren();
      this.#history.startOver(incoming.dataset.before);
    }
    if (!this.#history.isAway) this.#history.archive(from);
    this.#outbox.reconcile(incoming, askedAt);
    writeDays(incoming, this.#context.local, { before: this.#lastOlderDay() });
    return true;
  }

  #lastOlderDay() {
    const at = [...this.#pages.querySelectorAll(".msg[data-at]")].at(-1)?.dataset.at;
    return at ? this.#context.local.day(Date.parse(at)) : "";
  }

  #moved = (isAtBottom) => {
    if (isAtBottom && this.#history?.isAway === false) this.#button.hidden = true;
    this.#history?.moved();
  };

  #toNewest = () => {
    if (this.#history.isAway) this.#startOver();
    else this.#scroller.keep(Trigger.RESUMED, () => {});
    this.#composer.focus();
  };

  /** A fragment, or null when it could not be had: the next trigger or the watchdog asks again. */
  async #ask(fields) {
    const query = new URLSearchParams(this.#firstNew ? { ...fields, new: this.#firstNew } : fields);
    try {
      const text = await fetchFragment(`${this.#path}?${query}`, { signal: this.#gone.signal });
      return this.#section.isConnected ? text : null;
    } catch (error) {
      if (error instanceof SignedOut) this.#context.signedOut();
      return null;
    }
  }
}
