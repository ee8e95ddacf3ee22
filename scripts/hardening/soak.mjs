// Mixed traffic by many simulated users for an hour: tabs open and close, people sign in and out,
// write, send pictures, search; posta-servers die, hang and come back; accounts are deleted and made
// anew. Meanwhile memory, descriptors and coroutines of chat-posta stay flat; afterwards nothing is
// left of anybody, and every message that was taken stands once on either side.
//
//   scripts/harden soak [MINUTES]
//
// SOAK_USERS (200), SOAK_PACE (mean seconds between two things one user does, 15).
import { Person, around } from './person.mjs';
import { Posta, Service, pause } from './programs.mjs';

const MINUTES = Number(process.argv[2] ?? 60);
const USERS = Number(process.env.SOAK_USERS ?? 200);
const PACE = Number(process.env.SOAK_PACE ?? 15) * 1000;
const SAMPLE = Math.min(60_000, (MINUTES * 60_000) / 20);
/** People each one writes to. */
const PEERS = 6;
/** Started at once. */
const AT_ONCE = 4;
/** How long after a trouble of the script's own making errors are its, in milliseconds. */
const AFTER = 45_000;
/** How much more the last quarter may show than the second; the first one warms up. */
const GROWTH = { rss: { share: 0.05, more: 2 }, fds: { share: 0.1, more: 20 }, coroutines: { share: 0.1, more: 20 } };

const tally = {
  answers: 0,
  took: [],
  errors: [],
  causedErrors: 0,
  answered(ms) {
    this.answers += 1;
    this.took.push(ms);
  },
  unexpected(what) {
    this.errors.push(what);
    console.log(`ERROR ${new Date().toISOString()} ${what}`);
  },
  caused(what) {
    this.causedErrors += 1;
    if (process.env.SOAK_SHOW) console.log(`caused ${what}`);
  },
};

/** Every message: from whom to whom, and whether chat-posta took it. */
const ledger = {
  letters: new Map(),
  write(person, peer, text) {
    this.letters.set(text, { from: person.posta, to: peer, taken: false });
  },
  taken(text) {
    this.letters.get(text).taken = true;
  },
};

let troubled = new Map();
const world = {
  tally,
  ledger,
  service: null,
  /** Whether a failure may be the script's own doing: the person's or a peer's posta-server is ill. */
  isTroubled(person) {
    const now = Date.now();
    const ill = (posta) => (troubled.get(posta) ?? 0) > now;
    return person.troubledUntil > now || ill(person.posta) || person.peers.some(ill);
  },
};

async function inTurn(list, work) {
  const queue = [...list];
  const one = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function sample() {
  const shown = await world.service.metrics();
  const { took } = tally;
  tally.took = [];
  took.sort((a, b) => a - b);
  const at = (share) => took[Math.floor(took.length * share)] ?? 0;
  return {
    rss: shown.process_resident_memory_bytes / 1048576,
    fds: shown.process_open_fds,
    coroutines: shown['chat_posta_coroutines{kind="connection"}'] + shown['chat_posta_coroutines{kind="stream"}'],
    connections: shown.chat_posta_http_connections,
    idle: shown.chat_posta_upstream_idle_connections,
    tabs: shown.chat_posta_tabs,
    users: shown.chat_posta_live_users,
    sessions: shown.chat_posta_sessions,
    panics: shown.chat_posta_http_panics_total,
    requests: took.length,
    p50: at(0.5),
    p99: at(0.99),
  };
}

function show(when, s) {
  const number = (value) => (Number.isInteger(value) ? value : value.toFixed(1));
  console.log(`${when} ${Object.entries(s).map(([name, value]) => `${name}=${number(value)}`).join(' ')}`);
}

/** Once in a while one posta-server dies, hangs or is slow, and an account is deleted. */
async function disturb(people, until) {
  for (let round = 0; Date.now() < until - AFTER; round += 1) {
    await pause(around(20_000));
    const victim = people[Math.floor(Math.random() * people.length)];
    const ill = (ms) => troubled.set(victim.posta, Date.now() + ms + AFTER);
    try {
      if (round % 4 === 0) {
        ill(10_000);
        // Nobody listens, and what was open breaks, as while it restarts.
        await victim.posta.tell({ refuseMs: 8_000 });
        await pause(9_000);
      } else if (round % 4 === 1) {
        ill(20_000);
        await victim.posta.tell({ hang: '/api/*' });
        await pause(15_000);
        await victim.posta.tell({ hang: null });
      } else if (round % 4 === 2) {
        ill(20_000);
        await victim.posta.tell({ latencyMs: 700 });
        await pause(15_000);
        await victim.posta.tell({ latencyMs: 0, dropStreams: true });
      } else if (victim.isSignedIn) {
        await victim.rejoin();
      }
      // From now on only the wait until everybody has noticed that all is well.
      if (round % 4 !== 3) ill(0);
    } catch (error) {
      tally.unexpected(`the disturber: ${error.message}`);
    }
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const failures = [];
function verdict(holds, what) {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) failures.push(what);
}

function compareQuarters(samples) {
  const quarter = Math.floor(samples.length / 4);
  for (const [name, { share, more }] of Object.entries(GROWTH)) {
    const of = (number) => median(samples.slice(quarter * number, quarter * (number + 1)).map((s) => s[name]));
    const quarters = [0, 1, 2, 3].map(of);
    const holds = quarters[3] <= quarters[1] * (1 + share) + more;
    const unit = name === 'rss' ? ' MiB' : '';
    verdict(holds, `${name}: medians of the quarters ${quarters.map((n) => n.toFixed(1)).join(', ')}${unit}`);
  }
}

/** Every letter that was taken stands once on either side; one that was not stands at most once. */
async function readLedger() {
  const pairs = new Map();
  for (const [text, letter] of ledger.letters) {
    for (const [where, peer] of [[letter.from, letter.to], [letter.to, letter.from]]) {
      const key = `${where.name} ${peer.name}`;
      if (!pairs.has(key)) pairs.set(key, { where, peer, expected: new Map() });
      pairs.get(key).expected.set(text, letter.taken);
    }
  }
  let lost = 0;
  let doubled = 0;
  await inTurn(pairs.values(), async ({ where, peer, expected }) => {
    const seen = new Map();
    for (const { payload } of await where.messages(peer.peer)) {
      const text = payload.body ?? payload.image?.alt;
      if (text) seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    for (const [text, taken] of expected) {
      const times = seen.get(text) ?? 0;
      if (times > 1) doubled += 1;
      if (taken && times === 0) {
        lost += 1;
        if (lost < 10) console.log(`lost at ${where.name}: ${text}`);
      }
    }
  });
  const taken = [...ledger.letters.values()].filter((letter) => letter.taken).length;
  verdict(lost === 0 && doubled === 0, `${taken} messages taken: ${lost} lost, ${doubled} doubled`);
}

console.log(`soak: ${USERS} users for ${MINUTES} minutes, one action per user every ${PACE / 1000} s`);
const service = await Service.start();
world.service = service;
const postas = await Posta.crowd('user', USERS);
const people = postas.map((posta, index) => new Person(world, index, posta));
for (const person of people) {
  const others = [...people].filter((other) => other !== person);
  person.peers = Array.from({ length: Math.min(PEERS, others.length) }, () => {
    return others.splice(Math.floor(Math.random() * others.length), 1)[0].posta;
  });
}
await inTurn(people, (person) => person.join());
// A first round of everything that is kept for good, then quiet: what the end is compared with.
tally.took = [];
const before = await sample();
show('signed-up', before);

const until = Date.now() + MINUTES * 60_000;
const lives = people.map((person) => person.live(PACE));
const disturbing = disturb(people, until);
const samples = [];
while (Date.now() < until) {
  await pause(SAMPLE);
  if (!service.isAlive) {
    console.log(`FAIL chat-posta ended by itself: ${service.end}\n${service.lastWords()}`);
    process.exit(1);
  }
  samples.push(await sample());
  show(new Date().toISOString().slice(11, 19), samples.at(-1));
}
await disturbing;
await Promise.all(people.map((person) => person.end()));
await Promise.all(lives);
// Idle connections to browsers go after 75 s, those to posta-servers after 50 s.
await pause(90_000);
const after = await sample();
show('everybody-left', after);

verdict(service.isAlive, 'chat-posta still runs');
compareQuarters(samples);
verdict(after.tabs === 0 && after.users === 0 && after.sessions === 0, 'no tab, live user or session is left');
// One connection is this script's own keep-alive.
verdict(after.coroutines <= 2, `${after.coroutines} coroutines are left`);
verdict(after.fds - after.idle <= before.fds - before.idle + 4 && after.fds < 80, `${after.fds} descriptors are left`);
verdict(after.panics === 0, 'no panic');
const complaints = service.log('error');
verdict(complaints.length === 0, `${complaints.length} lines of the log at error ${complaints.slice(0, 3).join(' | ')}`);
verdict(tally.errors.length === 0, `${tally.errors.length} errors the script did not cause, ${tally.causedErrors} it did`);
await readLedger();
verdict((await service.stop()) === 0, 'it ends well');
console.log(`${tally.answers} answers, p50 ${median(samples.map((s) => s.p50)).toFixed(1)} ms, p99 ${median(samples.map((s) => s.p99)).toFixed(1)} ms (medians of the minutes)`);
console.log(failures.length === 0 ? 'soak: passed' : `soak: FAILED: ${failures.length}`);
process.exit(failures.length === 0 ? 0 : 1);
