// What tells of unread messages beside the list: the title, the icon, the app's badge, and, where
// somebody wants them, notifications and a quiet sound.

const STORED = "told ";
/** A tab that is looked at has told by itself: those that are not wait so long for it. */
const DEFER = 800;
/** Storage of other tabs learns a moment later what one of them wrote; so long a lock stands for it. */
const HOLD = 5000;

export class Told {
  #account;
  #page;
  #preferences;
  #icon = document.querySelector('link[rel="icon"]');
  #plain = this.#icon?.getAttribute("href");
  #unread = 0;
  /** The newest message heard of each conversation; null before the list was seen. */
  #newest = null;
  #notes = new Map();

  /** @param page `go(peer)`: opens a conversation */
  constructor(account, preferences, page) {
    this.#account = account;
    this.#preferences = preferences;
    this.#page = page;
    // Each conversation brings a title of its own.
    const observer = new MutationObserver(() => this.#title());
    observer.observe(document.head, { childList: true, subtree: true, characterData: true });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#forgetNotes();
    });
  }

  /** The list was drawn anew. */
  listed() {
    const lines = [...document.querySelectorAll("#contacts .contact")].map(look);
    this.#unread = lines.reduce((sum, { unread }) => sum + unread, 0);
    this.#title();
    this.#badge();
    for (const { peer, unread } of lines) if (unread === 0) this.#forget(peer);
    const before = this.#newest;
    this.#newest = new Map(lines.map(({ peer, newest }) => [peer, newest]));
    if (before === null) return;
    for (const line of lines) {
      if (line.unread > 0 && line.newest > (before.get(line.peer) ?? 0)) this.#tell(line);
    }
  }

  /** Somebody signed out: nothing is left of what was told. */
  clear() {
    this.#unread = 0;
    this.#badge();
    this.#forgetNotes();
    try {
      const mine = Object.keys(localStorage).filter((name) => name.startsWith(this.#name("")));
      for (const name of mine) localStorage.removeItem(name);
    } catch {
      // Then nothing was ever there.
    }
  }

  #title() {
    const bare = document.title.replace(/^\(\d+\+?\) /, "");
    const wanted = this.#unread > 0 ? `(${atMost(this.#unread, 99)}) ${bare}` : bare;
    if (document.title !== wanted) document.title = wanted;
  }

  #badge() {
    const href = this.#unread > 0 ? `/icon/${atMost(this.#unread, 9)}` : this.#plain;
    if (this.#icon && this.#icon.getAttribute("href") !== href) this.#icon.setAttribute("href", href);
    // Only an installed app has one.
    const set = this.#unread > 0 ? navigator.setAppBadge?.(this.#unread) : navigator.clearAppBadge?.();
    set?.catch(() => {});
  }

  /** Something came that nobody has seen: told once, by one tab of this browser. */
  async #tell(line) {
    if (document.visibilityState !== "visible") await new Promise((done) => setTimeout(done, DEFER));
    await once(`told ${line.peer} ${line.newest}`, () => {
      if (!this.#isFirst(line)) return;
      if (this.#preferences.sounds) chime();
      if (this.#preferences.notifies && document.visibilityState !== "visible") this.#notify(line);
    });
  }

  /** Whether no tab has told of it before. */
  #isFirst({ peer, newest }) {
    try {
      const name = this.#name(peer);
      if (Number(localStorage.getItem(name)) >= newest) return false;
      localStorage.setItem(name, newest);
    } catch {
      // Without storage each tab tells for itself.
    }
    return true;
  }

  #notify({ peer, name, preview }) {
    let note;
    try {
      // One for a conversation: the next takes the place of the one before.
      note = new Notification(name, { body: preview, tag: `chat-posta ${peer}`, icon: this.#plain });
    } catch {
      return; // some phones let only service workers notify
    }
    note.onclick = () => {
      window.focus();
      note.close();
      this.#page.go(peer);
    };
    this.#notes.set(peer, note);
  }

  #forget(peer) {
    this.#notes.get(peer)?.close();
    this.#notes.delete(peer);
  }

  #forgetNotes() {
    for (const peer of [...this.#notes.keys()]) this.#forget(peer);
  }

  #name(peer) {
    return `${STORED}${this.#account} ${peer}`;
  }
}

function look(link) {
  const text = (place) => link.querySelector(place)?.textContent.trim() ?? "";
  return {
    peer: link.dataset.peer,
    newest: Number(link.dataset.newest ?? 0),
    unread: Number.parseInt(text(".badge"), 10) || 0,
    name: text(".name"),
    preview: text(".preview"),
  };
}

function atMost(count, most) {
  return count > most ? `${most}+` : `${count}`;
}

/** Does it unless another tab of this browser is at it, or was just now. */
async function once(name, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    work();
    await new Promise((done) => setTimeout(done, HOLD));
  });
}

/** Two soft notes, made here: there is no file to fetch. */
function chime() {
  try {
    const context = new AudioContext();
    const end = context.currentTime + 0.5;
    for (const [pitch, at] of [
      [587.33, 0],
      [783.99, 0.12],
    ]) {
      const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
      const volume = new GainNode(context, { gain: 0 });
      const start = context.currentTime + at;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.04, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, end);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(end);
    }
    setTimeout(() => context.close(), 1000);
  } catch {
    // A device without sound stays quiet.
  }
}
