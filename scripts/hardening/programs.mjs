// The programs under proof: chat-posta and many demo posta-servers, each its own process, in a
// folder that goes with them.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is under proof, and what has the demo's posta-servers in it, where that is another. */
const BINARY = process.env.CHAT_POSTA;
const DEMO = process.env.CHAT_POSTA_DEMO ?? BINARY;
/** How long a program may take to start on a busy machine, in milliseconds. */
const PATIENCE = 60_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const children = new Set();
const folder = mkdtempSync(join(tmpdir(), 'chat-posta-harden-'));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** Starts the binary; `ready` is looked for in what it says on standard output. */
function start(args, log, ready) {
  const errors = openSync(log, 'a');
  const child = spawn(args[0] === 'demo-server' ? DEMO : BINARY, args, { stdio: ['ignore', 'pipe', errors] });
  closeSync(errors);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${args[0]} does not become ready`)), PATIENCE);
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      reject(new Error(`${args[0]} ended with ${signal ?? code}`));
    });
    let said = '';
    child.stdout.on('data', (data) => {
      said += data;
      const found = ready?.exec(said);
      if (!found) return;
      clearTimeout(late);
      resolve({ child, found });
    });
    if (ready) return;
    clearTimeout(late);
    resolve({ child });
  });
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** One participant's demo posta-server. */
export class Posta {
  name;
  url;
  pairing;

  /** Many in one process: each would wake its threads a hundred times a second on its own. */
  static async crowd(name, count) {
    const { child, found } = await start(
      [
        ...['demo-server', '--state', join(folder, `${name}.db`), '--name', name],
        ...['--crowd', `${count}`, '--admin', '--retry', '2s'],
      ],
      join(folder, 'posta.log'),
      new RegExp(`(?:ready .*\n){${count}}`),
    );
    child.stdout.resume();
    return found[0].trim().split('\n').map((line, index) => {
      const [, url, pairing] = /url=(\S+) pairing=(\S+)/.exec(line);
      return Object.assign(new Posta(), { name: `${name}${index}`, url, pairing });
    });
  }

  /** The display form of its address. */
  get peer() {
    return this.url.slice('http://'.length);
  }

  /** Steps of its test endpoint. */
  async tell(steps) {
    const answer = await fetch(`${this.url}/test`, { method: 'POST', body: JSON.stringify(steps) });
    if (!answer.ok) throw new Error(`${this.name}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Everything its client API has about `peer`, newest first. */
  async messages(peer) {
    const token = this.pairing.split('#token=')[1];
    const headers = { authorization: `Bearer ${token}` };
    const all = [];
    for (let before = ''; ; before = `&before=${all.at(-1).rowId}`) {
      const query = `peer=${encodeURIComponent(peer)}&limit=200${before}`;
      const answer = await fetch(`${this.url}/api/v1/messages?${query}`, { headers });
      if (!answer.ok) throw new Error(`${this.name}: ${answer.status}`);
      const page = await answer.json();
      all.push(...page);
      if (page.length < 200) return all;
    }
  }
}

/** chat-posta itself, with the operator's listener open. */
export class Service {
  #child;
  #db = join(folder, 'state.db');
  #log = join(folder, 'chat.log');
  #ops;
  port;

  static async start() {
    const service = new Service();
    service.port = await freePort();
    service.#ops = await freePort();
    const { child } = await start(
      [
        ...['serve', '--config', '/dev/null', '--db', service.#db, '--log', 'warn'],
        ...['--listen', `127.0.0.1:${service.port}`, '--base-url', service.origin],
        ...['--ops-listen', `127.0.0.1:${service.#ops}`, '--allow-private-upstreams'],
      ],
      service.#log,
    );
    service.#child = child;
    for (const since = Date.now(); ; ) {
      const healthy = await fetch(`${service.origin}/healthz`).then(({ ok }) => ok, () => false);
      if (healthy) return service;
      if (Date.now() - since > PATIENCE) throw new Error('chat-posta does not answer');
      await pause(50);
    }
  }

  get origin() {
    return `http://localhost:${this.port}`;
  }

  get isAlive() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How it ended, when it should not have; `null` while it runs. */
  get end() {
    return this.isAlive ? null : `${this.#child.signalCode ?? this.#child.exitCode}`;
  }

  /** Ends as a supervisor would end it; its exit code. */
  async stop() {
    await end(this.#child, 'SIGTERM');
    return this.#child.exitCode;
  }

  invite(name) {
    const args = ['invite', 'create', '--name', name, '--db', this.#db, '--base-url', this.origin];
    return execFileSync(BINARY, args, { encoding: 'utf8' }).trim();
  }

  deleteUser(name) {
    execFileSync(BINARY, ['user', 'delete', name, '--db', this.#db], { stdio: 'pipe' });
  }

  /** The operator's numbers, by name and labels as they stand. */
  async metrics() {
    const text = await (await fetch(`http://127.0.0.1:${this.#ops}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    const pairs = lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut))];
    });
    return Object.fromEntries(pairs);
  }

  /** The last lines of its log, and of what it said when it died. */
  lastWords() {
    return readFileSync(this.#log, 'utf8').split('\n').slice(-40).join('\n');
  }

  /** The lines of its log at a level. */
  log(level) {
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    return lines.filter((line) => line.includes(`level=${level} `));
  }
}
