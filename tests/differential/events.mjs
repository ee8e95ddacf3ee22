// Event streams, mutated, to our reader and to eventsource-parser: the same events.
//
// What differs by design, and is left out of the comparison:
// - An id stays in force for later events (WHATWG HTML §9.2.6); theirs tells the id of the event's own
//   block alone. So ids are compared where theirs has one.
// - Theirs waits after a CR for what follows, ours does not. So each stream ends in a comment.
import { spawnSync } from 'node:child_process'
import { createParser } from 'eventsource-parser'

const [program, count] = [process.argv[2], Number(process.argv[3])]

let state = 7n
/** A number below `below`, the same ones every time (Knuth's generator). */
function next(below) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
  return Number((state >> 33n) % BigInt(below))
}
const pick = (list) => list[next(list.length)]

const ENDS = ['\n', '\n', '\n', '\r\n', '\r', '\n\n', '\n\n', '\r\n\r\n']
const PIECES = ['data: a', 'data:b', 'data:  c', 'data', 'data:', 'event: x', 'event:', 'event', 'id: 1', 'id:2',
  'id', 'id:', ': comment', ':', 'retry: 250', 'retry: x', 'DATA: y', ' data: z', 'unknown: u', 'data: æ🌿: b', 'data\t: x',
  'id: 1\0', 'data: {"peer":"bob.example"}', 'event: inbound', 'data: \u2028', '\ufeffdata: q']

function stream() {
  let text = next(10) === 0 ? '\ufeff' : ''
  for (let lines = 1 + next(8); lines > 0; lines--) text += pick(PIECES) + pick(ENDS)
  return Buffer.from(text + ':\n')
}

/** The stream in pieces, cut at any byte. */
function pieces(bytes) {
  const list = []
  while (bytes.length > 0) {
    const size = next(3) === 0 ? bytes.length : 1 + next(Math.min(bytes.length, 12))
    list.push(bytes.subarray(0, size))
    bytes = bytes.subarray(size)
  }
  return list
}

function theirs(list) {
  const events = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  const decoder = new TextDecoder() // which takes the byte order mark away, as theirs expects
  for (const piece of list) parser.feed(decoder.decode(piece, { stream: true }))
  return events
}

const same = (own, other) =>
  own.data === other.data && own.event === (other.event || 'message') && (other.id === undefined || (own.id ?? '') === other.id)

let events = 0
const batch = 20_000
for (let start = 0; start < count; start += batch) {
  const cases = Array.from({ length: Math.min(batch, count - start) }, () => pieces(stream()))
  const lines = cases.map((list) => JSON.stringify(list.map((piece) => piece.toString('base64')))).join('\n') + '\n'
  const told = spawnSync(program, ['events'], { input: lines, maxBuffer: 1 << 30 })
  if (told.status !== 0) throw new Error(`verdicts: ${told.stderr}`)
  const verdicts = told.stdout.toString().trimEnd().split('\n')
  if (verdicts.length !== cases.length) throw new Error('a verdict is missing')
  cases.forEach((list, at) => {
    const [own, other] = [JSON.parse(verdicts[at]), theirs(list)]
    events += own.length
    if (own.length !== other.length || !own.every((event, i) => same(event, other[i]))) {
      const text = JSON.stringify(Buffer.concat(list).toString())
      console.error(`events: differ for ${text}\n  ours: ${verdicts[at]}\n  theirs: ${JSON.stringify(other)}`)
      process.exit(1)
    }
  })
}
if (events < count / 4) throw new Error(`only ${events} events came out of ${count} streams`)
console.log(`events: ${count} streams with ${events} events, read alike by eventsource-parser`)
