// What is chosen for this browser alone: how it looks, and how it tells of new messages.

const BLOCKED = "Your browser blocks notifications of this page. Allow them in its settings for this site.";

export class Preferences {
  constructor() {
    document.addEventListener("change", ({ target }) => {
      if (target.name === "theme" && target.closest("#browser")) this.#theme(target.value);
      const option = target.closest?.("#browser [data-option]");
      if (option) this.#set(option, target);
    });
    window.addEventListener("storage", () => this.show());
  }

  get notifies() {
    return read("notify") === "yes" && globalThis.Notification?.permission === "granted";
  }

  get sounds() {
    return read("sound") === "yes";
  }

  /** Shows in the settings, when they are open, what is chosen. */
  show() {
    const theme = read("theme") ?? "system";
    for (const radio of document.querySelectorAll("#browser [name=theme]")) radio.checked = radio.value === theme;
    // What this browser cannot do is not offered.
    option("notify", "Notification" in globalThis, this.notifies);
    option("sound", "AudioContext" in globalThis, this.sounds);
  }

  #theme(choice) {
    write("theme", choice === "system" ? null : choice);
    dispatchEvent(new Event("theme"));
  }

  async #set(place, box) {
    const { option: name } = place.dataset;
    const complain = (words) => (place.querySelector(".error").textContent = words);
    complain("");
    let isWanted = box.checked;
    if (isWanted && name === "notify" && (await ask()) !== "granted") {
      complain(BLOCKED);
      isWanted = false;
    }
    write(name, isWanted ? "yes" : null);
    this.show();
  }
}

function option(name, isThere, isOn) {
  const place = document.querySelector(`#browser [data-option="${name}"]`);
  if (!place) return;
  place.hidden = !isThere;
  place.querySelector("input").checked = isOn;
}

async function ask() {
  try {
    return await Notification.requestPermission();
  } catch {
    return "denied";
  }
}

function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Without storage it cannot be kept.
  }
}
