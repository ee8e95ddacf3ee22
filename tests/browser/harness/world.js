// What most tests need: the browser, the service, and posta-servers for two people.
import { launch } from "./browser.js";
import { Person } from "./person.js";
import { PostaServer } from "./posta.js";
import { Service } from "./service.js";

export class World {
  browser;
  service;
  /** The posta-servers, by name. */
  servers = {};
  #people = [];

  /**
   * @param options `serve`: options of the service; `browser`: options of `launch`; `names`: whose
   *   empty posta-servers to start; `cast`: the demo's four with their history instead
   */
  static async build({ serve = [], browser = {}, names = ["Alice", "Bob"], cast = false } = {}) {
    const world = new World();
    try {
      world.browser = await launch(browser);
      world.service = await Service.start(...serve);
      if (cast) world.servers = await PostaServer.startCast();
      else for (const name of names) world.servers[name] = await PostaServer.start(name);
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async end() {
    await this.browser?.close();
    await this.service?.end();
    for (const server of Object.values(this.servers)) await server.stop();
  }

  /** Somebody opens a browser. */
  async visitor(options) {
    const person = await Person.arrive(this.browser, options);
    this.#people.push(person);
    return person;
  }

  /** Somebody with an account of their own, signed in. */
  async member(name, options) {
    const person = await this.visitor(options);
    await person.signUp(await this.service.invite(name), await this.servers[name].pairingUri());
    return person;
  }

  /** The address of a conversation. */
  thread(peer) {
    return `${this.service.url}/c/${encodeURIComponent(peer)}`;
  }

  /** After each test: everybody goes home, nobody's console complained, and all is still running. */
  async goHome() {
    const people = this.#people;
    this.#people = [];
    const failures = [];
    for (const person of people) await person.leave().catch((error) => failures.push(error));
    for (const program of [this.service, ...Object.values(this.servers)]) program.check();
    if (failures.length > 0) throw failures[0];
  }
}
