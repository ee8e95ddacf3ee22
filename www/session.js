// The end of a session, wherever it comes from: the button, another tab, the clock, the server.
import { postForm } from "./refresh.js";

/** In storage: when somebody last signed out of this browser. */
const MARK = "signed out at";
/** In storage: when somebody began to. Tabs that have no channel look here. */
const LEAVING = "signing out at";
/** A mark that is older was left by a tab that died, in milliseconds. */
const LEAVING_LASTS = 60_000;

/** Whose account the page shows: a name of the server's making, the same after each sign-in. */
export const account = document.getElementById("app").dataset.account;

export class Session {
  #page;
  #channel = null;
  #loaded = Date.now();
  #isOver = false;
  /** Somebody asked to sign out, here or in another tab: nothing half written is to be kept. */
  #isMeant = false;
  /** Who asked for it waits for its answer, which says where to go. */
  #isLeaving = false;

  /**
   * @param page `kept`: what keeps words in this browser, each with `clear()`; `save()`, whether nothing typed would be lost with the page;
   *   `notice(words)`
   */
  constructor(page) {
    this.#page = page;
    document.addEventListener("submit", (event) => {
      if (event.target.getAttribute("action") !== "/logout") return;
      event.preventDefault();
      this.#signOut();
    });
  }

  start() {
    if (this.#channel || !("BroadcastChannel" in window)) return;
    this.#channel = new BroadcastChannel("session");
    this.#channel.onmessage = ({ data }) => {
      this.#isMeant = data !== "stayed";
      if (data === "over") this.signedOut();
    };
  }

  stop() {
    this.#channel?.close();
    this.#channel = null;
  }

  /** Back from the cache: whether somebody signed out meanwhile. Then nothing is shown any more. */
  leaveIfOver() {
    if (Number(storage()?.getItem(MARK) ?? 0) < this.#loaded) return false;
    this.#leave("/login");
    return true;
  }

  /** Something is about to end the session because somebody wants it to. */
  leaving() {
    this.#isLeaving = true;
    this.#isMeant = true;
    write(LEAVING, Date.now());
    this.#channel?.postMessage("leaving");
  }

  /** It did not. */
  stayed() {
    this.#isLeaving = false;
    this.#isMeant = false;
    write(LEAVING, null);
    this.#channel?.postMessage("stayed");
  }

  /** It did: nothing is left of it in this browser, and this page leads to `path`. */
  left(path) {
    write(MARK, Date.now());
    this.#channel?.postMessage("over");
    this.#isLeaving = false;
    this.signedOut(path);
  }

  /** The server knows this session no more. What is half written waits for its person's return. */
  signedOut(path = "/login") {
    if (this.#isOver || this.#isLeaving) return;
    this.#isOver = true;
    this.#isMeant ||= this.#isBeingLeft;
    if (this.#isMeant) {
      for (const kept of this.#page.kept) kept.clear();
      this.#leave(path);
    } else if (this.#page.save()) {
      const here = location.pathname + location.search;
      this.#leave(here === "/" ? "/login" : `/login?next=${encodeURIComponent(here)}`);
    } else {
      // It could not be kept: then it stays where it is, to be copied.
      this.ending(false);
      document.getElementById("signed-out").hidden = false;
    }
  }

  /** Whether the session will end soon for want of a sign of life. */
  ending(soon) {
    document.getElementById("session-ending").hidden = !soon;
  }

  /** Whether another tab is signing out of what this page shows. */
  get #isBeingLeft() {
    const since = Number(storage()?.getItem(LEAVING) ?? 0);
    return since >= this.#loaded && Date.now() - since < LEAVING_LASTS;
  }

  async #signOut() {
    this.leaving();
    try {
      await postForm("/logout", {});
    } catch {
      this.stayed();
      this.#page.notice("You are still signed in: the service can't be reached. Try again in a moment.");
      return;
    }
    this.left();
  }

  #leave(path) {
    document.body.hidden = true;
    location.replace(path);
  }
}

function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Without storage there is nothing half written in it either.
  }
}

function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
