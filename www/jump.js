// The dialog that jumps to a conversation by a few letters of its name.
import { addressOf, fold, matches } from "./match.js";

/** More are not looked through: another letter is faster. */
const SHOWN = 30;

export class Jump {
  #dialog = document.getElementById("jump");
  #field = document.getElementById("jump-field");
  #list = document.getElementById("jump-list");
  #count = document.getElementById("jump-count");
  #go;
  #contacts = [];
  #choices = [];
  #at = 0;

  /** @param go opens the conversation with a peer; `link` is its line in the list, if it has one */
  constructor(go) {
    this.#go = go;
    this.#field.addEventListener("input", () => this.#draw());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.#choose([...this.#list.children].indexOf(option));
    });
    // The field keeps the focus, whatever is pressed beside it.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    closeOnBackdrop(this.#dialog);
  }

  show() {
    if (this.#dialog.open) return;
    this.#contacts = [...document.querySelectorAll("#contacts [data-peer]")].map((link) => {
      const name = link.querySelector(".name").textContent;
      const { peer } = link.dataset;
      return { link, peer, shown: name, name: fold(name), address: fold(peer) };
    });
    this.#field.value = "";
    this.#draw();
    this.#dialog.showModal();
    this.#field.focus();
  }

  #draw() {
    const typed = this.#field.value;
    const found = matches(typed, this.#contacts);
    const address = addressOf(typed);
    const isNew = address !== null && !this.#contacts.some(({ address: known }) => known === fold(address));
    this.#choices = found.slice(0, SHOWN);
    if (isNew) this.#choices.push({ peer: address, shown: null });
    this.#list.replaceChildren(...this.#choices.map(option));
    this.#point(0);
    this.#count.textContent = inWords(found.length, isNew);
  }

  #pressed(event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#choices.length - 1;
    if (event.key === "ArrowDown") this.#point(this.#at < last ? this.#at + 1 : 0);
    else if (event.key === "ArrowUp") this.#point(this.#at > 0 ? this.#at - 1 : last);
    else if (event.key === "Enter") this.#choose(this.#at);
    else return;
    event.preventDefault();
  }

  /** What Enter would choose; the focus stays in the field. */
  #point(index) {
    this.#at = index;
    for (const [at, option] of [...this.#list.children].entries()) {
      option.setAttribute("aria-selected", at === index);
    }
    const option = this.#list.children[index];
    if (option) this.#field.setAttribute("aria-activedescendant", option.id);
    else this.#field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  #choose(index) {
    const choice = this.#choices[index];
    if (!choice) return;
    this.#dialog.close();
    this.#go(choice);
  }
}

/** A click beside a dialog closes it. */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const isInside =
      event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!isInside) dialog.close();
  });
}

function option({ link, peer, shown }, index) {
  const item = document.createElement("li");
  item.id = `jump-${index}`;
  item.setAttribute("role", "option");
  const name = document.createElement("span");
  name.className = "name";
  const address = document.createElement("bdi");
  address.className = "address";
  address.textContent = peer;
  if (shown === null) {
    name.textContent = "Start a conversation with";
  } else {
    name.append(Object.assign(document.createElement("bdi"), { textContent: shown }));
    const avatar = link.querySelector(".avatar")?.cloneNode(true);
    if (avatar) item.append(avatar);
  }
  item.append(name, address);
  return item;
}

function inWords(count, isNew) {
  if (count === 0) return isNew ? "No conversation of yours" : "No conversation fits. An address starts a new one.";
  return count === 1 ? "1 conversation" : `${count} conversations`;
}
