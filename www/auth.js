// Entry of the sign-in and sign-up pages.
import { PasskeyError, areSuggested, areSupported, create, forget, get } from "./passkey.js";

/** The server keeps a challenge for five minutes; a suggestion that waits longer asks for a new one. */
const SUGGESTION_LASTS = 4 * 60_000;

const signInButton = document.getElementById("sign-in");
const createButton = document.getElementById("create-passkey");

if ((signInButton || createButton) && !areSupported()) {
  document.getElementById("no-passkeys").hidden = false;
  (signInButton ?? createButton).disabled = true;
} else if (signInButton) {
  signIn(signInButton);
} else if (createButton) {
  signUp(createButton);
}

/** What the server or the network says against it, in words. */
class Refusal extends Error {
  /**
   * @param words for the person
   * @param status of the answer, or 0 when there was none
   * @param isUnknown whether the server has never heard of the passkey
   */
  constructor(words, status = 0, isUnknown = false) {
    super(words);
    this.status = status;
    this.isUnknown = isUnknown;
  }

  /** Whether the server has judged, rather than been busy or away. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 429].includes(this.status);
  }
}

function signIn(button) {
  let suggestion = null;

  const finish = async (options, { signal, mediation } = {}) => {
    const { ceremony, publicKey } = options;
    const { credential, prf } = await get(publicKey, { signal, mediation });
    try {
      const next = button.dataset.next;
      leaveFor(await post("/login", { ceremony, credential, prf, next }));
    } catch (error) {
      if (error.isUnknown) await forget(publicKey.rpId, credential.id);
      throw error;
    }
  };

  // Among the browser's own suggestions, for as long as the page is looked at.
  const suggest = async () => {
    suggestion?.abort();
    if (document.hidden || !(await areSuggested())) return;
    const controller = new AbortController();
    suggestion = controller;
    const renewal = setTimeout(suggest, SUGGESTION_LASTS);
    try {
      const options = await post("/login/options");
      if (controller.signal.aborted) return;
      await finish(options, { signal: controller.signal, mediation: "conditional" });
    } catch (error) {
      // A suggestion that nobody took is no news; a passkey that was refused is.
      if (error instanceof Refusal && !controller.signal.aborted) say(error.message);
    } finally {
      clearTimeout(renewal);
    }
  };

  button.addEventListener("click", () => {
    suggestion?.abort();
    attempt(button, async () => finish(await post("/login/options")));
  });
  // Safari and others refuse a second ceremony while one waits in a tab that is not looked at.
  document.addEventListener("visibilitychange", () => (document.hidden ? suggestion?.abort() : suggest()));
  window.addEventListener("pageshow", (event) => {
    // Back to this page after having signed in meanwhile: the server knows where to go then.
    if (event.persisted) location.reload();
  });
  suggest();
}

function signUp(button) {
  let options = JSON.parse(button.dataset.options);
  let created = false;

  button.addEventListener("click", () =>
    attempt(button, async () => {
      try {
        if (!created) {
          const made = await create(options.publicKey);
          options = await post("/register/passkey", { ceremony: options.ceremony, ...made });
          created = true;
        }
        await prove();
      } catch (error) {
        // A challenge is good for one answer: the way on leads through the page before.
        if (error.isFinal) startAgain(button);
        throw error;
      }
    }),
  );

  const prove = async () => {
    let used;
    try {
      used = await get(options.publicKey);
    } catch (error) {
      // Some browsers want a click of its own for the second question.
      label(button, "Confirm with your passkey");
      if (!(error instanceof PasskeyError && error.wasCancelled)) throw error;
      throw new Refusal("Your passkey was made. One more step: confirm that it opens what it protects.");
    }
    leaveFor(await post("/register/passkey", { ceremony: options.ceremony, ...used }));
  };
}

/** Runs one try of a button, which cannot be pressed meanwhile, and says what went wrong. */
async function attempt(button, task) {
  say("");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    if (error instanceof PasskeyError && error.wasAborted) return;
    say(error instanceof PasskeyError || error instanceof Refusal ? error.message : UNEXPECTED);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

const UNEXPECTED = "Something unexpected went wrong in this page. Reload it and try again.";

function startAgain(button) {
  const again = button.cloneNode(true);
  again.removeAttribute("data-options");
  again.removeAttribute("aria-busy");
  label(again, "Start again");
  again.disabled = false;
  again.addEventListener("click", () => history.back());
  button.replaceWith(again);
}

function label(button, words) {
  button.querySelector("span").textContent = words;
}

function say(words) {
  const place = document.getElementById("auth-error");
  place.textContent = words;
  place.hidden = words === "";
}

function leaveFor({ location: path }) {
  location.assign(path);
}

/** POSTs JSON, and answers the JSON that comes back. */
async function post(path, body = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refusal("The service can't be reached. Check your connection and try again.");
  }
  const text = await response.text();
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    // A plain sentence, from a limit or from a proxy in front.
    answer.error = response.headers.get("content-type")?.startsWith("text/plain") ? text : undefined;
  }
  if (response.ok) return answer;
  const words = answer.error ?? `That did not work (${response.status}). Try again in a moment.`;
  throw new Refusal(words, response.status, answer.unknown === true);
}
