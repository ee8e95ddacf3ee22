// Somebody's browser that asks without end, in a thread of its own: what it costs to be it must not be
// measured as the service's doing.
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { port, cookie, paths, atOnce } = workerData;
const agent = new http.Agent({ keepAlive: true });

function get(path, signal) {
  return new Promise((resolve, reject) => {
    const headers = { cookie, accept: 'text/html' };
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent, signal }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
}

const siege = new AbortController();
setMaxListeners(0, siege.signal);
parentPort.once('message', () => siege.abort());
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let n = 0; !siege.signal.aborted; n += 1) {
      await get(paths[n % paths.length], siege.signal).catch(() => pause(10));
    }
  }),
);
agent.destroy();
