// Where one writes: Enter sends, Shift+Enter breaks the line, and nothing typed is ever lost.

/** Typing is saved this long after it paused. */
const SAVE_AFTER = 300;

export class Composer {
  #form;
  #field;
  #options;
  #events = new AbortController();
  #saving;
  /** The draft as it is kept in this browser, by whichever tab. */
  #kept;
  #isComposing = false;

  /**
   * @param form `#composer`
   * @param options `peer`, `drafts` and `send(text)`, which keeps what it is given
   */
  constructor(form, options) {
    this.#form = form;
    this.#field = form.elements.text;
    this.#options = options;
    this.#kept = options.drafts.read(options.peer);
    if (this.#field.value === "") this.#write(this.#kept);
    const { signal } = this.#events;
    for (const name of ["compositionstart", "compositionend"]) {
      this.#field.addEventListener(name, () => (this.#isComposing = name === "compositionstart"), { signal });
    }
    options.drafts.watch(options.peer, this.#elsewhere, signal);
    form.addEventListener("submit", this.#submit, { signal });
    this.#field.addEventListener("keydown", this.#pressed, { signal });
    this.#field.addEventListener("input", this.#typed, { signal });
  }

  /** Saves the draft now. Whether nothing would be lost with the page. */
  save() {
    clearTimeout(this.#saving);
    const text = this.#draft;
    // A tab in which nothing was written leaves alone what another one has kept.
    if (text === this.#kept) return true;
    const isKept = this.#options.drafts.write(this.#options.peer, text);
    if (isKept) this.#kept = text;
    return isKept;
  }

  stop() {
    this.save();
    this.#events.abort();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Puts words back to be changed, before what is being written. */
  giveBack(text) {
    this.#write([text, this.#field.value].filter(Boolean).join("\n"));
    this.save();
    this.focus();
    this.#field.setSelectionRange(text.length, text.length);
  }

  get #draft() {
    const text = this.#field.value;
    return text.trim() === "" ? "" : text;
  }

  /** Another tab wrote in this conversation, or sent what was written: there is one draft of it. */
  #elsewhere = (text) => {
    const isUntouched = this.#draft === this.#kept && !this.#isComposing;
    this.#kept = text;
    if (isUntouched) this.#write(text);
  };

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
    this.#options.send(text);
    this.#form.querySelector("#send-error").textContent = "";
    this.#write("");
    this.save();
    this.focus();
  };

  #write(text) {
    this.#field.value = text;
    this.#grow();
  }

  /** The style sheet lets the field grow where browsers can; elsewhere its height is set. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}
