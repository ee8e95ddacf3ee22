// The settings: their forms are sent from here, and the page is drawn anew after each, so that
// nothing else on it moves. A form with `data-touch` is a conversation with a passkey: the server
// says what to ask it, until it says what was done.
import { Refusal, post } from "./ask.js";
import { PasskeyError, areSupported, create, forget, get, keepOnly } from "./passkey.js";
import { Refused, SignedOut, fetchFragment, postForm, swap } from "./refresh.js";

const UNREACHABLE = "The service can't be reached. Check your connection and try again.";
const NO_PASSKEYS =
  "This browser cannot use passkeys. Try a current version of Chrome, Edge, Firefox or Safari.";
const UNEXPECTED = "Something unexpected went wrong in this page. Reload it and try again.";

/** What making a further passkey may run into. */
const ADDING = {
  NotAllowedError:
    "No passkey was made: it was cancelled, took too long, or your device could not verify you. Try again.",
  InvalidStateError: "This device has a passkey for your account already. Choose another device for the new one.",
};

export class Settings {
  #page;
  /** What a form's passkey was asked and has not answered yet, by form. */
  #asked = new WeakMap();

  /** @param page `signedOut()`; `drawn()` after they were drawn anew; `leaving()`, `stayed()` and `left(path)` as a `Session` has them */
  constructor(page) {
    this.#page = page;
    document.addEventListener("submit", (event) => {
      if (!event.target.closest("#settings")) return;
      event.preventDefault();
      this.#submit(event.target);
    });
    document.addEventListener("click", (event) => this.#lead(event));
    document.addEventListener("input", ({ target }) => {
      if (target.name !== "uri" || !target.form?.closest("#settings")) return;
      // Another link is another question.
      this.#asked.delete(target.form);
      hideInvite(target.form);
    });
  }

  /** Something they show has changed; whoever is in the middle of something is left alone. */
  async refresh() {
    const isBusy = () => document.querySelector("#settings :is(details[open], form[aria-busy])") !== null;
    if (!document.getElementById("settings") || isBusy()) return;
    await this.#draw(isBusy).catch((error) => {
      if (error instanceof SignedOut) this.#page.signedOut();
      // Otherwise they are as they were.
    });
  }

  /** A link to a section, on the settings themselves: it is there already, and opens. */
  #lead(event) {
    const link = event.target.closest?.('a[href^="/settings#"]');
    const section = link && document.getElementById(link.hash.slice(1));
    if (!section?.closest("#settings")) return;
    event.preventDefault();
    const details = section.querySelector("details");
    if (details) details.open = true;
    section.scrollIntoView();
    (section.querySelector("textarea") ?? section.querySelector("h2")).focus({ preventScroll: true });
  }

  async #submit(form) {
    if (form.getAttribute("aria-busy")) return;
    const complain = (words) => (form.querySelector(".error").textContent = words);
    complain("");
    say("");
    form.setAttribute("aria-busy", "true");
    try {
      if ("leaves" in form.dataset) this.#page.leaving();
      const done = "touch" in form.dataset ? await this.#touch(form) : await this.#send(form);
      if (!done) return;
      if (done.location) {
        this.#page.left(done.location);
        return;
      }
      await this.redraw(form);
      say(done.done ?? "");
      if (done.added) nameIt(done.added);
      const offer = document.getElementById("offer-end-others");
      if (offer && done.offerEndOthers) offer.hidden = false;
    } catch (error) {
      if ("leaves" in form.dataset) this.#page.stayed();
      if (error instanceof SignedOut || error.status === 401) this.#page.signedOut();
      else complain(inWords(error));
      if (isUnexpected(error)) throw error;
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  async #send(form) {
    await postForm(form.getAttribute("action"), new FormData(form));
    return {};
  }

  /** Asks the passkey what the server says, from where it was left, until all is done. */
  async #touch(form) {
    if (!areSupported()) throw new Refusal(NO_PASSKEYS);
    let step = this.#asked.get(form);
    step ??= await post(form.getAttribute("action"), new URLSearchParams(new FormData(form)));
    if (step.invite) {
      showInvite(form, step.invite);
      return null;
    }
    while (step.publicKey) {
      // A question that was cancelled is asked again at the next press; the server waits for it.
      this.#asked.set(form, step);
      const used = await (step.kind === "create" ? create(step.publicKey, { words: ADDING }) : get(step.publicKey));
      this.#asked.delete(form);
      try {
        step = await post("/settings/step", { ceremony: step.ceremony, ...used });
      } catch (error) {
        if (error.isUnknown) await forget(step.publicKey.rpId, used.credential.id);
        // Nothing is lost: the next press goes on where this stopped.
        if (error.next) this.#asked.set(form, error.next);
        throw error;
      }
    }
    form.reset();
    hideInvite(form);
    if (step.accepted) await keepOnly(step.accepted);
    return step;
  }

  /** Draws them after a form was done, and leaves the focus near where it was. */
  async redraw(form) {
    const row = form.closest("li")?.id;
    const section = form.closest("section").id;
    if (!(await this.#draw())) return;
    if (form.isConnected && form.checkVisibility?.({ contentVisibilityAuto: true })) return;
    const near = row && document.getElementById(row)?.querySelector("summary");
    (near || document.getElementById(`${section}-title`))?.focus();
  }

  /**
   * Draws the settings as the server has them now; false when they are shown no more, or when somebody
   * has begun something meanwhile that is not to be disturbed.
   */
  async #draw(isBusy = () => false) {
    const page = new DOMParser().parseFromString(await fetchFragment("/settings"), "text/html");
    if (isBusy()) return false;
    const here = document.getElementById("settings");
    const there = page.getElementById("settings");
    if (!here || !there) return false;
    await swap(here, there.innerHTML, "innerMorph");
    // One's own name and picture stand above the list, too.
    const own = page.getElementById("own");
    if (own) swap(document.getElementById("own"), own.innerHTML, "innerMorph");
    this.#page.drawn();
    return true;
  }
}

function say(words) {
  const place = document.getElementById("settings-said");
  if (place) place.textContent = words;
}

/** A passkey that was just made has no name of its own yet. */
function nameIt(id) {
  const field = document.getElementById(`name-${id}`);
  if (!field) return;
  field.closest("details").open = true;
  field.focus();
}

/** Whose set-up link it is; the next press goes on with it. */
function showInvite(form, { identity, deviceName, expiresAt }) {
  const place = form.querySelector(".linked");
  place.querySelector(".whose").textContent = identity;
  const until = expiresAt ? new Date(expiresAt) : null;
  const when = { dateStyle: "long", timeStyle: "short" };
  place.querySelector(".until").textContent = until ? ` and works until ${until.toLocaleString([], when)}` : "";
  const field = place.querySelector("input");
  field.disabled = false;
  field.value = deviceName;
  place.hidden = false;
  field.focus();
}

function hideInvite(form) {
  const place = form.querySelector(".linked");
  if (!place) return;
  place.hidden = true;
  // What is not shown is not sent.
  place.querySelector("input").disabled = true;
}

function isUnexpected(error) {
  const known = [Refusal, Refused, PasskeyError, SignedOut].some((kind) => error instanceof kind);
  return !known && error.constructor !== Error && !(error instanceof TypeError);
}

function inWords(error) {
  if (error instanceof TypeError) return UNREACHABLE;
  return isUnexpected(error) ? UNEXPECTED : error.message;
}
