// One's own picture, chosen in the settings: its middle, as a square.
import { SignedOut } from "./refresh.js";
import { Unusable, prepare, square } from "./picture.js";

/** In pixels; it is drawn at 64 at most, on screens of up to three pixels in one. */
const SIDE = 512;
const UNREACHABLE = "The service can't be reached. Check your connection and try again.";

/** @param page `drawn(form)`: draws the settings anew; `signedOut()` */
export function watchPortrait(page) {
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#choose-portrait")) document.getElementById("portrait").click();
  });
  document.addEventListener("change", async ({ target }) => {
    const [file] = (target.id === "portrait" && target.files) || [];
    if (!file) return;
    const form = target.form;
    target.value = "";
    const complain = (words) => (form.querySelector(".error").textContent = words);
    complain("");
    form.setAttribute("aria-busy", "true");
    try {
      await send(await square(await prepare(file), SIDE));
      form.removeAttribute("aria-busy");
      await page.drawn(form);
    } catch (error) {
      if (error instanceof SignedOut) page.signedOut();
      else if (error instanceof TypeError) complain(UNREACHABLE);
      else if (error instanceof Unusable) complain(error.message);
      else throw error;
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}

async function send(body) {
  const response = await fetch("/settings/picture", { method: "POST", body, redirect: "manual" });
  if (response.status === 401) throw new SignedOut();
  // A script's form leads nowhere: that it would lead back says that it was done.
  if (response.type !== "opaqueredirect" && !response.ok) throw new Unusable(await response.text());
}
