// One open conversation: keeps what is on the page as the server would draw it now.
import { Composer } from "./composer.js";
import { writeDays, writeTimes } from "./local-time.js";
import { Outbox } from "./outbox.js";
import { SignedOut, coalesce, fetchFragment, morph, postForm } from "./refresh.js";
import { Scroller, Trigger } from "./scroll.js";

/** Older messages are fetched when fewer than this many screens of them are left above. */
const SCREENS_AHEAD = 2;
/** After a failure, the next page of history is asked for no sooner than this, in milliseconds. */
const RETRY_OLDER_AFTER = 2000;

export class Thread {
  #section;
  #box;
  #older;
  #button;
  #context;
  #path;
  #scroller;
  #composer;
  #outbox;
  #gone = new AbortController();
  #trigger = Trigger.LIVE;
  #loadingOlder = false;
  #olderNotBefore = 0;
  #readTo;

  /**
   * @param section `#thread`
   * @param context `local` time, `drafts`, `signedOut()`
   */
  constructor(section, context) {
    this.#section = section;
    this.#context = context;
    this.#box = section.querySelector("#scroll");
    this.#older = section.querySelector("#older");
    this.#button = section.querySelector("#new-messages");
    const form = section.querySelector("#composer");
    this.#path = form.action;
    this.#readTo = this.#newestRow();
    this.refresh = coalesce(() => this.#read());

    writeDays(this.#box, context.local);
    this.#scroller = new Scroller(this.#box, [this.#older, this.#messages], this.#moved);
    this.#scroller.keep(Trigger.OPENED, () => {});
    this.#outbox = new Outbox(this.#messages, section.querySelector("template#sending"));
    this.#composer = new Composer(form, {
      peer: this.peer,
      drafts: context.drafts,
      sending: (message) => this.#draw(message),
      sent: ({ key }) => {
        this.#outbox.accept(key);
        this.refresh();
      },
      unsent: ({ key }) => this.#scroller.keep(Trigger.LIVE, () => this.#outbox.drop(key)),
      signedOut: context.signedOut,
    });
    this.#composer.focus();
    this.#button.addEventListener("click", this.#toBottom, { signal: this.#gone.signal });
  }

  /** The peer's display URL. */
  get peer() {
    return this.#section.dataset.peer;
  }

  /** Draws anew and shows the newest: back from sleep, or through the back-forward cache. */
  resume() {
    this.#trigger = Trigger.RESUMED;
    return this.refresh();
  }

  /** Writes the days anew, since one has passed. */
  tellDays() {
    this.#scroller.keep(Trigger.LIVE, () => {
      writeDays(this.#box, this.#context.local);
      writeTimes(this.#box, this.#context.local);
    });
  }

  /** The person looks at what came while they did not. */
  async seen() {
    const row = this.#newestRow();
    if (row <= this.#readTo) return;
    this.#readTo = row;
    try {
      await postForm(this.#path.replace(/messages$/, "read"), { row });
    } catch (error) {
      if (error instanceof SignedOut) this.#context.signedOut();
      else this.#readTo = 0; // not told: told again the next time
    }
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

  #newestRow() {
    return Number([...this.#messages.querySelectorAll(".msg[data-row]")].at(-1)?.dataset.row ?? 0);
  }

  #draw(message) {
    this.#scroller.keep(Trigger.SENT, () => {
      const bubble = this.#outbox.add(message);
      writeTimes(bubble, this.#context.local);
      writeDays(this.#box, this.#context.local);
    });
  }

  async #read() {
    const askedAt = performance.now();
    const query = new URLSearchParams({ from: this.#messages.dataset.from ?? "" });
    const firstNew = this.#section.querySelector("#new-line + .msg")?.dataset.row;
    if (firstNew) query.set("new", firstNew);
    const text = await this.#ask(`${this.#path}?${query}`);
    if (text === null) return;
    const newest = this.#newestRow();
    const trigger = this.#trigger;
    this.#trigger = Trigger.LIVE;
    this.#scroller.keep(trigger, () => {
      morph(this.#messages, text, "outerMorph", (fragment) => this.#prepare(fragment, askedAt));
      writeDays(this.#box, this.#context.local);
    });
    if (this.#newestRow() > newest && !this.#scroller.isAtBottom) this.#button.hidden = false;
    if (document.visibilityState === "visible") this.#readTo = Math.max(this.#readTo, this.#newestRow());
  }

  /** Makes an incoming `#messages` what this page shows. Whether it may go in. */
  #prepare(fragment, askedAt) {
    const incoming = fragment.querySelector("#messages");
    const isEmpty = !incoming?.querySelector(".msg");
    // A posta-server that is away may leave nothing to draw; what is on the page is better.
    if (isEmpty && this.#newestRow() > 0) return false;
    this.#archive(Number(incoming.dataset.from));
    this.#outbox.reconcile(incoming, askedAt);
    writeDays(incoming, this.#context.local, { before: this.#lastOlderDay() });
    return true;
  }

  /** What the newest part no longer holds becomes history, so that no message goes missing between. */
  #archive(from) {
    const left = [...this.#messages.children].filter((child) => Number(child.dataset.row ?? Infinity) < from);
    if (left.length === 0) return;
    const page = document.createElement("div");
    page.className = "page";
    page.append(...left);
    this.#older.append(page);
  }

  #lastOlderDay() {
    const at = [...this.#older.querySelectorAll(".msg[data-at]")].at(-1)?.dataset.at;
    return at ? this.#context.local.day(Date.parse(at)) : "";
  }

  #moved = (isAtBottom) => {
    if (isAtBottom) this.#button.hidden = true;
    if (this.#box.scrollTop < SCREENS_AHEAD * this.#box.clientHeight) this.#loadOlder();
  };

  async #loadOlder() {
    const { before } = this.#older.dataset;
    if (!before || this.#loadingOlder || performance.now() < this.#olderNotBefore) return;
    this.#loadingOlder = true;
    const text = await this.#ask(`${this.#path}?before=${before}`);
    if (text === null) this.#olderNotBefore = performance.now() + RETRY_OLDER_AFTER;
    else this.#scroller.keep(Trigger.OLDER, () => this.#putOlder(text));
    this.#loadingOlder = false;
    // The page may not have filled the screens ahead.
    if (text !== null) this.#moved(this.#scroller.isAtBottom);
  }

  #putOlder(text) {
    morph(this.#older, text, "afterbegin");
    const next = this.#older.firstElementChild?.dataset.before;
    if (next) this.#older.dataset.before = next;
    else delete this.#older.dataset.before;
    writeDays(this.#box, this.#context.local);
  }

  #toBottom = () => {
    this.#scroller.keep(Trigger.RESUMED, () => {});
    this.#composer.focus();
  };

  /** A fragment, or null when it could not be had: the next trigger or the watchdog asks again. */
  async #ask(url) {
    try {
      const text = await fetchFragment(url, { signal: this.#gone.signal });
      return this.#section.isConnected ? text : null;
    } catch (error) {
      if (error instanceof SignedOut) this.#context.signedOut();
      return null;
    }
  }
}
