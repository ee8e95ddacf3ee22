// Where one writes: Enter sends, Shift+Enter breaks the line, and nothing typed is ever lost.
import { SignedOut, postForm } from "./refresh.js";

/** Above this, browsers refuse to finish a request after its page has gone (Fetch §4.5). */
const MAX_KEEPALIVE = 60 * 1024;
/** Typing is saved this long after it paused. */
const SAVE_AFTER = 300;

export class Composer {
  #form;
  #field;
  #error;
  #options;
  #events = new AbortController();
  #queue = [];
  #isSending = false;
  #refused = null;
  #saving;

  /**
   * @param form `#composer`
   * @param options `peer` and `drafts`; `sending(message)`, `sent(message)` and `unsent(message)`
   *   follow `{key, text}` on its way; `signedOut()`
   */
  constructor(form, options) {
    this.#form = form;
    this.#field = form.elements.text;
    this.#error = form.querySelector("#send-error");
    this.#options = options;
    if (this.#field.value === "") this.#write(options.drafts.read(options.peer));
    const { signal } = this.#events;
    form.addEventListener("submit", this.#submit, { signal });
    this.#field.addEventListener("keydown", this.#pressed, { signal });
    this.#field.addEventListener("input", this.#typed, { signal });
  }

  /** Saves the draft now. Whether nothing would be lost with the page. */
  save() {
    clearTimeout(this.#saving);
    const unsent = this.#queue.map((message) => message.text);
    const text = [...unsent, this.#field.value].filter((text) => text.trim() !== "").join("\n");
    return this.#options.drafts.write(this.#options.peer, text);
  }

  stop() {
    this.save();
    this.#events.abort();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #pressed = (event) => {
    // Enter that ends an input method's composition is not ours; Safari ends the composition first
    // and tells it only by the key code.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || composing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  };

  #typed = () => {
    this.#grow();
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.save(), SAVE_AFTER);
  };

  #submit = (event) => {
    event.preventDefault();
    const text = this.#field.value.trimEnd();
    if (text.trim() === "") return;
    // The same words again after a failure are the same message: it cannot arrive twice.
    const key = this.#refused?.text === text ? this.#refused.key : crypto.randomUUID();
    const message = { key, text };
    this.#refused = null;
    this.#queue.push(message);
    this.#say("");
    this.#write("");
    this.save();
    this.#options.sending(message);
    this.focus();
    if (!this.#isSending) this.#send();
  };

  /** Sends what waits, one after another, so that it arrives in order. */
  async #send() {
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const [message] = this.#queue;
      try {
        const keepalive = message.text.length * 3 < MAX_KEEPALIVE;
        await postForm(this.#form.action, message, { keepalive });
        this.#queue.shift();
        this.save();
        this.#options.sent(message);
      } catch (error) {
        this.#giveBack(error);
      }
    }
    this.#isSending = false;
  }

  /** What could not be sent goes back to where it was written, before what was written since. */
  #giveBack(error) {
    const unsent = this.#queue;
    this.#queue = [];
    for (const message of unsent) this.#options.unsent(message);
    this.#refused = unsent[0];
    this.#write([...unsent.map((message) => message.text), this.#field.value].filter(Boolean).join("\n"));
    this.save();
    if (error instanceof SignedOut) this.#options.signedOut();
    else this.#say(inWords(error));
  }

  #write(text) {
    this.#field.value = text;
    this.#grow();
  }

  #say(words) {
    this.#error.textContent = words;
  }

  /** The style sheet lets the field grow where browsers can; elsewhere its height is set. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}

function inWords(error) {
  // What `fetch` throws when there is no answer at all (Fetch §5.6).
  if (error instanceof TypeError) {
    return navigator.onLine
      ? "Not sent: the service can't be reached. Your message stays here; try again in a moment."
      : "Not sent: you are offline. Your message stays here; send it when you are back.";
  }
  return error.message || "Not sent. Your message stays here; try again in a moment.";
}
