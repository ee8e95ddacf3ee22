// What one user's bad posta-server costs another user: the 99th percentile of the other's pages with
// and without it, while 40 requests of the first are always under way. Quiet and loud times take
// turns, so that whatever else this machine does is in both.
//
//   scripts/harden tarpit [PAGES]        pages read in each time, 300
import { spawn } from 'node:child_process';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { signUp } from '../bench/passkey.mjs';
import { Posta, Service, pause } from './programs.mjs';

const PAGES = Number(process.argv[2] ?? 300);
const ROUNDS = 3;
const AT_ONCE = 40;
/** How many times slower the other's pages may be at the most, and how much is nothing, in ms. */
const ALLOWED = { hang: 2, drip: 2, large: 4, flood: 4 };
const NOTHING = 10;

class Mallory {
  #child = spawn(process.execPath, [fileURLToPath(new URL('hostile.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  cookie = '';

  async start() {
    process.on('exit', () => this.#child.kill('SIGKILL'));
    const { value: port } = await this.#lines.next();
    return `posta+v1://localhost:${port}#token=mst_mallory`;
  }

  async behave(mode) {
    this.#child.stdin.write(`${mode}\n`);
    await this.#lines.next();
  }
}

const agent = new http.Agent({ keepAlive: true });
function get(port, cookie, path, signal) {
  return new Promise((resolve, reject) => {
    const headers = { cookie, accept: 'text/html' };
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent, signal }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
}

const service = await Service.start();
const { port, origin } = service;
const [posta] = await Posta.crowd('alice', 1);
const inject = Array.from({ length: 60 }, (_, n) => ({
  peer: 'https://bob.example',
  payload: { kind: 'posta.text/v1', body: `letter ${n} ${'and so on '.repeat(n % 17)}` },
}));
await posta.tell({ inject });
const alice = await signUp(origin, service.invite('Alice'), posta.pairing);
const mallory = new Mallory();
const pairing = await mallory.start();
mallory.cookie = await signUp(origin, service.invite('Mallory'), pairing);
/** Tabs of both, so that both are followed live. */
function openTab(cookie, name) {
  return new Promise((resolve) => {
    const path = `/events?tab=${name}&peer=&visible=1`;
    http.get({ host: '127.0.0.1', port, path, headers: { cookie }, agent: false }, (answer) => {
      answer.once('data', () => resolve());
      answer.on('data', () => {});
      answer.on('error', () => {});
    });
  });
}
await openTab(alice, 'alice');
await openTab(mallory.cookie, 'mallory');

const PATHS = ['/', '/c/bob.example', '/c/bob.example/messages?from=1', '/sidebar?open=', '/c/bob.example/messages?before=30'];
/** How long Alice's pages take, in ms. */
async function read() {
  const times = [];
  for (let n = 0; n < PAGES; n += 1) {
    const began = performance.now();
    const status = await get(port, alice, PATHS[n % PATHS.length]);
    if (status !== 200) throw new Error(`Alice gets ${status}`);
    times.push(performance.now() - began);
  }
  return times;
}

/** Mallory's browser asks without end, until the answer is called. */
function besiege() {
  const workerData = { port, cookie: mallory.cookie, paths: PATHS.slice(0, 4), atOnce: AT_ONCE };
  const worker = new Worker(new URL('siege.mjs', import.meta.url), { workerData });
  const ended = new Promise((resolve) => worker.on('exit', resolve));
  return () => (worker.postMessage('end'), ended);
}

const at = (times, share) => [...times].sort((a, b) => a - b)[Math.floor(times.length * share)];
let failed = false;
await read();
for (const [mode, allowed] of Object.entries(ALLOWED)) {
  const quiet = [];
  const loud = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    quiet.push(...(await read()));
    await mallory.behave(mode);
    const relieve = besiege();
    await pause(1000);
    loud.push(...(await read()));
    await relieve();
    await mallory.behave('good');
    await pause(1500);
  }
  const [before, after] = [at(quiet, 0.99), at(loud, 0.99)];
  const ratio = after / before;
  const holds = ratio <= allowed || after <= NOTHING;
  failed ||= !holds;
  console.log(
    `${holds ? 'ok  ' : 'FAIL'} ${mode}: p99 ${before.toFixed(1)} ms without, ${after.toFixed(1)} ms with: ` +
      `${ratio.toFixed(2)} times (allowed ${allowed}); p50 ${at(quiet, 0.5).toFixed(1)} and ${at(loud, 0.5).toFixed(1)} ms`,
  );
}
const { process_resident_memory_bytes: rss } = await service.metrics();
console.log(`resident at the end: ${(rss / 1048576).toFixed(1)} MiB`);
process.exit(failed ? 1 : 0);
