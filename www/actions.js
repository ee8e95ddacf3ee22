// What one can do with an own message, by keyboard and by pointer: the buttons at its bubble.

/** How long a button says that it has worked, in milliseconds. */
const DONE_FOR = 2000;

export class Actions {
  #say;

  /** @param say tells screen readers */
  constructor(say) {
    this.#say = say;
    document.addEventListener("click", ({ target }) => {
      const button = target.closest?.(".actions [data-do=copy]");
      if (button) this.#copy(button);
    });
  }

  /** Goes to the last own message that has any. Whether there is one. */
  last() {
    return this.#go(messages().length, -1);
  }

  /** A key in a group of buttons. Whether it was one of ours. */
  pressed(key, target) {
    const message = target.closest("#scroll .msg.out");
    const group = message ? buttons(message) : [];
    const at = group.indexOf(target);
    if (at < 0) return false;
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (aside) group[(at + aside + group.length) % group.length].focus();
    else if (key === "ArrowUp") this.#go(messages().indexOf(message), -1);
    else if (key === "ArrowDown" && this.#go(messages().indexOf(message), 1)) return true;
    else if (key === "ArrowDown" || key === "Escape") document.getElementById("text").focus();
    else return false;
    return true;
  }

  #go(from, step) {
    const all = messages();
    for (let at = from + step; at >= 0 && at < all.length; at += step) {
      const [first] = buttons(all[at]);
      if (!first) continue;
      first.focus({ preventScroll: true });
      all[at].scrollIntoView({ block: "nearest" });
      return true;
    }
    return false;
  }

  async #copy(button) {
    const words = button.closest(".msg").querySelector(".words").innerText;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      this.#say("Not copied: this browser does not allow it.");
      button.textContent = "Not copied";
      setTimeout(() => (button.textContent = "Copy"), DONE_FOR);
      return;
    }
    this.#say("Copied");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), DONE_FOR);
  }
}

function messages() {
  return [...document.querySelectorAll("#scroll .msg.out")];
}

/** Retry first, where there is one: that is what one comes for. */
function buttons(message) {
  return [...message.querySelectorAll(".trouble button"), ...message.querySelectorAll(".actions button")];
}
