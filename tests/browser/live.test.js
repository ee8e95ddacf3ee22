// Pages that stay live: several tabs, the back-forward cache, sleep, a lost network, restarts.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { SIZES } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let atAlice;
let alice;
const peer = "pen.example";

before(async () => {
  // Playwright switches the back-forward cache off; here it is part of what is tested.
  world = await World.build({
    names: ["Alice"],
    browser: { without: ["--disable-back-forward-cache"] },
  });
  atAlice = world.servers.Alice;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function aliceReads(options) {
  alice = await world.member("Alice", options);
  alice.watch.expect(EXPECTED.network);
  await atAlice.receive([{ peer, text: "the first" }]);
  await alice.page.goto(world.thread(peer));
  await alice.hears("the first");
  await connected();
}

/** The stream upstream stands, so what comes now comes live. */
async function connected() {
  await eventually(async () => assert.ok((await atAlice.report()).streams >= 1), { within: 10_000 });
}

let count = 0;
async function somethingComes() {
  count += 1;
  const text = `news ${count}.`;
  await atAlice.receive([{ peer, text }]);
  return text;
}

test("two tabs of one person agree within a second", async () => {
  await aliceReads();
  const other = await alice.newTab(world.thread(peer));
  const third = await alice.newTab(world.service.url);
  await alice.hears("the first", { page: other });
  await alice.write("seen in both");
  await alice.hears("seen in both", { page: other, within: 1000 });
  await eventually(
    async () => assert.match(await alice.line(peer, third).locator(".preview").innerText(), /seen in both/),
    { within: 1000 },
  );
  const text = await somethingComes();
  await Promise.all([alice.page, other].map((page) => alice.hears(text, { page, within: 1000 })));
  // One upstream stream for all of them.
  assert.equal((await atAlice.report()).streams, 1);
});

/** Counts the event streams that the tabs of this browser hold from now on. */
async function countStreams(context) {
  await context.addInitScript(() => {
    const opened = [];
    window.EventSource = class extends EventSource {
      constructor(...options) {
        super(...options);
        opened.push(this);
      }
    };
    window.streams = () => opened.filter((stream) => stream.readyState !== EventSource.CLOSED).length;
  });
  return async () => {
    const counts = await Promise.all(context.pages().map((page) => page.evaluate(() => window.streams?.() ?? 0)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
}

for (const [size, viewport] of SIZES) {
  test(`ten tabs load and live on one event stream, although browsers open six connections, on a ${size}`, async () => {
    await aliceReads({ context: { viewport } });
    const streams = await countStreams(alice.context);
    await alice.page.reload();
    const tabs = [alice.page];
    while (tabs.length < 10) tabs.push(await alice.newTab(world.thread(peer)));
    for (const page of tabs) await alice.hears("the first", { page });
    const text = await somethingComes();
    await Promise.all(tabs.map((page) => alice.hears(text, { page })));
    await eventually(async () => assert.equal(await streams(), 1));
    // Whoever has the stream goes; another takes its turn.
    for (const page of tabs.splice(0, 6)) await page.close();
    const later = await somethingComes();
    await Promise.all(tabs.map((page) => alice.hears(later, { page })));
    const last = await somethingComes();
    await Promise.all(tabs.map((page) => alice.hears(last, { page, within: 1500 })));
    await eventually(async () => assert.equal(await streams(), 1));
  });
}

test("a tab that holds the stream and is frozen gives way to one that is looked at", async () => {
  await aliceReads();
  const other = await alice.newTab(world.thread(peer));
  await alice.hears("the first", { page: other });
  // The lock is held by something that passes nothing on.
  const stuck = await alice.context.newPage();
  await stuck.goto(`${world.service.url}/healthz`);
  await stuck.evaluate(() => new Promise((held) => {
    navigator.locks.request("stream", { steal: true }, () => {
      held();
      return new Promise(() => {});
    }).catch(() => {});
  }));
  for (const page of [alice.page, other]) {
    await page.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 45_000; // silence for longer than a stream may be silent
    });
  }
  const text = await somethingComes();
  await Promise.all([alice.page, other].map((page) => alice.hears(text, { page, within: 15_000 })));
  const next = await somethingComes();
  await Promise.all([alice.page, other].map((page) => alice.hears(next, { page, within: 3000 })));
});

for (const [missing, remove] of [
  ["Web Locks", () => delete Navigator.prototype.locks],
  ["BroadcastChannel", () => delete window.BroadcastChannel],
]) {
  test(`without ${missing} each tab has a stream of its own and sends what it holds`, async () => {
    alice = await world.visitor();
    await alice.context.addInitScript(remove);
    await alice.signUp(await world.service.invite("Alice"), await atAlice.pairingUri());
    alice.watch.expect(EXPECTED.network, EXPECTED.unauthorized);
    await atAlice.receive([{ peer, text: "the first" }]);
    const streams = await countStreams(alice.context);
    await alice.page.goto(world.thread(peer));
    const other = await alice.newTab(world.thread(peer));
    for (const page of [alice.page, other]) await alice.hears("the first", { page });
    await eventually(async () => assert.equal(await streams(), 2));
    const text = `no ${missing} needed`;
    await alice.write(text);
    for (const page of [alice.page, other]) await alice.hears(text, { page });
    const said = await alice.page.locator("#scroll .words").allInnerTexts();
    assert.equal(said.filter((words) => words === text).length, 1);
    // Signing out ends both, and neither leaves behind what was half written.
    await other.getByRole("textbox", { name: "Message" }).fill("not for the next one");
    await alice.signOut();
    await other.waitForURL(/\/login/);
    assert.doesNotMatch(await other.evaluate(() => JSON.stringify({ ...localStorage })), /next one/);
  });
}

test("back from the back-forward cache it is live again by itself", async () => {
  // A service worker in charge would hide the navigation from this test.
  await aliceReads({ context: { serviceWorkers: "block" } });
  // Chromium keeps no page that came with `no-store`; other browsers do, so here it came without.
  await alice.page.route(world.thread(peer), async (route) => {
    const response = await route.fetch();
    const { "cache-control": _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await alice.page.goto(world.thread(peer));
  await alice.page.unroute(world.thread(peer));
  await connected();
  await alice.page.evaluate(() => {
    window.sameDocument = true;
    window.addEventListener("pageshow", (event) => (window.fromCache = event.persisted));
  });
  await alice.page.goto(`${world.service.url}/healthz`);
  const missed = await somethingComes();
  // A restored page fires no `load`.
  await alice.page.goBack({ waitUntil: "commit" });
  await alice.hears(missed);
  const kept = await alice.page.evaluate(() => [window.sameDocument, window.fromCache]);
  assert.deepEqual(kept, [true, true], "restored, not loaded");
  await alice.hears(await somethingComes());
  assert.ok(await alice.isAtBottom());
  // The server knows that it is looked at again.
  await alice.badge(peer, 0);
});

test("back to a page that was not kept it is fresh and live", async () => {
  await aliceReads();
  await alice.page.goto(`${world.service.url}/healthz`);
  const missed = await somethingComes();
  await alice.page.goBack();
  await alice.hears(missed);
  await connected();
  await alice.hears(await somethingComes());
});

test("a page that is frozen and thawed asks for what it missed", async () => {
  await aliceReads();
  // What a browser's cache does to a page, as its scripts see it.
  await alice.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  const missed = await somethingComes();
  await alice.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await alice.hears(missed);
  await alice.hears(await somethingComes());
});

test("offline says so and keeps the keyboard; online catches up without a reload", async () => {
  await aliceReads();
  await alice.page.evaluate(() => (window.sameDocument = true));
  await alice.context.setOffline(true);
  await alice.page.locator("#health[data-state=offline]").waitFor({ state: "attached" });
  const field = alice.page.getByRole("textbox", { name: "Message" });
  await field.fill("written on a train");
  await field.press("Enter");
  await alice.bubble("written on a train").getByText("You are offline").waitFor();
  await field.fill("half a thought");
  const missed = await somethingComes();
  await alice.context.setOffline(false);
  await alice.hears(missed);
  await alice.page.locator("#health[data-state=ok]").waitFor({ state: "attached" });
  await alice.hears("written on a train");
  assert.equal(await field.inputValue(), "half a thought");
  assert.ok(await alice.page.evaluate(() => window.sameDocument));
});

test("a posta-server that goes away and comes back", async () => {
  await aliceReads();
  alice.watch.expect(EXPECTED.unavailable);
  await alice.page.evaluate(() => (window.sameDocument = true));
  await atAlice.stop();
  const banner = alice.page.locator("#health .when-unreachable");
  await banner.waitFor({ timeout: 15_000 * busyness() });
  // Pages still render with what is known, and say so.
  const other = await alice.newTab(world.thread(peer));
  await alice.hears("the first", { page: other });
  await other.locator("#health").getByText("Your posta-server can't be reached").waitFor();
  await other.locator("#health").getByText("Last contact:").waitFor();
  await alice.write("too early");
  await alice.bubble("too early").getByText(/can't be reached/).waitFor();
  await atAlice.restart();
  await banner.waitFor({ state: "hidden", timeout: 35_000 * busyness() });
  const text = await somethingComes();
  await alice.hears(text);
  await alice.hears(text, { page: other });
  for (const page of [alice.page, other]) await alice.hears("too early", { page });
  assert.ok(await alice.page.evaluate(() => window.sameDocument));
});

test("a token that is revoked while reading", async () => {
  await aliceReads();
  alice.watch.expect(EXPECTED.unavailable);
  await atAlice.tell({ revokeTokens: true });
  await alice.page.getByText("no longer accepts this service's token").waitFor({ timeout: 15_000 * busyness() });
  await alice.page.reload();
  await alice.page.getByText("no longer accepts this service's token").waitFor();
});

test("a gap in the events is one new drawing", async () => {
  await aliceReads();
  await atAlice.tell({ forgetEvents: true, dropStreams: true });
  const text = await somethingComes();
  await alice.hears(text, { within: 10_000 });
});

test("inbound events that name no peer still reach the open thread", async () => {
  await aliceReads();
  // The real one nests the peer; the worst case is that it says nothing at all.
  await atAlice.tell({ failures: [] });
  const text = await somethingComes();
  await atAlice.tell({ event: { name: "inbound", data: {} } });
  await alice.hears(text);
});
