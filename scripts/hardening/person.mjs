// One simulated user: signs in with a software passkey, opens and closes tabs, reads, writes, sends
// pictures, searches, leaves. What a tab is told it re-reads, as the page's script would.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Passkey, signIn, signUp } from '../bench/passkey.mjs';
import { pause } from './programs.mjs';

/** A request that takes longer than any deadline of the service, in milliseconds. */
const LATE = 60_000;
/** Tries of one message before it counts as lost; a troubled posta-server is back long before. */
const TRIES = 60;
/** A picture of 1 by 1 pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Exponentially distributed, as arrivals of people are; `mean` and the answer in milliseconds. */
export const around = (mean) => -Math.log(1 - Math.random()) * mean;
const oneOf = (list) => list[Math.floor(Math.random() * list.length)];

export class Person {
  #world;
  #agent = null;
  #cookie = '';
  #passkey = null;
  #tabs = new Set();
  #isOver = false;
  index;
  posta;
  /** The posta-servers of those this person writes to. */
  peers = [];
  /** Until then the script itself is the reason of what fails. */
  troubledUntil = 0;

  /** @param world `{service, tally, ledger, isTroubled(person)}` */
  constructor(world, index, posta) {
    this.#world = world;
    this.index = index;
    this.posta = posta;
  }

  get name() {
    return this.posta.name;
  }

  get tabs() {
    return this.#tabs.size;
  }

  get isSignedIn() {
    return this.#cookie !== '';
  }

  /** Each person has an address of their own, as a proxy in front would say. */
  get #address() {
    return { 'x-forwarded-for': `10.77.${this.index >> 8}.${this.index & 255}` };
  }

  async join() {
    const { origin } = this.#world.service;
    this.#passkey = new Passkey(origin);
    const invite = this.#world.service.invite(this.name);
    const pairing = (await this.posta.tell({ mintToken: 'chat' })).mintToken.pairing;
    this.#begin(await signUp(origin, invite, pairing, this.#passkey, this.#address));
  }

  async #return() {
    this.#begin(await signIn(this.#world.service.origin, this.#passkey, this.#address));
  }

  #begin(cookie) {
    this.#cookie = cookie;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: 6, timeout: LATE });
  }

  /** Tabs and connections are gone at once, as when a lid is closed. */
  #leave() {
    for (const tab of this.#tabs) tab.close();
    this.#agent?.destroy();
    this.#agent = null;
    this.#cookie = '';
  }

  /** Lives until `end()`. `pace`: the mean time between two things done, in milliseconds. */
  async live(pace) {
    await this.#rest(around(pace));
    while (!this.#isOver) {
      try {
        if (!this.isSignedIn) await this.#return();
        const leaves = Date.now() + around(pace * 24);
        while (!this.#isOver && this.isSignedIn && Date.now() < leaves) {
          await this.#act();
          await this.#rest(around(pace));
        }
        if (this.isSignedIn) await this.#signOut();
        await this.#rest(around(pace / 2));
      } catch (error) {
        this.#complain(`${error.message}`);
        await this.#rest(1000);
      }
    }
  }

  async end() {
    this.#isOver = true;
    this.wake?.();
    if (this.isSignedIn) await this.#signOut().catch((error) => this.#complain(error.message));
    this.#leave();
  }

  /** The operator deleted the account: what fails from now on is known, and one joins anew. */
  async rejoin() {
    this.troubledUntil = Date.now() + 30_000;
    this.#world.service.deleteUser(this.name);
    this.#leave();
    await this.join();
  }

  async #rest(ms) {
    if (this.#isOver) return;
    await new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.wake = () => (clearTimeout(timer), done());
    });
  }

  #act() {
    const dice = Math.random();
    const peer = oneOf(this.peers);
    if (dice < 0.2) return this.#open(peer);
    if (dice < 0.3) return this.#close();
    if (dice < 0.6) return this.#write(peer);
    if (dice < 0.65) return this.#picture(peer);
    if (dice < 0.75) return this.#read(peer);
    if (dice < 0.8) return this.#get(`/search?q=${oneOf(['letter', 'nothing', 'user1'])}`);
    if (dice < 0.84) return this.#get('/settings');
    if (dice < 0.88) return this.#get(`/new/preview?url=${encodeURIComponent(oneOf(this.peers).url)}`);
    if (dice < 0.9) return this.#hangUp();
    return oneOf([...this.#tabs])?.look() ?? this.#open(peer);
  }

  async #open(peer) {
    const tab = new Tab(this, Math.random() < 0.2 ? '' : peer.peer);
    this.#tabs.add(tab);
    await tab.open();
    if (this.#tabs.size > 3) this.#close();
  }

  #close() {
    oneOf([...this.#tabs])?.close();
  }

  /** What a closed tab's stream leaves behind: nothing. */
  forget(tab) {
    this.#tabs.delete(tab);
  }

  async #write(peer) {
    const text = `letter ${randomUUID()} from ${this.name}`;
    await this.#deliver(peer, text, (key) =>
      this.#post(`/c/${encodeURIComponent(peer.peer)}/messages`, new URLSearchParams({ text, key }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      }),
    );
  }

  async #picture(peer) {
    const alt = `picture ${randomUUID()}`;
    await this.#deliver(peer, alt, (key) =>
      this.#post(
        `/c/${encodeURIComponent(peer.peer)}/images?${new URLSearchParams({ key, name: 'dot.png', alt })}`,
        PIXEL,
        { 'content-type': 'image/png' },
      ),
    );
  }

  /** Tries with one and the same key until it is taken, as the page's queue does. */
  async #deliver(peer, text, attempt) {
    const key = randomUUID();
    this.#world.ledger.write(this, peer, text);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const answer = await attempt(key).catch((error) => ({ status: 0, body: error.message }));
      if (answer.status === 204) return this.#world.ledger.taken(text);
      const passes = [0, 401, 502, 503].includes(answer.status) && this.#world.isTroubled(this);
      if (!passes) return this.#complain(`sending: ${answer.status} ${answer.body.slice(0, 200)}`);
      await pause(1000);
      if (answer.status === 401) return; // the account was deleted; the message was never taken
      if (this.#isOver || !this.isSignedIn) return;
    }
    this.#complain(`a message was not taken in ${TRIES} tries`);
  }

  async #read(peer) {
    const base = `/c/${encodeURIComponent(peer.peer)}`;
    const { body } = await this.#get(base);
    const rows = [...body.matchAll(/data-row="(\d+)"/g)].map((match) => Number(match[1]));
    if (rows.length > 0) await this.#get(`${base}/messages?before=${rows[0]}`);
    const media = /src="(\/media\/[^"]+)"/.exec(body);
    if (media) await this.get(media[1].replaceAll('&amp;', '&'));
  }

  /** A request whose client goes before the answer. */
  async #hangUp() {
    const { port } = this.#world.service;
    const headers = { cookie: this.#cookie, ...this.#address };
    const request = http.get({ host: '127.0.0.1', port, path: '/', headers, agent: false });
    request.on('error', () => {});
    await pause(Math.random() * 5);
    request.destroy();
  }

  async #signOut() {
    const answer = await this.#post('/logout', '');
    if (answer.status !== 303 && !this.#world.isTroubled(this)) this.#complain(`signing out: ${answer.status}`);
    this.#leave();
  }

  async #get(path) {
    const answer = await this.get(path);
    const gone = [401, 303].includes(answer.status);
    const away = [502, 503].includes(answer.status);
    if (answer.status === 200 || ((gone || away) && this.#world.isTroubled(this))) return answer;
    this.#complain(`GET ${path}: ${answer.status} ${answer.body.slice(0, 200)}`);
    return answer;
  }

  get(path) {
    return this.#ask('GET', path);
  }

  #post(path, body, fields = {}) {
    const { origin } = this.#world.service;
    return this.#ask('POST', path, { origin, 'sec-fetch-site': 'same-origin', ...fields }, body);
  }

  /** Posts what a tab shows. */
  async show(fields) {
    const form = new URLSearchParams(fields).toString();
    const answer = await this.#post('/events/view', form, { 'content-type': 'application/x-www-form-urlencoded' });
    if (answer.status !== 204 && this.isSignedIn && !this.#world.isTroubled(this)) {
      this.#complain(`telling what a tab shows: ${answer.status}`);
    }
  }

  /** Once more when a kept connection had just been closed, as browsers do. */
  async #ask(method, path, fields = {}, body = '', again = true) {
    const began = performance.now();
    const { port } = this.#world.service;
    const headers = { cookie: this.#cookie, accept: '*/*', ...this.#address, ...fields };
    if (method === 'POST') headers['content-length'] = Buffer.byteLength(body);
    const options = { host: '127.0.0.1', port, method, path, headers, agent: this.#agent ?? false, timeout: LATE };
    const request = http.request(options);
    try {
      return await new Promise((resolve, reject) => {
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error(`no answer within ${LATE} ms`)));
        request.on('response', (answer) => {
          const pieces = [];
          answer.on('data', (piece) => pieces.push(piece));
          answer.on('error', reject);
          answer.on('end', () => {
            this.#world.tally.answered(performance.now() - began);
            const text = Buffer.concat(pieces).toString();
            resolve({ status: answer.statusCode, headers: answer.headers, body: text });
          });
        });
        request.end(body);
      });
    } catch (error) {
      if (again && request.reusedSocket && error.code === 'ECONNRESET') {
        return this.#ask(method, path, fields, body, false);
      }
      throw error;
    }
  }

  stream(path, answered, ended) {
    const { port } = this.#world.service;
    const headers = { cookie: this.#cookie, ...this.#address };
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false }, answered);
    request.on('error', ended);
    return request;
  }

  #complain(what) {
    this.complain(what);
  }

  complain(what) {
    if (this.#isOver || this.#world.isTroubled(this)) this.#world.tally.caused(`${this.name}: ${what}`);
    else this.#world.tally.unexpected(`${this.name}: ${what}`);
  }
}

/** A page with its event stream. */
class Tab {
  #person;
  #peer;
  #id = randomUUID();
  #request = null;
  #oldest = 0;
  #isVisible = true;
  #isClosed = false;
  #running = null;
  #again = false;

  constructor(person, peer) {
    this.#person = person;
    this.#peer = peer;
  }

  get #base() {
    return `/c/${encodeURIComponent(this.#peer)}`;
  }

  async open() {
    const { status, body } = await this.#person.get(this.#peer ? this.#base : '/');
    if (status !== 200) {
      this.#person.complain(`opening a tab: ${status}`);
      return this.close();
    }
    this.#oldest = Number(/data-row="(\d+)"/.exec(body)?.[1] ?? 0);
    this.#follow();
  }

  #follow() {
    if (this.#isClosed) return;
    const query = new URLSearchParams({ tab: this.#id, peer: this.#peer, visible: this.#isVisible ? '1' : '0' });
    let said = '';
    const ended = () => {
      if (!this.#isClosed) setTimeout(() => this.#follow(), 500 + Math.random() * 2000);
    };
    this.#request = this.#person.stream(
      `/events?${query}`,
      (answer) => {
        if (answer.statusCode !== 200) {
          this.#person.complain(`an event stream: ${answer.statusCode}`);
          return this.close();
        }
        answer.on('data', (data) => {
          said += data;
          const events = said.split('\n\n');
          said = events.pop();
          for (const event of events) this.#heard(/event: (\S+)/.exec(event)?.[1], event);
        });
        answer.on('error', () => {});
        answer.on('close', ended);
      },
      ended,
    );
  }

  #heard(name, event) {
    if (name === 'signed-out') return this.close();
    if (['hello', 'ping', 'health', 'session-ending'].includes(name)) return;
    this.#draw(name !== 'thread-updated' || (this.#peer !== '' && event.includes(JSON.stringify(this.#peer))));
  }

  /** One re-reading at a time, and one more when asked meanwhile. */
  async #draw(thread) {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    do {
      this.#again = false;
      try {
        const peer = encodeURIComponent(this.#peer);
        await this.#expect(`/sidebar?open=${peer}`);
        if (thread && this.#peer) await this.#expect(`${this.#base}/messages?from=${this.#oldest}`);
      } catch (error) {
        if (!this.#isClosed) this.#person.complain(`re-reading: ${error.message}`);
      }
    } while (this.#again && !this.#isClosed);
    this.#running = null;
  }

  async #expect(path) {
    if (this.#isClosed) return;
    const { status } = await this.#person.get(path);
    if (status !== 200 && !this.#isClosed) this.#person.complain(`GET ${path}: ${status}`);
  }

  /** Hidden, or shown again. */
  async look() {
    this.#isVisible = !this.#isVisible;
    const visible = this.#isVisible ? '1' : '0';
    await this.#person.show({ tab: this.#id, peer: this.#peer, visible });
  }

  close() {
    this.#isClosed = true;
    this.#request?.destroy();
    this.#person.forget(this);
  }
}
