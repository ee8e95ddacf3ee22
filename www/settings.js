// The settings: their forms are sent from here, and the page drawn anew after each, so that nothing
// else on it moves.
import { SignedOut, fetchFragment, postForm, swap } from "./refresh.js";

const UNREACHABLE = "The service can't be reached. Check your connection and try again.";

export class Settings {
  #page;

  /** @param page `signedOut()` */
  constructor(page) {
    this.#page = page;
    document.addEventListener("submit", (event) => {
      if (!event.target.closest("#settings")) return;
      event.preventDefault();
      this.#submit(event.target);
    });
  }

  async #submit(form) {
    if (form.getAttribute("aria-busy")) return;
    const complain = (words) => (form.querySelector(".error").textContent = words);
    complain("");
    say("");
    form.setAttribute("aria-busy", "true");
    try {
      await postForm(form.getAttribute("action"), new FormData(form));
      await this.#redraw();
    } catch (error) {
      if (error instanceof SignedOut) this.#page.signedOut();
      else complain(error instanceof TypeError ? UNREACHABLE : error.message);
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /** Draws the settings as the server has them now. */
  async #redraw() {
    const page = new DOMParser().parseFromString(await fetchFragment("/settings"), "text/html");
    const here = document.getElementById("settings");
    const there = page.getElementById("settings");
    if (here && there) await swap(here, there.innerHTML, "innerMorph");
  }
}

function say(words) {
  document.getElementById("settings-said").textContent = words;
}
