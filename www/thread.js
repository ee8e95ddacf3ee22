// One open conversation: keeps what is on the page as the server would draw it now.
import { Composer } from "./composer.js";
import { writeDays, writeTimes } from "./local-time.js";
import { Older } from "./older.js";
import { Outbox } from "./outbox.js";
import { SignedOut, coalesce, fetchFragment, swap, postForm } from "./refresh.js";
import { Scroller, Trigger } from "./scroll.js";

export class Thread {
  #section;
  #box;
  #pages;
  #older;
  #button;
  #context;
  #path;
  #scroller;
  #composer;
  #outbox;
  #gone = new AbortController();
  #trigger = Trigger.LIVE;
  #readTo;

  /**
   * @param section `#thread`
   * @param context `local` time, `drafts`, `signedOut()`
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
    this.#scroller = new Scroller(this.#box, [this.#pages, this.#messages], this.#moved);
    this.#scroller.keep(Trigger.OPENED, () => {});
    // Only now: until it was placed, the view stood at the top, where history is wanted.
    this.#older = new Older(this.#box, this.#pages, {
      ask: (before) => this.#ask(`${this.#path}?before=${before}`),
      put: (page) => this.#scroller.keep(Trigger.OLDER, () => this.#putOlder(page)),
    });
    this.#older.moved();
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
    if (document.visibilityState === "visible") this.seen();
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
      swap(this.#messages, text, "outerMorph", (fragment) => this.#prepare(fragment, askedAt));
      writeDays(this.#box, this.#context.local);
    });
    if (this.#newestRow() > newest && !this.#scroller.isAtBottom) this.#button.hidden = false;
    if (document.visibilityState === "visible") this.seen();
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
    this.#pages.append(page);
  }

  #lastOlderDay() {
    const at = [...this.#pages.querySelectorAll(".msg[data-at]")].at(-1)?.dataset.at;
    return at ? this.#context.local.day(Date.parse(at)) : "";
  }

  #putOlder(page) {
    swap(this.#pages, page, "afterbegin");
    writeDays(this.#box, this.#context.local);
  }

  #moved = (isAtBottom) => {
    if (isAtBottom) this.#button.hidden = true;
    this.#older?.moved();
  };

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
