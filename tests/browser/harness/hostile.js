// A posta-server that wishes its own person ill: it says in every field what a page should never
// believe. It is also a peer, with an actor doc and pictures that are none.
import { createServer } from "node:http";
import { ADDRESSES, PAYLOADS } from "./payloads.js";

/** What each peer writes: every payload in one field, where a message has several. */
export const THREADS = Object.freeze({
  texts: "p1.example",
  kinds: "p2.example",
  failures: "p3.example",
  links: "p4.example",
  addresses: "p5.example",
  pictures: "p6.example",
  files: "p7.example",
  rooms: "p8.example",
});

export class HostileServer {
  #server;
  #streams = new Set();
  /** What it calls its person, and everything else that is said once. */
  words = PAYLOADS[0];
  /** Whether whatever would change something is refused, in these words. */
  refuses = false;
  port;

  static async start() {
    const hostile = new HostileServer();
    hostile.#server = createServer((request, response) => hostile.#answer(request, response));
    await new Promise((listening) => hostile.#server.listen(0, "127.0.0.1", listening));
    hostile.port = hostile.#server.address().port;
    return hostile;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((stopped) => this.#server.close(stopped));
  }

  check() {}

  get peer() {
    return `localhost:${this.port}`;
  }

  get #url() {
    return `http://${this.peer}`;
  }

  get pairingUri() {
    return `posta+v1://${this.peer}#token=mst_hostile`;
  }

  get setupLink() {
    return `${this.#url}/setup#invite=pinv_hostile`;
  }

  /** An event to whoever listens. */
  event(name, data, id = "") {
    for (const stream of this.#streams) stream.write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** How many listen. */
  get listeners() {
    return this.#streams.size;
  }

  #answer(request, response) {
    const url = new URL(request.url, "http://hostile");
    const json = (status, value) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    const key = `${request.method} ${url.pathname}`;
    if (request.method !== "GET") {
      request.resume();
      if (this.refuses && !url.pathname.endsWith("/redeem")) {
        return json(422, { error: this.words, message: this.words });
      }
    }
    switch (key) {
      case "GET /api/v1/identity":
        return json(200, { url: this.#url, name: this.words, avatar: ADDRESSES[12], bio: this.words });
      case "GET /api/v1/contacts":
        return json(200, this.#contacts());
      case "GET /api/v1/messages":
      case "GET /api/v1/search":
        return json(200, this.#messages(url.searchParams));
      case "POST /api/v1/messages":
        return json(202, { rowId: `9${this.words}`, id: this.words, state: this.words });
      case "POST /api/v1/uploads":
        return json(200, { url: "javascript:alert(1)" });
      case "GET /api/v1/invite/info":
        return json(200, { identity: this.#url, deviceName: this.words, expiresAt: "2099-01-01T00:00:00Z" });
      case "POST /api/v1/invite/redeem":
        return json(200, { token: "mst_hostile", identity: this.#url, deviceName: this.words });
      case "GET /api/v1/events":
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`id: ${this.words}\nevent: ready\ndata: ${this.words}\n\n`);
        this.#streams.add(response);
        return response.on("close", () => this.#streams.delete(response));
      default:
        if (request.method !== "GET") return response.writeHead(204).end();
        return this.#asPeer(url.pathname, response, json);
    }
  }

  #contacts() {
    return PAYLOADS.map((words, index) => ({
      url: `p${index}.example`,
      name: words,
      kind: words,
      avatar: ADDRESSES[index % ADDRESSES.length],
      lastMessageAt: new Date(Date.now() - index * 60_000).toISOString(),
      lastReadRowId: 0,
      unreadCount: index,
    }));
  }

  /** A page of a thread, each of another sort; of all of them for a search. */
  #messages(query) {
    const peer = query.get("peer");
    const sort = Object.keys(THREADS).find((name) => THREADS[name] === peer) ?? "texts";
    const before = Number(query.get("before") ?? Infinity);
    const all = this.#payloads(sort).map((message, index) => ({
      ...{ rowId: 1000 - index, id: this.words, peer: peer ?? `p${index + 1}.example`, direction: "inbound" },
      createdAt: new Date(Date.now() - index * 150_000).toISOString(),
      ...message,
    }));
    return all.filter(({ rowId }) => rowId < before).slice(0, Number(query.get("limit") ?? 50));
  }

  #payloads(sort) {
    switch (sort) {
      case "kinds":
        return PAYLOADS.map((words) => ({ payload: { kind: words, body: words } }));
      case "failures":
        return PAYLOADS.map((words) => ({
          ...{ direction: "outbound", state: "failed-pending-user", lastErrorCode: words },
          payload: { kind: "posta.text/v1", body: words },
        }));
      case "links":
        return PAYLOADS.map((words, index) => ({
          payload: { kind: "posta.link/v1", url: `https://a.example/${index}`, name: words, mediaType: words },
        }));
      case "addresses":
        return ADDRESSES.map((url) => ({ payload: { kind: "posta.link/v1", url, name: url } }));
      case "pictures":
        return PAYLOADS.map((words, index) => ({
          payload: { image: { url: `${this.#url}/${index}.png`, name: words, alt: words, mediaType: "image/png", size: words } },
        }));
      case "files":
        return Object.keys(FILES).map((file) => ({
          payload: { image: { url: this.#url + file, alt: file, mediaType: "image/png" } },
        }));
      case "rooms":
        return PAYLOADS.map((words, index) => {
          const from = `https://p${index}.example/${encodeURIComponent(words)}`;
          const envelope = { from, payload: { kind: "posta.text/v1", body: words } };
          const envelopeBytes = Buffer.from(JSON.stringify(envelope)).toString("base64");
          return { payload: { kind: "posta.room/v1", action: "broadcast", envelopeBytes, signature: words } };
        });
      default:
        return PAYLOADS.map((words) => ({ payload: { kind: "posta.text/v1", body: words } }));
    }
  }

  #asPeer(path, response, json) {
    const file = FILES[path];
    if (file) return response.writeHead(200, file[0]).end(file[1]);
    const actor = /^\/actor\/(\d+)$/.exec(path);
    if (!actor) return response.writeHead(404).end();
    const words = PAYLOADS[actor[1]];
    return json(200, { url: words, name: words, kind: words, avatar: ADDRESSES[actor[1] % ADDRESSES.length], keys: words });
  }
}


const SCRIPT = "<script>window.pwned=1;alert(1)</script>";
/** Pictures that are none, and one that is two things. */
export const FILES = Object.freeze({
  "/evil.svg": [{ "content-type": "image/svg+xml" }, `<svg xmlns="http://www.w3.org/2000/svg">${SCRIPT}</svg>`],
  "/evil.png": [{ "content-type": "text/html" }, SCRIPT],
  "/evil.gif": [{ "content-type": "text/html; charset=utf-8" }, `GIF89a${SCRIPT}`],
});
