// Entry of the sign-in and sign-up pages.
import { Refusal, ask, isHtml, post, tryLater } from "./ask.js";
import { LocalTime, writeTimes } from "./local-time.js";
import { watchPairing } from "./pairing.js";
import { PasskeyError, areSuggested, areSupported, create, forget, get } from "./passkey.js";

/** The server keeps a challenge for five minutes; a suggestion that waits longer asks for a new one. */
const SUGGESTION_LASTS = 4 * 60_000;

watchPairing();
begin();

/** Does what the card on the page is for. */
function begin() {
  const pair = document.getElementById("pair");
  if (pair) connect(pair);
  writeTimes(document, new LocalTime());
  const button = document.querySelector("#sign-in, #create-passkey");
  if (!button) return;
  if (!areSupported()) {
    document.getElementById("no-passkeys").hidden = false;
    button.disabled = true;
  } else if (button.id === "sign-in") {
    signIn(button);
  } else {
    signUp(button);
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
    attempt(button, say, async () => finish(await post("/login/options")));
  });
  // Safari and others refuse a second ceremony while one waits in a tab that is not looked at.
  document.addEventListener("visibilitychange", () => (document.hidden ? suggestion?.abort() : suggest()));
  window.addEventListener("pageshow", (event) => {
    // Back to this page after having signed in meanwhile: the server knows where to go then.
    if (event.persisted) location.reload();
  });
  suggest();
}

/**
 * Step 1 of sign-up. What is pasted holds a secret, which no page that the server writes repeats: so
 * the form stays where it is until it is right, and what was typed stays in it.
 */
function connect(form) {
  const button = form.querySelector("button");
  const field = form.elements.uri;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const complain = (words) => {
      document.getElementById("uri-error").textContent = words;
      if (words) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    };
    complain("");
    attempt(button, complain, async () => {
      const response = await ask("/register", new URLSearchParams(new FormData(form)));
      const text = await response.text();
      if (!isHtml(response)) throw new Refusal(text || tryLater(response), response.status);
      const page = new DOMParser().parseFromString(text, "text/html");
      const error = page.getElementById("uri-error")?.textContent;
      if (error) throw new Refusal(error, response.status);
      document.title = page.title;
      document.getElementById("card").replaceWith(page.getElementById("card"));
      begin();
      document.getElementById("create-passkey")?.focus();
    });
  });
}

/** Step 2. */
function signUp(button) {
  let options = JSON.parse(button.dataset.options);
  let created = false;

  button.addEventListener("click", () =>
    attempt(button, say, async () => {
      try {
        if (!created) {
          const made = await create(options.publicKey);
          options = await post("/register/passkey", { ceremony: options.ceremony, ...made });
          created = true;
        }
        await prove();
      } catch (error) {
        // A challenge is good for one answer.
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
    try {
      // What a set-up link's token shall be called.
      const device = document.getElementById("device")?.value;
      leaveFor(await post("/register/passkey", { ceremony: options.ceremony, device, ...used }));
    } catch (error) {
      // Nothing is lost: the same passkey goes on where this stopped.
      if (error.next) {
        options = error.next;
        label(button, "Confirm with your passkey");
      }
      // It was made and is of no use: nobody shall be offered it again.
      if (error.isUnknown) await forget(options.publicKey.rpId, used.credential.id);
      throw error;
    }
  };
}

/** Runs one try of a button, which cannot be pressed meanwhile, and says what went wrong. */
async function attempt(button, say, task) {
  say("");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    if (error instanceof PasskeyError && error.wasAborted) return;
    say(error instanceof PasskeyError || error instanceof Refusal ? error.message : UNEXPECTED);
    if (!(error instanceof PasskeyError || error instanceof Refusal)) throw error;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

const UNEXPECTED = "Something unexpected went wrong in this page. Reload it and try again.";

/** This try is used up: the invite link begins the next. */
function startAgain(button) {
  const again = button.cloneNode(true);
  again.removeAttribute("data-options");
  again.removeAttribute("aria-busy");
  label(again, "Start again");
  again.disabled = false;
  again.addEventListener("click", () => location.reload());
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
