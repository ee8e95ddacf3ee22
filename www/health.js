// The banner about what is away: the person's posta-server, or the connection to this service.

/** A connection that is back sooner than this was never away, in milliseconds. */
const PATIENCE = 3000;

export class Health {
  #banner = document.getElementById("health");
  #server = this.#banner.dataset.state;
  #timer = 0;

  /** What the server says of the posta-server: `ok`, `unreachable` or `refused`. */
  set server(state) {
    if (state === "unreachable" && this.#server !== state) this.#lastContact();
    this.#server = state;
    if (this.#banner.dataset.state !== "offline") this.#banner.dataset.state = state;
  }

  connected() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#banner.dataset.state = this.#server;
  }

  lost() {
    const show = () => (this.#banner.dataset.state = "offline");
    if (!navigator.onLine) show();
    else this.#timer ||= setTimeout(show, PATIENCE);
  }

  /** It was there until just now; the server writes the same words when it draws the page. */
  #lastContact() {
    const words = this.#banner.querySelector(".when-unreachable");
    let place = words.querySelector(".last-contact");
    if (!place) {
      place = document.createElement("span");
      place.className = "last-contact";
      words.append(place);
    }
    const time = document.createElement("time");
    time.dateTime = new Date().toISOString();
    time.dataset.local = "full";
    time.textContent = time.dateTime;
    place.replaceChildren(" Last contact: ", time, ".");
  }
}
