// Pictures that were chosen and are not sent yet, by conversation: they stay while one looks at
// others, and go one after another, each when its person says so.
import { MAX_BYTES, Unusable, prepare, shrink } from "./picture.js";

const MAX_NAME = 100;

/**
 * One of them: `reading`, `ready`, `large` (may be made smaller), `unusable` or `sending`; `why`
 * says what went wrong, `picture` is what `prepare` answers, `sent` how much of it is on its way.
 */
export class Pictures {
  #account;
  #page;
  #waiting = new Map();

  /** @param page `changed(peer)`, `sent(peer)`, `signedOut()` */
  constructor(account, page) {
    this.#account = account;
    this.#page = page;
  }

  /** What is shown of `peer`: the first of those that wait, and how many come after it. */
  first(peer) {
    const [item = null, ...more] = this.#waiting.get(peer) ?? [];
    return { item, more: more.length };
  }

  /** Whether nothing of it would be lost with the page. */
  get isKept() {
    return this.#all().length === 0;
  }

  clear() {
    for (const item of this.#all()) item.request?.abort();
    this.#waiting.clear();
  }

  /** @param path where pictures for `peer` go */
  add(peer, path, files) {
    const items = [...files].map((file) => {
      const name = file.name || "picture";
      return { key: crypto.randomUUID(), path, file, name, alt: "", state: "reading", why: "", sent: 0 };
    });
    this.#waiting.set(peer, [...(this.#waiting.get(peer) ?? []), ...items]);
    this.#read(peer);
  }

  discard(peer) {
    const [first, ...rest] = this.#waiting.get(peer) ?? [];
    first?.request?.abort();
    first?.picture?.bitmap.close();
    this.#waiting.set(peer, rest);
    if (rest.length === 0) this.#waiting.delete(peer);
    this.#read(peer);
  }

  cancel(peer) {
    this.first(peer).item?.request?.abort();
  }

  async makeSmaller(peer) {
    const { item } = this.first(peer);
    if (item?.state !== "large") return;
    await this.#prepare(peer, item, () => shrink(item.picture));
  }

  send(peer) {
    const { item } = this.first(peer);
    if (item?.state !== "ready") return;
    const { blob } = item.picture;
    const name = endingOf(item.name, blob.type);
    const query = new URLSearchParams({ key: item.key, name, alt: item.alt, account: this.#account });
    const request = new XMLHttpRequest();
    const tell = (changes) => this.#tell(peer, Object.assign(item, changes));
    const failed = (why) => tell({ state: "ready", why, request: null });
    request.open("POST", `${item.path}?${query}`);
    request.setRequestHeader("content-type", blob.type);
    request.upload.onprogress = ({ loaded, total }) => tell({ sent: total > 0 ? loaded / total : 0 });
    request.onabort = () => failed("");
    request.onerror = () =>
      failed(navigator.onLine ? "Not sent: the service can't be reached." : "Not sent: you are offline.");
    request.onload = () => {
      item.request = null;
      if (request.status === 401) {
        failed("Not sent: you are signed out.");
        this.#page.signedOut();
      } else if (request.status >= 400) {
        failed(`Not sent. ${request.responseText.trim().slice(0, 300)}`);
      } else {
        this.discard(peer);
        this.#page.sent(peer);
      }
    };
    request.onloadend = () => removeEventListener("beforeunload", ask);
    addEventListener("beforeunload", ask);
    tell({ state: "sending", why: "", sent: 0, request });
    request.send(blob);
  }

  #all() {
    return [...this.#waiting.values()].flat();
  }

  /** Makes the first one ready; the others wait as files. */
  #read(peer) {
    const { item } = this.first(peer);
    this.#tell(peer, item);
    if (item?.state === "reading") this.#prepare(peer, item, () => prepare(item.file));
  }

  async #prepare(peer, item, work) {
    Object.assign(item, { state: "reading", why: "" });
    this.#tell(peer, item);
    try {
      item.picture = await work();
      item.state = item.picture.blob.size > MAX_BYTES ? "large" : "ready";
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      Object.assign(item, { state: "unusable", why: error.message });
    }
    this.#tell(peer, item);
  }

  #tell(peer, item) {
    if (this.first(peer).item === item) this.#page.changed(peer);
  }
}

/** Whoever is about to leave the page while it sends is asked. */
function ask(event) {
  event.preventDefault();
}

/** A file's name, with the ending of what became of it. */
function endingOf(name, type) {
  const stem = name.slice(0, MAX_NAME).replace(/\.[^.]*$/, "");
  if (type === "image/png") return `${stem}.png`;
  return /\.jpe?g$/i.test(name) && name.length <= MAX_NAME ? name : `${stem}.jpg`;
}
