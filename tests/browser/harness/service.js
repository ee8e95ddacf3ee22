// chat-posta itself, with a database of its own; behind a Caddy when the whole suite is.
import { join } from "node:path";
import { Caddy, isProxied } from "./caddy.js";
import { Program, freePort, run, temporaryFolder } from "./process.js";

export class Service {
  #program = null;
  #caddy = null;
  #options;
  port;
  db = join(temporaryFolder(), "state.db");

  /** @param options further command-line options, such as `["--session-idle", "2s"]` */
  static async start(...options) {
    const service = new Service();
    service.#options = options;
    service.port = await freePort();
    if (isProxied) service.#caddy = await Caddy.start(service.port);
    await service.restart();
    return service;
  }

  /** As browsers reach it. `localhost` is the one name for which they make passkeys without https. */
  get url() {
    return this.#caddy ? `https://localhost:${this.#caddy.port}` : this.direct;
  }

  /** As this machine reaches it, with nothing in between. */
  get direct() {
    return `http://localhost:${this.port}`;
  }

  /** What it has said of late. */
  get log() {
    return this.#program?.output ?? "";
  }

  /** Throws when it has ended by itself. */
  check() {
    this.#caddy?.check();
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

  /** What stands in front stays, and answers for it. */
  async stop(signal) {
    await this.#program?.stop(signal);
    this.#program = null;
  }

  async end() {
    await this.stop();
    await this.#caddy?.stop();
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
