// Buttons that copy: `<button data-copy="…">`, with a `role=status` after it.

/** How long a button says that it has done so, in milliseconds. */
const SAID_FOR = 2000;

export function startCopying() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest?.("button[data-copy]");
    if (!button || button.dataset.words) return;
    const said = (await copy(button.dataset.copy)) ? "Copied" : "Copying is not allowed here";
    button.dataset.words = button.textContent;
    button.textContent = said;
    const status = button.nextElementSibling;
    status.textContent = said;
    setTimeout(() => {
      button.textContent = button.dataset.words;
      delete button.dataset.words;
      status.textContent = "";
    }, SAID_FOR);
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not a secure context, or the person said no
  }
}
