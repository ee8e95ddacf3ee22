// A demo posta-server: one participant, with the endpoint through which a test looks inside it.
import { join } from "node:path";
import { Program, freePort, temporaryFolder } from "./process.js";

export class PostaServer {
  #program = null;
  #name;
  #options;
  #state = join(temporaryFolder(), "posta.db");
  port;

  /** @param options further command-line options */
  static async start(name, { port, options = [] } = {}) {
    const server = new PostaServer();
    server.#name = name;
    server.#options = options;
    server.port = port ?? (await freePort());
    await server.restart();
    return server;
  }

  /** The demo's four, who know each other and have weeks of history: alice, bob, room and echo. */
  static async startCast() {
    const names = ["alice", "bob", "room", "echo"];
    const ports = await Promise.all(names.map(freePort));
    const peers = names.map((name, index) => `${name}=http://localhost:${ports[index]}`).join(",");
    const options = ["--seed", "14", "--peers", peers];
    const servers = names.map((name, index) => PostaServer.start(name, { port: ports[index], options }));
    return Object.fromEntries((await Promise.all(servers)).map((server, index) => [names[index], server]));
  }

  /** What others call it: the display form of its URL. */
  get peer() {
    return `localhost:${this.port}`;
  }

  get url() {
    return `http://${this.peer}`;
  }

  async restart() {
    await this.stop();
    this.#program = new Program([
      "demo-server",
      ...["--listen", `127.0.0.1:${this.port}`, "--state", this.#state],
      ...["--name", this.#name, "--retry", "300ms", "--heartbeat", "500ms", "--admin"],
      ...this.#options,
    ]);
    await this.#program.until(() => this.report(), `the posta-server of ${this.#name} starts`);
  }

  /** As in a power cut, so that nobody is told. */
  async stop(signal = "SIGKILL") {
    await this.#program?.stop(signal);
    this.#program = null;
  }

  /** Throws when it has ended by itself. */
  check() {
    this.#program?.check(`the posta-server of ${this.#name}`);
  }

  /** A fresh pairing URI. */
  async pairingUri() {
    const { mintToken } = await this.tell({ mintToken: "chat" });
    return mintToken.pairing;
  }

  /** Text messages out of nowhere: `[{peer, text, at?}]`, oldest first. */
  async receive(messages) {
    const inject = messages.map(({ peer, text, payload, at }) => ({
      peer: `${peer.startsWith("localhost:") ? "http" : "https"}://${peer}`,
      payload: payload ?? { kind: "posta.text/v1", body: text },
      ...(at && { at }),
    }));
    return (await this.tell({ inject })).inject;
  }

  /** Steps of the test endpoint, such as `{latencyMs: 500}`. */
  async tell(steps) {
    return this.#test({ method: "POST", body: JSON.stringify(steps) });
  }

  /** All messages with `peer`, as the participant's own client would read them, oldest first. */
  async messages(peer) {
    const { mintToken } = await this.tell({ mintToken: "look" });
    const messages = [];
    for (let before = ""; ; before = `&before=${messages[0].rowId}`) {
      const query = `peer=${encodeURIComponent(peer)}&limit=100${before}`;
      const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/messages?${query}`, {
        headers: { authorization: `Bearer ${mintToken.token}`, host: this.peer },
      });
      const page = await response.json();
      if (!response.ok) throw new Error(`${this.#name}: ${JSON.stringify(page)}`);
      messages.unshift(...page.reverse());
      if (page.length < 100) return messages;
    }
  }

  /** What waits for its person to press Retry is retried, as from a phone of theirs. */
  async retryFailed(peer) {
    const { mintToken } = await this.tell({ mintToken: "phone" });
    for (const { rowId, state } of await this.messages(peer)) {
      if (state !== "failed-pending-user") continue;
      const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/messages/${rowId}/retry`, {
        method: "POST",
        headers: { authorization: `Bearer ${mintToken.token}`, host: this.peer },
      });
      if (!response.ok) throw new Error(`${this.#name}: ${response.status}`);
    }
  }

  /** How things stand: open streams, calls so far. */
  async report() {
    return this.#test({});
  }

  async #test(options) {
    const response = await fetch(`http://127.0.0.1:${this.port}/test`, options);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${this.#name}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
