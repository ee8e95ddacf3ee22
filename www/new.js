// A new conversation: tells whom an address leads to while one types it.
import { Refused, SignedOut, fetchFragment, swap } from "./refresh.js";

/** Typing pauses this long before somebody is asked, in milliseconds. */
const PAUSE = 500;

export class NewConversation {
  #signedOut;
  #timer = 0;
  #asking = null;
  /** The text that the answer on the page is about. */
  #about = "";

  constructor({ signedOut }) {
    this.#signedOut = signedOut;
    document.addEventListener("input", ({ target }) => {
      if (target.matches("#new #url")) this.#typed(target);
    });
    document.addEventListener("submit", (event) => {
      const field = event.target.closest("#new")?.querySelector("#url");
      if (!field) return;
      event.preventDefault();
      this.#start(field);
    });
  }

  /** The main pane is another. */
  arrived() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const field = document.querySelector("#new #url");
    this.#about = field && this.#box.querySelector("a.primary") ? field.value.trim() : "";
    field?.focus({ preventScroll: true });
  }

  get #box() {
    return document.getElementById("new-answer");
  }

  #typed(field) {
    clearTimeout(this.#timer);
    if (field.value.trim() === this.#about) return;
    this.#asking?.abort();
    // What was said is about another address.
    this.#about = "";
    field.removeAttribute("aria-invalid");
    this.#say("");
    this.#box.querySelector(".peer-card")?.remove();
    const start = Object.assign(document.createElement("button"), { type: "submit", className: "primary" });
    start.textContent = "Start";
    this.#box.querySelector(".do").replaceChildren(start);
    this.#timer = setTimeout(() => this.#look(field, { typing: 1 }), PAUSE);
  }

  /** Whoever is there is known already, or is looked for now; nobody known, nothing opens. */
  async #start(field) {
    clearTimeout(this.#timer);
    if (field.value.trim() !== this.#about) await this.#look(field);
    const link = this.#box?.querySelector("a.primary");
    if (link && field.value.trim() === this.#about) link.click();
    else field.focus();
  }

  async #look(field, more = {}) {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const text = field.value.trim();
    const progress = document.getElementById("progress");
    progress.classList.add("busy");
    try {
      const query = new URLSearchParams({ url: text, ...more });
      const answer = await fetchFragment(`/new/preview?${query}`, { signal: asking.signal });
      if (this.#asking !== asking || !field.isConnected) return;
      swap(this.#box, answer, "innerMorph");
      this.#about = text;
      const isWrong = this.#box.querySelector("#url-error").textContent !== "";
      if (isWrong) field.setAttribute("aria-invalid", "true");
    } catch (error) {
      if (error instanceof SignedOut) this.#signedOut();
      else if (error instanceof Refused) this.#say(error.message);
      else if (!asking.signal.aborted) this.#say("The service can't be reached. Try again in a moment.");
    } finally {
      if (this.#asking === asking) {
        this.#asking = null;
        progress.classList.remove("busy");
      }
    }
  }

  #say(words) {
    const error = this.#box?.querySelector("#url-error");
    if (error) error.textContent = words;
  }
}
