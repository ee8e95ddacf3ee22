// The bubbles of what waits in the queue: each is there at once, and gives way to the server's own
// without a flicker and without being there twice.

/** The bubbles of one thread that the server has not drawn yet. */
export class Outbox {
  #section;
  #queue;
  #peer;
  #dress;
  /** What was in the queue the last time, by key. */
  #known = new Map();
  /** Taken by the server, and not drawn yet. */
  #going = [];
  /** Drawn by the server while its answer was still on the way: rows by key. */
  #drawn = new Map();

  /**
   * @param section `#thread`, with `#sending`, an own bubble under way, and `#unsent`, what stands
   *   under one that could not be sent
   * @param options `queue`, `peer`, `dress(bubble)`: makes a new one this reader's
   */
  constructor(section, { queue, peer, dress }) {
    this.#section = section;
    this.#queue = queue;
    this.#peer = peer;
    this.#dress = dress;
  }

  /** Shows what is in the queue now. Whether something left it. */
  sync() {
    const entries = this.#queue.all(this.#peer);
    const keys = new Set(entries.map((entry) => entry.key));
    const left = [...this.#known.values()].filter((entry) => !keys.has(entry.key));
    for (const entry of left) this.#left(entry);
    this.#known = new Map(entries.map((entry) => [entry.key, entry]));
    const messages = this.#section.querySelector("#messages");
    for (const entry of entries) {
      if (this.#drawn.has(entry.key)) continue;
      const bubble = this.#bubble(entry.key);
      if (bubble) this.#describe(bubble, entry);
      else this.#put(messages, entry);
    }
    return left.length > 0;
  }

  /**
   * Before a new drawing goes in: a bubble that the server draws now takes its name, so that the
   * morph changes it into that one; a bubble that it cannot know yet is added.
   *
   * @param incoming the `#messages` about to be morphed in
   * @param askedAt `performance.now()` when it was asked for
   */
  reconcile(incoming, askedAt) {
    const own = [...incoming.querySelectorAll(".msg.out[data-row]")];
    const newest = Number([...incoming.querySelectorAll(".msg[data-row]")].at(-1)?.dataset.row ?? 0);
    const claimed = new Set(this.#drawn.values());
    const free = own.filter((message) => !claimed.has(Number(message.dataset.row)));
    this.#going = this.#going.filter((entry) => {
      if (this.#become(entry, free)) return false;
      if (entry.row ? entry.row <= newest : entry.acceptedAt < askedAt) return false;
      this.#put(incoming, entry);
      return true;
    });
    for (const entry of this.#known.values()) {
      if (this.#drawn.has(entry.key)) continue;
      // The server may have it, and its answer be on the way or lost.
      const mayBeThere = entry.state === "sending" || (entry.state === "waiting" && entry.why !== "");
      const row = mayBeThere ? this.#become(entry, free) : 0;
      if (row) this.#drawn.set(entry.key, row);
      else this.#put(incoming, entry);
    }
  }

  /** The message among `free` that is this one: its row, and it is not free any more; or 0. */
  #become(entry, free) {
    const at = free.findIndex((message) => isOf(message, entry));
    if (at < 0) return 0;
    const [message] = free.splice(at, 1);
    const bubble = this.#bubble(entry.key);
    if (bubble) bubble.id = message.id;
    return Number(message.dataset.row);
  }

  /** It is in the queue no more: taken by the server, or by its person. */
  #left(entry) {
    const row = this.#queue.rowOf(entry.key);
    const drawn = this.#drawn.get(entry.key);
    this.#drawn.delete(entry.key);
    if (row === undefined) this.#bubble(entry.key)?.remove();
    else if (!drawn || (row && row !== drawn)) {
      const going = { ...entry, why: "", row, acceptedAt: performance.now() };
      this.#going.push(going);
      // The event may have been faster than the answer.
      const there = row && this.#section.querySelector(`#msg-${row}`);
      const bubble = this.#bubble(entry.key);
      if (there) {
        bubble?.remove();
        this.#going.pop();
      } else if (bubble) this.#describe(bubble, going);
    }
  }

  #put(messages, entry) {
    const template = this.#section.querySelector("template#sending");
    const bubble = template.content.firstElementChild.cloneNode(true);
    bubble.id = `sending-${entry.key}`;
    bubble.removeAttribute("data-row");
    bubble.dataset.at = entry.at;
    bubble.dataset.unsent = entry.key;
    bubble.querySelector(".words").textContent = entry.text;
    for (const time of bubble.querySelectorAll("time")) time.dateTime = entry.at;
    this.#describe(bubble, entry);
    this.#dress(bubble);
    messages.querySelector(":scope > .hint")?.remove();
    messages.append(bubble);
  }

  /** Why it is still here, and what one can do about it. */
  #describe(bubble, { state, why, row }) {
    const waits = row === undefined && (state === "refused" || why !== "" || this.#queue.isStuck);
    bubble.classList.toggle("unsent", waits);
    let trouble = bubble.querySelector(".trouble");
    if (!waits) return trouble?.remove();
    if (!trouble) {
      trouble = this.#section.querySelector("template#unsent").content.firstElementChild.cloneNode(true);
      bubble.append(trouble);
    }
    trouble.classList.toggle("calm", state !== "refused");
    const said = state === "refused" ? `Not sent. ${why}` : why ? `Not sent yet. ${why}` : "Waits to be sent.";
    // What only waits behind another one is not tried before that.
    trouble.querySelector("[value=retry]").hidden = why === "";
    const words = trouble.querySelector("p");
    if (words.textContent !== said) words.textContent = said;
  }

  #bubble(key) {
    return this.#section.querySelector(`#sending-${key}`);
  }
}

function isOf(message, { text, after, row }) {
  const its = Number(message.dataset.row);
  if (row) return its === row;
  return its > after && message.querySelector(".words")?.textContent === text;
}
