// Messages on their way: kept in this browser until the server has taken them, sent one after
// another in the order they were written, by one tab at a time, each once.
import { retryAfter } from "./live.js";
import { SignedOut, postForm } from "./refresh.js";

const PREFIX = "queue ";
/** Held by the tab that is posting; a tab that dies lets go of it. */
const LOCK = "posting";
/** A try that takes longer has failed, in milliseconds: the server's own limits are shorter. */
const TRY_LASTS = 30_000;
/** Storage of other tabs learns of a change a moment later than the lock is theirs, in milliseconds. */
const SETTLES = 200;
/** The server asks nobody to wait for longer, in milliseconds: more is a clock that was set back. */
const LONGEST_PAUSE = 10 * 60_000;
/** Above this, browsers refuse to finish a request after its page has gone (Fetch §4.5). */
const MAX_KEEPALIVE = 60 * 1024;

/**
 * How it stands with an entry: `waiting`, also after tries that failed (`why` says how); `sending`,
 * being tried or left so by a tab that died; `refused`, which waits for its person; `sent`.
 */
export class Queue {
  #account;
  #storage;
  #page;
  #post;
  /** What could not be stored: lives as long as the page. */
  #loose = new Map();
  /** The rows of what was taken, by key; 0 where the posta-server did not say. */
  #taken = new Map();
  #isRunning = false;
  #isClosed = false;
  #attempt = 0;
  #again = 0;

  /**
   * @param account whose messages they are, without a space
   * @param page `changed()`: something in the queue is another; `signedOut()`
   */
  constructor(account, page, { storage = browserStorage(), post = postForm } = {}) {
    this.#account = account;
    this.#page = page;
    this.#storage = storage;
    this.#post = post;
    globalThis.window?.addEventListener("storage", (event) => this.#elsewhere(event));
    globalThis.window?.addEventListener("online", () => this.hurry());
  }

  /** What waits, in order: everything, or what is for `peer`. */
  all(peer = null) {
    const entries = [...this.#stored(), ...this.#loose.values()].filter((entry) => entry.state !== "sent");
    entries.sort((a, b) => a.seq - b.seq || (a.key < b.key ? -1 : 1));
    return peer === null ? entries : entries.filter((entry) => entry.peer === peer);
  }

  /** Whether nothing of it would be lost with the page. */
  get isKept() {
    return this.#loose.size === 0;
  }

  /** Whether something had to be put off, and what comes after it waits. */
  get isStuck() {
    return !(globalThis.navigator?.onLine ?? true) || this.all().some(({ state, why }) => why && state !== "refused");
  }

  /** The row of a message that was taken, 0 where that is not known; undefined when it was not. */
  rowOf(key) {
    return this.#taken.get(key);
  }

  /** @param message `{peer, path, text, after}`: where it goes, and the newest row known then */
  add(message) {
    const seq = Math.max(0, ...this.all().map((entry) => entry.seq)) + 1;
    const at = new Date().toISOString();
    this.#keep({ ...message, key: crypto.randomUUID(), seq, at, state: "waiting", why: "" });
    this.#run();
  }

  /** Takes an entry out, to be changed or forgotten. It, or null when it was sent meanwhile. */
  take(key) {
    return new Promise((answer, failed) => {
      const work = async () => {
        const entry = this.#find(key) ?? null;
        if (entry) this.#remove(entry);
        answer(entry);
        if (!entry) return;
        this.#page.changed();
        // What waited behind it need not wait any more.
        this.hurry();
        // Other tabs must not send what their storage still has.
        if (globalThis.navigator?.locks) await new Promise((done) => setTimeout(done, SETTLES));
      };
      this.#alone(work).catch(failed);
    });
  }

  /** Somebody wants it tried again now. */
  async retry(key) {
    await this.#alone(() => {
      const entry = this.#find(key);
      if (entry?.state === "refused") this.#keep({ ...entry, state: "waiting", why: "" });
    });
    this.#page.changed();
    this.hurry();
  }

  /** There is hope: whatever waits is tried at once. */
  hurry() {
    clearTimeout(this.#again);
    this.#again = 0;
    this.#attempt = 0;
    this.#run();
  }

  /** Forgets everything of this account, and takes nothing any more. */
  clear() {
    this.#isClosed = true;
    clearTimeout(this.#again);
    for (const entry of this.#stored()) this.#erase(entry);
    this.#loose.clear();
  }

  /** One run at a time; what is added meanwhile is found by it. */
  async #run() {
    if (this.#isRunning || this.#again !== 0) return;
    this.#isRunning = true;
    try {
      while (!this.#isClosed && this.#next() && (await this.#alone(() => this.#tryNext())));
    } finally {
      this.#isRunning = false;
    }
  }

  #next() {
    return this.all().find((entry) => entry.state !== "refused");
  }

  /** Tries the first that waits. Whether to go on with the next one. */
  async #tryNext() {
    const entry = this.#next();
    if (!entry || this.#isClosed) return false;
    const { key, text, path, peer, notBefore = 0 } = entry;
    const early = notBefore - Date.now();
    if (early > 0 && early < LONGEST_PAUSE) {
      this.#later(early / 1000);
      return false;
    }
    this.#keep({ ...entry, state: "sending" });
    this.#page.changed();
    const keepalive = text.length * 3 < MAX_KEEPALIVE;
    const signal = AbortSignal.timeout?.(TRY_LASTS);
    try {
      const fields = { key, text, account: this.#account };
      const answer = await this.#post(path, fields, { keepalive, signal });
      this.#attempt = 0;
      this.#sent(entry, Number(answer?.headers.get("message-row") ?? 0));
      return true;
    } catch (error) {
      if (this.#isClosed) return false;
      if (error instanceof SignedOut) {
        this.#keep({ ...entry, state: "waiting" });
        this.#page.signedOut();
        return false;
      }
      const refused = isRefusal(error);
      const state = refused ? "refused" : "waiting";
      this.#keep({ ...entry, state, why: inWords(error), notBefore: pauseEnd(error) });
      if (!refused) this.#later(error.retryAfter);
      return refused;
    } finally {
      // Not before: what follows asks for the thread, which must find it there.
      if (this.#find(key) || this.#taken.has(key)) this.#page.changed(peer);
    }
  }

  #later(seconds = 0) {
    const wait = Math.max(retryAfter(this.#attempt), seconds * 1000);
    this.#attempt += 1;
    this.#again = setTimeout(() => {
      this.#again = 0;
      this.#run();
    }, wait);
  }

  #sent(entry, row) {
    this.#taken.set(entry.key, row);
    // Of what waits behind it nothing can be in the thread before this.
    for (const later of this.all(entry.peer)) {
      if (later.key !== entry.key && later.after < row) this.#keep({ ...later, after: row });
    }
    // Other tabs learn by the first of these two which row it is, and by the second that it is done.
    this.#keep({ ...entry, state: "sent", row });
    this.#remove(entry);
  }

  /** Another tab changed the queue. */
  #elsewhere({ key, newValue, storageArea }) {
    if (storageArea !== this.#storage || (key !== null && !key.startsWith(this.#prefix()))) return;
    const entry = read(newValue);
    if (entry?.state === "sent") this.#taken.set(entry.key, entry.row);
    this.#page.changed();
    // Whoever was sending may be gone: this tab stands behind it in the line for the lock.
    if (newValue) this.#run();
  }

  /** Does it while no other tab of this browser does; without locks the keys keep a message one. */
  #alone(work) {
    return globalThis.navigator?.locks ? navigator.locks.request(LOCK, work) : Promise.resolve(work());
  }

  #find(key) {
    return this.all().find((entry) => entry.key === key);
  }

  #keep(entry) {
    if (this.#isClosed) return;
    try {
      this.#storage.setItem(this.#name(entry), JSON.stringify(entry));
      this.#loose.delete(entry.key);
    } catch {
      this.#loose.set(entry.key, entry); // storage is full, or switched off
    }
  }

  #remove(entry) {
    this.#loose.delete(entry.key);
    this.#erase(entry);
  }

  #erase(entry) {
    try {
      this.#storage.removeItem(this.#name(entry));
    } catch {
      // Then it was never there.
    }
  }

  #stored() {
    if (!this.#storage) return [];
    const prefix = this.#prefix();
    const names = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    const mine = names.filter((name) => name?.startsWith(prefix));
    return mine.map((name) => read(this.#storage.getItem(name))).filter((entry) => entry !== null);
  }

  #prefix() {
    return `${PREFIX}${this.#account} `;
  }

  #name({ key }) {
    return `${this.#prefix()}${key}`;
  }
}

/** An entry from storage, or null for what is none. */
function read(text) {
  try {
    const entry = JSON.parse(text);
    const isOne = typeof entry?.key === "string" && typeof entry.text === "string" && Number.isFinite(entry.seq);
    return isOne && typeof entry.peer === "string" && entry.path?.startsWith("/c/") ? entry : null;
  } catch {
    return null;
  }
}

/** Whether trying again cannot help: the server looked at it and said no. */
function isRefusal({ status }) {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

/** Until when nobody shall try again, in whatever tab and however much they hurry; 0 for no such time. */
function pauseEnd({ status, retryAfter }) {
  return status === 429 && retryAfter > 0 ? Date.now() + retryAfter * 1000 : 0;
}

function inWords(error) {
  if (error.status === 429) return "That was a lot at once: it goes out by itself in a moment.";
  if (error.status) return error.message || "It was not taken.";
  // There was no answer at all (Fetch §5.6).
  return (globalThis.navigator?.onLine ?? true) ? "The service can't be reached." : "You are offline.";
}

function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // switched off: even looking at it throws
  }
}
