import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../../../www/queue.js";
import { Refused, SignedOut } from "../../../www/refresh.js";

class Storage {
  #items = new Map();
  isFull = false;
  get length() {
    return this.#items.size;
  }
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, text) {
    if (this.isFull) throw new Error("full");
    this.#items.set(name, text);
  }
  removeItem(name) {
    this.#items.delete(name);
  }
}

/** A queue in front of a server that answers as `answers` say, one after another. */
function queueWith(answers, { storage = new Storage(), account = "alice" } = {}) {
  const posted = [];
  const seen = { changes: 0, signedOut: 0 };
  const page = { changed: () => (seen.changes += 1), signedOut: () => (seen.signedOut += 1) };
  const post = async (path, { key, text, account: by }) => {
    posted.push({ path, key, text, by });
    const answer = answers.shift() ?? 7;
    if (answer instanceof Error) throw answer;
    return { headers: new Headers({ "message-row": String(answer) }) };
  };
  return { queue: new Queue(account, page, { storage, post }), posted, seen, storage };
}

const to = (peer, text, after = 0) => ({ peer, path: `/c/${peer}/messages`, text, after });
const no = (status) => new Refused("No.", new Response("", { status }));
const settled = () => new Promise((done) => setTimeout(done, 20));
const texts = (entries) => entries.map(({ text }) => text);

test("what is added is sent in order, once each, and is gone when it was taken", async () => {
  const { queue, posted, storage } = queueWith([1, 2, 3]);
  for (const text of ["one", "two", "three"]) queue.add(to("bob.example", text));
  const keys = queue.all().map(({ key }) => key);
  await settled();
  assert.deepEqual(texts(posted), ["one", "two", "three"]);
  assert.deepEqual(posted.map(({ key }) => key), keys);
  assert.equal(posted[0].by, "alice");
  assert.deepEqual(queue.all(), []);
  assert.equal(storage.length, 0);
  assert.deepEqual(keys.map((key) => queue.rowOf(key)), [1, 2, 3]);
});

test("without an answer it waits with all behind it, and the same message goes again", async () => {
  const { queue, posted } = queueWith([new TypeError("no network"), 1, 2]);
  queue.add(to("bob.example", "one"));
  queue.add(to("bob.example", "two"));
  await settled();
  assert.deepEqual(texts(queue.all()), ["one", "two"]);
  assert.ok(queue.isStuck);
  assert.match(queue.all()[0].why, /can't be reached|offline/);
  queue.hurry();
  await settled();
  assert.deepEqual(texts(posted), ["one", "one", "two"]);
  assert.equal(posted[0].key, posted[1].key);
  assert.ok(!queue.isStuck);
});

test("what was refused waits for its person, and holds up nothing", async () => {
  const { queue, posted } = queueWith([no(400), 5, 6]);
  queue.add(to("bob.example", "too long"));
  queue.add(to("bob.example", "fine"));
  await settled();
  assert.deepEqual(queue.all().map(({ text, state, why }) => [text, state, why]), [["too long", "refused", "No."]]);
  await queue.retry(queue.all()[0].key);
  await settled();
  assert.deepEqual(texts(posted), ["too long", "fine", "too long"]);
  assert.deepEqual(queue.all(), []);
});

test("faults and limits of the server are no refusals", async () => {
  for (const status of [408, 429, 500, 502, 503]) {
    const { queue } = queueWith([no(status)]);
    queue.add(to("bob.example", "later"));
    await settled();
    assert.deepEqual(queue.all().map(({ state }) => state), ["waiting"], `after ${status}`);
    queue.clear();
  }
});

test("when signed out it waits for the same person's return", async () => {
  const storage = new Storage();
  const { queue, seen } = queueWith([new SignedOut()], { storage });
  queue.add(to("bob.example", "patience"));
  await settled();
  assert.equal(seen.signedOut, 1);
  const other = queueWith([1], { storage, account: "bob" });
  other.queue.hurry();
  await settled();
  assert.deepEqual(other.posted, []);
  const again = queueWith([1], { storage });
  again.queue.hurry();
  await settled();
  assert.deepEqual(texts(again.posted), ["patience"]);
});

test("what is taken out to be changed is not sent", async () => {
  const { queue, posted } = queueWith([new TypeError(), 1]);
  queue.add(to("bob.example", "typo"));
  queue.add(to("bob.example", "next"));
  await settled();
  const taken = await queue.take(queue.all()[0].key);
  assert.equal(taken.text, "typo");
  assert.equal(await queue.take(taken.key), null);
  await settled();
  assert.deepEqual(texts(posted), ["typo", "next"]);
});

test("what a tab left in the middle of a try goes again with its key", async () => {
  const storage = new Storage();
  const entry = { ...to("bob.example", "half way"), key: "a-key", seq: 3, at: "2026-01-01T00:00:00Z" };
  storage.setItem("queue alice a-key", JSON.stringify({ ...entry, state: "sending", why: "" }));
  storage.setItem("queue alice junk", "{not JSON");
  const { queue, posted } = queueWith([1], { storage });
  queue.hurry();
  await settled();
  assert.deepEqual(posted.map(({ key, text }) => [key, text]), [["a-key", "half way"]]);
});

test("where nothing can be stored it lives as long as the page, and says so", async () => {
  const storage = new Storage();
  storage.isFull = true;
  const { queue, posted } = queueWith([new TypeError(), 1], { storage });
  queue.add(to("bob.example", "loose"));
  assert.ok(!queue.isKept);
  await settled();
  queue.hurry();
  await settled();
  assert.deepEqual(texts(posted), ["loose", "loose"]);
  assert.ok(queue.isKept);
});

test("after signing out nothing is left and nothing is taken", async () => {
  const { queue, storage, posted } = queueWith([new TypeError()]);
  queue.add(to("bob.example", "secret"));
  await settled();
  queue.clear();
  queue.add(to("bob.example", "too late"));
  queue.hurry();
  await settled();
  assert.equal(storage.length, 0);
  assert.equal(posted.length, 1);
});

test("what waits behind a message is in the thread only after it", async () => {
  const { queue } = queueWith([9, new TypeError()]);
  queue.add(to("bob.example", "same", 3));
  queue.add(to("bob.example", "same", 3));
  await settled();
  assert.deepEqual(queue.all().map(({ after }) => after), [9]);
});

test("who is told to wait waits, in every tab, and says that it goes on by itself", async () => {
  const storage = new Storage();
  const busy = new Refused("Too many.", new Response("", { status: 429, headers: { "retry-after": "1" } }));
  const { queue, posted } = queueWith([busy, 1], { storage });
  const other = queueWith([2], { storage });
  queue.add(to("bob.example", "patience"));
  await settled();
  const [{ state, why, notBefore }] = queue.all();
  assert.equal(state, "waiting");
  assert.match(why, /goes out by itself/);
  // However much somebody presses, here or in another tab.
  queue.hurry();
  other.queue.hurry();
  await settled();
  assert.deepEqual([posted.length, other.posted.length], [1, 0]);
  while (queue.all().length > 0) await settled();
  const told = [...posted.slice(1), ...other.posted];
  assert.deepEqual(texts(told), ["patience"]);
  assert.equal(told[0].key, posted[0].key);
  assert.ok(Date.now() >= notBefore);
  queue.clear();
  other.queue.clear();
});
