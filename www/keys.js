// The keyboard. Keys are for writing first: whatever is typed into a field, composed by an input
// method, or already taken by something else, is none of ours.
import { closeOnBackdrop } from "./jump.js";

/** What a platform calls itself when its keyboard has Cmd and Option. */
const APPLE = /Mac|iPhone|iPad/i;

/**
 * What a pressed key asks for: `jump`, `search`, `back`, `above`, `below`, `last-own`, `help`, or
 * null. Pure.
 *
 * @param event a `KeyboardEvent`
 * @param where `isTyping`: the focus is where one writes; `isEmpty`: and nothing is written there;
 *   `isMessage`: it is the message field; `isApple`
 */
export function command(event, { isTyping, isEmpty, isMessage, isApple }) {
  // Safari ends a composition before the key that did it, and tells it only by the key code.
  if (event.isComposing || event.keyCode === 229) return null;
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  const chord = isApple ? metaKey && !ctrlKey : ctrlKey && !metaKey;
  if (chord && !altKey && !shiftKey) return letter(event) === "k" ? "jump" : null;
  if (ctrlKey || metaKey) return null;
  if (altKey) {
    // On a Mac, Option and an arrow move through what one writes.
    if (shiftKey || (isTyping && isApple && !isEmpty)) return null;
    return { ArrowUp: "above", ArrowDown: "below" }[key] ?? null;
  }
  // What is written stays under one's hands.
  if (key === "Escape") return isTyping && !isEmpty ? null : "back";
  if (key === "ArrowUp" && isMessage && isEmpty && !shiftKey) return "last-own";
  if (isTyping) return null;
  // By what the key writes, not by where it is: layouts have them in many places.
  if (key === "/" || key === "／") return "search";
  return ["?", "？", "؟"].includes(key) ? "help" : null;
}

/** The Latin letter of a key: what it writes, or, where that is another script, where it is. */
function letter({ key, code }) {
  if (/^[\x20-\x7e]$/.test(key)) return key.toLowerCase();
  return code.startsWith("Key") ? code.slice(3).toLowerCase() : "";
}

export class Keys {
  #page;
  #help = document.getElementById("keys");
  #isApple = APPLE.test(navigator.userAgentData?.platform ?? navigator.platform);
  #heading = null;

  /**
   * @param page `jump` the dialog, `actions` of own messages, `peer()` whose conversation is open,
   *   `go({peer, link})` to one
   */
  constructor(page) {
    this.#page = page;
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.getElementById("show-keys").addEventListener("click", () => this.#showHelp());
    closeOnBackdrop(this.#help);
    if (!this.#isApple) return;
    for (const key of document.querySelectorAll("[data-mac]")) key.textContent = key.dataset.mac;
  }

  /** Another pane stands. */
  arrived() {
    this.#heading = null;
  }

  #pressed(event) {
    if (event.defaultPrevented || document.querySelector("dialog:modal, :popover-open")) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Element)) return;
    // A closed list opens with Alt and an arrow.
    if (event.altKey && target.matches("select")) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    const field = writable(target);
    const asked = command(event, {
      isTyping: field !== null,
      isEmpty: field !== null && (field.value ?? field.textContent) === "",
      isMessage: field?.id === "text",
      isApple: this.#isApple,
    });
    if (plain && this.#page.actions.pressed(event.key, target)) event.preventDefault();
    else if (asked && this.#carryOut(asked, field)) event.preventDefault();
  }

  /** Whether there was something to do. */
  #carryOut(asked, field) {
    switch (asked) {
      case "jump":
        this.#page.jump.show();
        return true;
      case "search":
        return this.#search();
      case "back":
        return this.#back(field);
      case "above":
        return this.#along(-1);
      case "below":
        return this.#along(1);
      case "last-own":
        return this.#page.actions.last();
      default:
        return this.#showHelp();
    }
  }

  #showHelp() {
    document.querySelector("#own-menu:popover-open")?.hidePopover();
    this.#help.showModal();
    return true;
  }

  /** To the nearest search field; without one in sight, to what leads to search, or to a jump. */
  #search() {
    const fields = document.querySelectorAll("#main [type=search], #sidebar [type=search]");
    const field = [...fields].find(isShown);
    const link = [...document.querySelectorAll("#main a[href^='/search']")].find(isShown);
    if (field) {
      field.focus();
      field.select();
    } else if (link) {
      link.click();
    } else {
      this.#page.jump.show();
    }
    return true;
  }

  /** Out of the search; on a phone, from a conversation to the list. */
  #back(field) {
    const back = document.querySelector("#main .back");
    if (field?.type === "search" && !field.closest("#main")) {
      (document.getElementById("text") ?? document.getElementById("main")).focus();
      return true;
    }
    const found = document.querySelector("#main #found a.round");
    const way = found ?? (isShown(back) ? back : null);
    way?.click();
    return way !== null;
  }

  /** The conversation above or below in the list, counted from where one is heading already. */
  #along(step) {
    const lines = [...document.querySelectorAll("#contacts [data-peer]")].filter((line) => !line.closest("[hidden]"));
    const here = this.#heading ?? this.#page.peer();
    const at = lines.findIndex((line) => line.dataset.peer === here);
    const next = at < 0 ? lines.at(step > 0 ? 0 : -1) : lines[at + step];
    if (!next) return true; // the end of the list; the browser must not scroll instead
    this.#heading = next.dataset.peer;
    next.scrollIntoView({ block: "nearest" });
    this.#page.go({ peer: next.dataset.peer, link: next });
    return true;
  }
}

/** The field in which one writes, or null. */
function writable(target) {
  const field = target.closest("input, textarea, select, [contenteditable]:not([contenteditable=false])");
  const pressed = ["button", "checkbox", "radio", "submit", "reset", "file", "image", "range", "color"];
  return field?.matches("input") && pressed.includes(field.type) ? null : field;
}

function isShown(element) {
  if (!element) return false;
  return element.checkVisibility?.({ visibilityProperty: true }) ?? element.getClientRects().length > 0;
}
