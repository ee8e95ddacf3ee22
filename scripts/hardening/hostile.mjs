// A posta-server of somebody who means no good, or is merely broken: a process of its own, so that
// what it costs to be it is not measured. Its first line says where it listens; each line it is sent
// is how it behaves from then on: good, hang, drip, large, flood.
import http from 'node:http';
import { createInterface } from 'node:readline';

/** As large as an answer may be without being refused at once. */
const text = 'x'.repeat(60 * 1024);
const list = (count) =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: count }, (_, n) => ({
        rowId: 1000 - n,
        peer: 'bob.example',
        direction: 'inbound',
        payload: { kind: 'posta.text/v1', body: count > 1 ? text : 'hello' },
        createdAt: '2026-05-14T12:00:00Z',
      })),
    ),
  );
/** Small values, many of them: what costs a reader most for each byte. */
const many = Buffer.from(`[${Array.from({ length: 400_000 }, () => '{"a":[1]}').join(',')}]`);
const contacts = Buffer.from(JSON.stringify([{ url: 'bob.example', name: 'Bob' }]));
const large = { messages: list(70), contacts: many };
const small = { messages: list(1), contacts };

let mode = 'good';
const streams = new Set();
const server = http.createServer((request, response) => {
  const path = request.url.split('?')[0];
  request.resume();
  if (path === '/api/v1/events' && mode !== 'hang') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: ready\ndata: {}\n\n');
    streams.add(response);
    flood(response);
    response.on('close', () => streams.delete(response));
    return;
  }
  if (mode === 'hang') return;
  const bodies = mode === 'large' ? large : small;
  const body =
    path === '/api/v1/identity'
      ? Buffer.from(JSON.stringify({ url: `http://localhost:${server.address().port}`, name: 'Mallory' }))
      : path === '/api/v1/contacts'
        ? bodies.contacts
        : path === '/api/v1/messages'
          ? bodies.messages
          : Buffer.from('{}');
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  if (mode !== 'drip') return response.end(body);
  let at = 0;
  const timer = setInterval(() => {
    if (at >= body.length || response.destroyed) return clearInterval(timer);
    response.write(body.subarray(at, at + 1));
    at += 1;
  }, 200);
});

let row = 2000;
const events = Buffer.from(
  Array.from({ length: 400 }, () => {
    row += 1;
    const data = { message: { peer: `p${row % 50}.example`, text: 'y'.repeat(1500) }, rowId: row };
    return `id: ${row}\nevent: inbound\ndata: ${JSON.stringify(data)}\n\n`;
  }).join(''),
);
/** As fast as it is read. */
function flood(stream) {
  if (mode !== 'flood' || stream.destroyed) return;
  if (stream.write(events)) setImmediate(flood, stream);
  else stream.once('drain', () => flood(stream));
}

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
createInterface({ input: process.stdin }).on('line', (line) => {
  mode = line;
  if (mode === 'flood') for (const stream of streams) flood(stream);
  console.log(`is ${mode}`);
});
process.stdin.on('end', () => process.exit());
