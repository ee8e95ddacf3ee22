// Pages that stay live: several tabs, the back-forward cache, sleep, a lost network, restarts.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
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

async function aliceReads() {
  alice = await world.member("Alice");
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

test("a seventh tab loads and lives, although browsers open six connections", async () => {
  await aliceReads();
  const tabs = [alice.page];
  while (tabs.length < 8) tabs.push(await alice.newTab(world.thread(peer)));
  for (const page of tabs) await alice.hears("the first", { page });
  const text = await somethingComes();
  await Promise.all(tabs.map((page) => alice.hears(text, { page })));
  // Whoever has a stream of its own goes; another takes its turn.
  for (const page of tabs.splice(0, 5)) await page.close();
  const later = await somethingComes();
  await Promise.all(tabs.map((page) => alice.hears(later, { page })));
  const last = await somethingComes();
  await Promise.all(tabs.map((page) => alice.hears(last, { page, within: 1500 })));
});

test("back from the back-forward cache it is live again by itself", async () => {
  await aliceReads();
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
  await alice.page.locator("#send-error").filter({ hasText: "offline" }).waitFor();
  assert.equal(await field.inputValue(), "written on a train");
  const missed = await somethingComes();
  await alice.context.setOffline(false);
  await alice.hears(missed);
  await alice.page.locator("#health[data-state=ok]").waitFor({ state: "attached" });
  assert.equal(await field.inputValue(), "written on a train");
  await field.press("Enter");
  await alice.hears("written on a train");
  assert.ok(await alice.page.evaluate(() => window.sameDocument));
});

test("a posta-server that goes away and comes back", async () => {
  await aliceReads();
  alice.watch.expect(EXPECTED.unavailable);
  await alice.page.evaluate(() => (window.sameDocument = true));
  await atAlice.stop();
  const banner = alice.page.locator("#health .when-unreachable");
  await banner.waitFor({ timeout: 15_000 });
  // Pages still render with what is known, and say so.
  const other = await alice.newTab(world.thread(peer));
  await alice.hears("the first", { page: other });
  await other.locator("#health").getByText("Your posta-server can't be reached").waitFor();
  await other.locator("#health").getByText("Last contact:").waitFor();
  await alice.write("too early");
  await alice.page.locator("#send-error").filter({ hasText: /can't be reached/ }).waitFor();
  await atAlice.restart();
  await banner.waitFor({ state: "hidden", timeout: 35_000 });
  const text = await somethingComes();
  await alice.hears(text);
  await alice.hears(text, { page: other });
  assert.ok(await alice.page.evaluate(() => window.sameDocument));
});

test("a token that is revoked while reading", async () => {
  await aliceReads();
  alice.watch.expect(EXPECTED.unavailable);
  await atAlice.tell({ revokeTokens: true });
  await alice.page.getByText("no longer accepts this service's token").waitFor({ timeout: 15_000 });
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
