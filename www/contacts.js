// The list of conversations as this browser shows it: all or the unread ones, with times that stay right.
import { writeTimes } from "./local-time.js";

/** In storage: whether only unread conversations are listed. */
const CHOICE = "unread only";
/** A list that says “5 min” is looked after this often, in milliseconds. */
const EVERY = 15_000;

export class Contacts {
  #local;
  #button = document.getElementById("unread-only");

  constructor(local) {
    this.#local = local;
    this.#button.addEventListener("click", () => {
      remember(this.#button.getAttribute("aria-pressed") !== "true");
      this.#apply();
    });
    // Other tabs of this browser follow.
    window.addEventListener("storage", ({ key }) => key === CHOICE && this.#apply());
    document.addEventListener("visibilitychange", () => this.tell());
    setInterval(() => this.tell(), EVERY);
    this.#apply();
  }

  /** Writes the times anew, unless nobody looks. */
  tell() {
    if (document.visibilityState === "visible") writeTimes(document.getElementById("app"), this.#local);
  }

  #apply() {
    const only = isChosen();
    this.#button.setAttribute("aria-pressed", only);
    document.getElementById("sidebar").classList.toggle("unread-only", only);
  }
}

function remember(only) {
  try {
    if (only) localStorage.setItem(CHOICE, "yes");
    else localStorage.removeItem(CHOICE);
  } catch {
    // Without storage the choice cannot be kept.
  }
}

function isChosen() {
  try {
    return localStorage.getItem(CHOICE) === "yes";
  } catch {
    return false;
  }
}
