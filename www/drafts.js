// What is half written, kept in this browser for each conversation of each account, until it is
// sent or its person signs out.

const PREFIX = "draft ";

/** The drafts of one account. */
export class Drafts {
  #account;
  #storage;
  #isClosed = false;

  /** @param account whose drafts they are */
  constructor(account, storage = browserStorage()) {
    this.#account = account;
    this.#storage = storage;
  }

  read(peer) {
    return this.#try((storage) => storage.getItem(this.#name(peer))) ?? "";
  }

  /** Whether it is kept now; storage may be full, or switched off. */
  write(peer, text) {
    return this.#try((storage) => {
      if (text === "") storage.removeItem(this.#name(peer));
      else storage.setItem(this.#name(peer), text);
      return true;
    }) ?? text === "";
  }

  /** Calls `changed(text)` when another tab changes the draft for `peer`, until `signal` says stop. */
  watch(peer, changed, signal) {
    const listener = ({ key, newValue, storageArea }) => {
      if (storageArea === this.#storage && key === this.#name(peer)) changed(newValue ?? "");
    };
    globalThis.window?.addEventListener("storage", listener, { signal });
  }

  /** Forgets every draft of the account, and keeps none any more. */
  clear() {
    this.#try((storage) => {
      const mine = this.#name("");
      const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
      for (const name of names) if (name.startsWith(mine)) storage.removeItem(name);
    });
    this.#isClosed = true;
  }

  // Neither part can hold a space.
  #name(peer) {
    return `${PREFIX}${this.#account} ${peer}`;
  }

  #try(action) {
    if (this.#isClosed || !this.#storage) return undefined;
    try {
      return action(this.#storage);
    } catch {
      return undefined;
    }
  }
}

function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // switched off: even looking at it throws
  }
}
