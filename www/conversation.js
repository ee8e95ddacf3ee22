// What one can do with a whole conversation. The questions are dialogs in the page already.
import { SignedOut, postForm } from "./refresh.js";

export class Conversation {
  #page;

  /** @param page `left()` and `removed()` once it is done; `signedOut()` */
  constructor(page) {
    this.#page = page;
    document.addEventListener("submit", (event) => {
      const { does } = event.target.dataset;
      if (!does) return;
      event.preventDefault();
      this.#do(does, event.target);
    });
    if ("commandForElement" in HTMLButtonElement.prototype) return;
    document.addEventListener("click", ({ target }) => {
      const button = target.closest?.("button[command=show-modal]");
      if (button) document.getElementById(button.getAttribute("commandfor"))?.showModal();
    });
  }

  async #do(does, form) {
    const button = form.querySelector("button");
    if (button.disabled) return;
    const dialog = form.closest("dialog");
    const error = dialog.querySelector(".error");
    // However often it is tried, it is one message.
    form.dataset.key ??= crypto.randomUUID();
    error.textContent = "";
    button.disabled = true;
    try {
      await postForm(form.action, { key: form.dataset.key });
      delete form.dataset.key;
      dialog.close();
      if (does === "leave") this.#page.left();
      else this.#page.removed();
    } catch (failure) {
      if (failure instanceof SignedOut) this.#page.signedOut();
      // What `fetch` throws when there is no answer at all.
      const isSilent = failure instanceof TypeError || !failure.message;
      error.textContent = isSilent ? "The service can't be reached. Try again in a moment." : failure.message;
    } finally {
      button.disabled = false;
    }
  }
}
