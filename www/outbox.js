// Messages on their way: each has its bubble at once, and gives way to the server's own without a
// flicker and without being there twice.

/** The bubbles of one thread that the server has not drawn yet. */
export class Outbox {
  #messages;
  #template;
  #entries = [];

  /**
   * @param messages `#messages`
   * @param template `#sending`, an own bubble under way, drawn by the server
   */
  constructor(messages, template) {
    this.#messages = messages;
    this.#template = template;
  }

  /** Draws the bubble of a message that is being sent. */
  add({ key, text }) {
    const bubble = this.#template.content.firstElementChild.cloneNode(true);
    const now = new Date().toISOString();
    bubble.id = `sending-${key}`;
    bubble.removeAttribute("data-row");
    bubble.dataset.at = now;
    bubble.querySelector(".words").textContent = text;
    for (const time of bubble.querySelectorAll("time")) time.dateTime = now;
    this.#entries.push({ key, text, bubble, after: this.#newestRow(this.#messages), acceptedAt: Infinity });
    this.#messages.querySelector(":scope > .hint")?.remove();
    this.#messages.append(bubble);
    return bubble;
  }

  /** The posta-server has it: what is asked for from now on holds it. */
  accept(key) {
    const entry = this.#entries.find((entry) => entry.key === key);
    if (entry) entry.acceptedAt = performance.now();
  }

  /** It was not taken. */
  drop(key) {
    this.#entries = this.#entries.filter((entry) => {
      if (entry.key === key) entry.bubble.remove();
      return entry.key !== key;
    });
  }

  /**
   * Before a new drawing goes in: a bubble that the server draws now takes its name, so that the
   * morph changes it into that one; a bubble that it cannot know yet is added.
   *
   * @param incoming the `#messages` about to be morphed in
   * @param askedAt `performance.now()` when it was asked for
   */
  reconcile(incoming, askedAt) {
    const drawn = [...incoming.querySelectorAll(".msg.out[data-row]")];
    this.#entries = this.#entries.filter((entry) => {
      const at = drawn.findIndex((message) => isOf(message, entry));
      if (at >= 0) {
        entry.bubble.id = drawn[at].id;
        drawn.splice(at, 1);
        return false;
      }
      if (entry.acceptedAt < askedAt) return false;
      incoming.querySelector(":scope > .hint")?.remove();
      incoming.append(entry.bubble.cloneNode(true));
      return true;
    });
  }

  #newestRow(messages) {
    return Number([...messages.querySelectorAll(".msg[data-row]")].at(-1)?.dataset.row ?? 0);
  }
}

function isOf(message, { text, after }) {
  return Number(message.dataset.row) > after && message.querySelector(".words")?.textContent === text;
}
