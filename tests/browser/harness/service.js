// chat-posta itself, with a database of its own.
import { join } from "node:path";
import { Program, freePort, run, temporaryFolder } from "./process.js";

export class Service {
  #program = null;
  #options;
  port;
  db = join(temporaryFolder(), "state.db");

  /** @param options further command-line options, such as `["--session-idle", "2s"]` */
  static async start(...options) {
    const service = new Service();
    service.#options = options;
    service.port = await freePort();
    await service.restart();
    return service;
  }

  /** `http://localhost:…`: the one name without https for which browsers make passkeys. */
  get url() {
    return `http://localhost:${this.port}`;
  }

  /** Throws when it has ended by itself. */
  check() {
    this.#program?.check("chat-posta");
  }

  async restart() {
    await this.stop();
    this.#program = new Program([
      "serve",
      ...["--listen", `127.0.0.1:${this.port}`, "--base-url", this.url, "--db", this.db],
      ...["--allow-private-upstreams", "--log", "info"],
      ...this.#options,
    ]);
    const healthy = async () => (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok;
    await this.#program.until(healthy, "chat-posta starts");
  }

  async stop(signal) {
    await this.#program?.stop(signal);
    this.#program = null;
  }

  /** A fresh registration link. */
  async invite(name, ...options) {
    const { url } = JSON.parse(await this.admin("invite", "create", "--name", name, ...options, "--json"));
    return url;
  }

  async users() {
    return JSON.parse(await this.admin("user", "list", "--json"));
  }

  /** A command on the host; the options after the first two words. */
  admin(noun, verb, ...options) {
    const base = noun === "invite" && verb === "create" ? ["--base-url", this.url] : [];
    return run([noun, verb, ...options, "--db", this.db, ...base]);
  }
}
