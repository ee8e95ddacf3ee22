// Pictures picked, pasted or dropped into a conversation, and the form that stands where one writes
// until they are sent.
import { preview } from "./picture.js";

/** Of the small drawing, each way, in CSS pixels. */
const SIDE = 112;

export class Attached {
  #section;
  #form;
  #pictures;
  #peer;
  #path;
  #done;
  #drawn = null;

  /**
   * @param section `#thread`, with `#attached`, `#pick` and `#attach`
   * @param options `pictures`, `peer`, `path`: where they go; `done()` once there is none any more;
   *   `signal`: when to stop listening
   */
  constructor(section, { pictures, peer, path, done, signal }) {
    this.#section = section;
    this.#form = section.querySelector("#attached");
    this.#pictures = pictures;
    this.#peer = peer;
    this.#path = path;
    this.#done = done;
    const pick = section.querySelector("#pick");
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(section.querySelector("#attach"), "click", () => pick.click());
    on(pick, "change", () => {
      this.#add(pick.files);
      pick.value = ""; // the same file may be chosen again
    });
    on(section, "paste", this.#pasted);
    // Wherever on the page it is let go: a browser would leave the page for it.
    on(document, "dragover", this.#dragged);
    on(document, "drop", this.#dropped);
    on(document, "dragleave", ({ relatedTarget }) => !relatedTarget && this.#mark(false));
    on(this.#form, "input", () => (this.#item.alt = this.#form.elements.alt.value));
    on(this.#form, "submit", (event) => {
      event.preventDefault();
      pictures.send(peer);
    });
    on(this.#form, "click", ({ target }) => this.#act(target.closest("button")?.value));
  }

  /** Shows how it stands with the first of them. */
  show() {
    const { item, more } = this.#pictures.first(this.#peer);
    const form = this.#form;
    if (!item) {
      const was = !form.hidden;
      form.hidden = true;
      this.#drawn = null;
      if (was) this.#done();
      return;
    }
    const isNew = this.#drawn !== item;
    const isOther = isNew || form.dataset.state !== item.state;
    this.#drawn = item;
    form.hidden = false;
    form.dataset.state = item.state;
    if (isNew) form.elements.alt.value = item.alt;
    const canvas = form.querySelector("canvas");
    canvas.hidden = !item.picture;
    if (item.picture) preview(canvas, item.picture.bitmap, SIDE);
    write(form.querySelector(".what"), what(item, more));
    write(form.querySelector(".error"), item.state === "large" ? "" : item.why);
    const progress = form.querySelector("progress");
    progress.hidden = item.state !== "sending";
    progress.value = item.sent;
    for (const button of form.querySelectorAll("button")) button.hidden = !BUTTONS[item.state].includes(button.value);
    // Whoever is busy elsewhere is left alone.
    const has = document.activeElement;
    if (isNew || (isOther && (!has || has === document.body || (form.contains(has) && has.matches("button"))))) {
      this.#focus();
    }
  }

  get #item() {
    return this.#pictures.first(this.#peer).item ?? {};
  }

  /** On what one most likely presses next. */
  #focus() {
    const button = [...this.#form.querySelectorAll("button")].findLast((one) => !one.hidden);
    button?.focus({ preventScroll: true });
  }

  #act(wanted) {
    if (wanted === "discard") this.#pictures.discard(this.#peer);
    if (wanted === "cancel") this.#pictures.cancel(this.#peer);
    if (wanted === "smaller") this.#pictures.makeSmaller(this.#peer);
  }

  #add(files) {
    if (files.length > 0) this.#pictures.add(this.#peer, this.#path, files);
  }

  #pasted = (event) => {
    const { files, types } = event.clipboardData;
    // Office programs put a drawing of copied words beside them: the words are meant.
    if (files.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    this.#add(files);
  };

  #dragged = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.#mark(true);
  };

  #dropped = (event) => {
    this.#mark(false);
    if (event.defaultPrevented || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.#add(event.dataTransfer.files);
  };

  #mark(isOver) {
    this.#section.classList.toggle("dropping", isOver);
  }
}

/** The buttons of each state; the last is what one most likely wants. */
const BUTTONS = {
  reading: ["discard"],
  ready: ["discard", "send"],
  large: ["discard", "smaller"],
  unusable: ["discard"],
  sending: ["cancel"],
};

function what({ name, picture, state, sent }, more) {
  const rest = more > 0 ? ` · ${more} more after this` : "";
  if (state === "reading" || !picture) return `${name}${rest}`;
  const size = megabytes(picture.blob.size);
  if (state === "large") return `This picture is too large to be sent: ${size}, and at most 10 MB are taken.`;
  if (state === "sending") return sent < 1 ? `Sending ${name}, ${size}` : "Almost there";
  return `${name} · ${size}${rest}`;
}

function megabytes(bytes) {
  const form = { style: "unit", unit: "megabyte", minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return new Intl.NumberFormat("en", form).format(Math.max(bytes / 1e6, 0.1));
}

/** What did not change is not read out again. */
function write(place, words) {
  if (place.textContent !== words) place.textContent = words;
}
