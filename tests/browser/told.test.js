// Being told of what is unread: the title, the icon, the app's badge, notifications and a sound.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { eventually, setVisible } from "./harness/page.js";
import { SIZES, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

/** Longer than tabs leave each other the first word, in milliseconds. */
const QUIET = 1500;

let world;
let server;
let count = 0;
/** Two peers that no test has used before. */
let carol;
let dave;

before(async () => {
  world = await World.build({ names: ["Alice"] });
  server = world.servers.Alice;
});
after(() => world?.end());
afterEach(() => world.goHome());
beforeEach(() => {
  count += 1;
  carol = `carol${count}.example`;
  dave = `dave${count}.example`;
});

/** What a page would show and play is written down instead. */
function recorder() {
  window.told = { notes: [], badge: null, sounds: 0 };
  navigator.setAppBadge = async (count) => void (window.told.badge = count);
  navigator.clearAppBadge = async () => void (window.told.badge = 0);
  window.Notification = class {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor(title, options) {
      // As browsers do with those of one tag.
      for (const note of window.told.notes) note.isClosed ||= note.tag === options.tag;
      Object.assign(this, { title, ...options, isClosed: false });
      window.told.notes.push(this);
    }
    close() {
      this.isClosed = true;
    }
  };
  const RealContext = window.AudioContext;
  window.AudioContext = class extends RealContext {
    constructor() {
      super();
      window.told.sounds += 1;
    }
  };
}

async function arrive({ script = recorder, viewport } = {}) {
  await server.receive([carol, dave].map((peer) => ({ peer, text: `hello from ${peer}` })));
  const alice = await world.visitor(viewport && { context: { viewport } });
  await alice.context.addInitScript(script);
  await alice.signUp(await world.service.invite("Alice"), await server.pairingUri());
  // What others left unread does not count here.
  for (const peer of [carol, dave]) await alice.open(peer);
  const open = await alice.page.locator("#contacts .contact.unread").evaluateAll((all) => all.map((one) => one.dataset.peer));
  for (const peer of open) await alice.open(peer);
  await eventually(async () => assert.equal(await alice.page.locator("#contacts .badge").count(), 0));
  return alice;
}

async function choose({ page }, name) {
  const here = page.url();
  await page.goto(`${world.service.url}/settings`);
  await page.getByRole("checkbox", { name }).check();
  await page.goto(here);
  await page.locator("#thread").waitFor();
}

const told = (page) =>
  page.evaluate(() => ({ ...window.told, notes: window.told.notes.map(({ title, body, tag, isClosed }) => ({ title, body, tag, isClosed })) }));
const icon = (page) => page.locator('link[rel="icon"]').getAttribute("href");
const say = (peer, text) => server.receive([{ peer, text }]);
const titled = (page, pattern) => eventually(async () => assert.match(await page.title(), pattern));

for (const [size, viewport] of SIZES) {
  test(`the title, the icon and the app's badge count what is unread, on a ${size}`, async () => {
    const alice = await arrive({ viewport });
    await alice.open(dave);
    await titled(alice.page, /^dave\d+\.example · chat-posta$/);
    assert.match(await icon(alice.page), /icon\.svg$/);
    await say(carol, "one");
    await say(carol, "two");
    await titled(alice.page, /^\(2\) dave/);
    assert.equal(await icon(alice.page), "/icon/2");
    assert.equal((await told(alice.page)).badge, 2);
    const drawing = await (await fetch(`${world.service.url}/icon/2`)).text();
    assert.match(drawing, />2<\/text><\/svg>$/);
    for (const [name, status] of [["9%2B", 404], ["9+", 200], ["0", 404], ["10", 404], ["<b>", 404]]) {
      assert.equal((await fetch(`${world.service.url}/icon/${name}`)).status, status, name);
    }
    // Each conversation has a title of its own; the count stays before it.
    await alice.page.goto(`${world.service.url}/settings`);
    await titled(alice.page, /^\(2\) Settings/);
    for (let more = 3; more <= 12; more += 1) await say(carol, `number ${more}`);
    await titled(alice.page, /^\(12\) /);
    assert.equal(await icon(alice.page), "/icon/9+");
    await alice.open(carol);
    await titled(alice.page, /^carol/);
    assert.match(await icon(alice.page), /icon\.svg$/);
    assert.equal((await told(alice.page)).badge, 0);
  });
}

for (const [size, viewport] of SIZES) {
  test(`notifications: one for a conversation, while nobody looks, and a click leads there, on a ${size}`, async () => {
    const alice = await arrive({ viewport });
    await choose(alice, "Show notifications");
    await alice.open(dave);
    await say(carol, "while she looks");
    await titled(alice.page, /^\(1\) /);
    assert.deepEqual((await told(alice.page)).notes, []);
    await setVisible(alice.page, false);
    await say(carol, "first");
    await say(dave, "other");
    await eventually(async () => assert.equal((await told(alice.page)).notes.length, 2));
    await say(carol, "second");
    await eventually(async () => assert.equal((await told(alice.page)).notes.length, 3));
    const { notes } = await told(alice.page);
    const ofCarol = notes.filter(({ title }) => title === carol);
    assert.deepEqual(ofCarol.map(({ body }) => body), ["first", "second"]);
    assert.equal(new Set(ofCarol.map(({ tag }) => tag)).size, 1, "the next takes the place of the one before");
    await alice.page.evaluate((peer) => window.told.notes.findLast(({ title }) => title === peer).onclick(), carol);
    await alice.page.locator(`#thread[data-peer="${carol}"]`).waitFor();
    // Looked at again, they are gone.
    await setVisible(alice.page, true);
    await eventually(async () => assert.ok((await told(alice.page)).notes.every(({ isClosed }) => isClosed)));
  });
}

test("several tabs tell once, and none while one of them is looked at", async () => {
  const alice = await arrive();
  await choose(alice, "Show notifications");
  const other = await alice.newTab(world.thread(dave));
  const third = await alice.newTab(world.thread(dave));
  const all = [alice.page, other, third];
  for (const page of [alice.page, other]) await setVisible(page, false);
  await say(carol, "seen in the third");
  for (const page of all) await titled(page, /^\(1\) /);
  await new Promise((done) => setTimeout(done, QUIET));
  for (const page of all) assert.equal((await told(page)).notes.length, 0);
  await setVisible(third, false);
  await say(carol, "seen by nobody");
  const notes = async () => (await Promise.all(all.map(told))).flatMap(({ notes }) => notes);
  await eventually(async () => assert.equal((await notes()).length, 1));
  await new Promise((done) => setTimeout(done, QUIET));
  assert.deepEqual((await notes()).map(({ body }) => body), ["seen by nobody"]);
});

test("without being asked for there are neither notifications nor sounds", async () => {
  const alice = await arrive();
  await alice.page.goto(`${world.service.url}/settings`);
  await alice.page.getByRole("checkbox", { name: "Show notifications" }).waitFor();
  assert.ok(!(await alice.page.getByRole("checkbox", { name: "Show notifications" }).isChecked()));
  assert.ok(!(await alice.page.getByRole("checkbox", { name: "Play a quiet sound" }).isChecked()));
  await setVisible(alice.page, false);
  await say(carol, "psst");
  await titled(alice.page, /^\(1\) /);
  await new Promise((done) => setTimeout(done, QUIET));
  const { notes, sounds } = await told(alice.page);
  assert.deepEqual([notes, sounds], [[], 0]);
  await setVisible(alice.page, true);
  // Refused by the browser, the choice says what to do, and is not made.
  await alice.page.evaluate(() => (Notification.requestPermission = async () => "denied"));
  await alice.page.getByRole("checkbox", { name: "Show notifications" }).click();
  await alice.page.getByText("Your browser blocks notifications of this page.").waitFor();
  assert.ok(!(await alice.page.getByRole("checkbox", { name: "Show notifications" }).isChecked()));
  await screens(alice.page, "notifications-blocked");
});

test("a quiet sound for what is not being looked at", async () => {
  const alice = await arrive();
  await choose(alice, "Play a quiet sound");
  await alice.open(dave);
  await say(dave, "she reads this");
  await alice.hears("she reads this");
  await say(carol, "and not this");
  await eventually(async () => assert.equal((await told(alice.page)).sounds, 1));
  assert.equal((await told(alice.page)).notes.length, 0);
});

test("browsers that lack any of it miss nothing else", async () => {
  const alice = await arrive({
    script: () => {
      for (const name of ["Notification", "AudioContext", "webkitAudioContext", "BroadcastChannel"]) delete window[name];
      for (const name of ["setAppBadge", "clearAppBadge", "locks", "serviceWorker"]) delete Navigator.prototype[name];
    },
  });
  const isThere = () => ["Notification", "BroadcastChannel"].some((name) => name in window) || ["locks", "serviceWorker", "setAppBadge"].some((name) => name in navigator);
  assert.equal(await alice.page.evaluate(isThere), false);
  await alice.page.goto(`${world.service.url}/settings`);
  await alice.page.getByRole("radio", { name: "Dark" }).waitFor();
  assert.equal(await alice.page.getByRole("checkbox").count(), 0, "what it cannot do is not offered");
  await setVisible(alice.page, false);
  await say(carol, "all the same");
  await titled(alice.page, /^\(1\) Settings/);
  await setVisible(alice.page, true);
  await alice.open(carol);
  await alice.write("an answer");
  await alice.hears("an answer");
});
