// Where the keyboard is after what had it has gone: never at the top of the page again.

export class Focus {
  /** What had the focus last, and the message it stood in. */
  #last = null;
  #message = null;

  constructor() {
    document.addEventListener("focusin", ({ target }) => {
      this.#last = target;
      this.#message = target.closest(".msg")?.id ?? null;
    });
    // Who clicks on nothing wants nothing focused.
    document.addEventListener("pointerdown", () => (this.#last = null), true);
    const observer = new MutationObserver(() => this.#look());
    observer.observe(document.getElementById("app"), { childList: true, subtree: true });
  }

  /** The main pane is another one, and nothing in it has taken the focus. */
  arrived(left) {
    if (!isNowhere()) return;
    const main = document.getElementById("main");
    const line = document.querySelector(`#contacts [data-peer="${CSS.escape(left ?? "")}"]`);
    const place = main.querySelector("[autofocus]") ?? line ?? main;
    place.focus({ preventScroll: place === main });
  }

  #look() {
    // Nor is it taken back from the browser's own bars.
    if (!this.#last || !isNowhere() || !document.hasFocus()) return;
    const last = this.#last;
    if (last.isConnected && last !== document.body) {
      last.focus({ preventScroll: true }); // a morph moved it
    } else {
      const message = this.#message && document.getElementById(this.#message);
      const place = message?.querySelector("button, a") ?? document.getElementById("text");
      (place ?? document.getElementById("main")).focus({ preventScroll: true });
    }
  }
}

function isNowhere() {
  return !document.activeElement || document.activeElement === document.body;
}
