// What a proxy in front must leave as it is, with many tabs open. It runs with nothing in front, and
// behind a real Caddy that speaks HTTP/2 or HTTP/1.1 to the browser (CHAT_POSTA_THROUGH).
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { isProxied, protocol } from "./harness/caddy.js";
import { EXPECTED, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const TABS = 12;
const peer = "pen.example";
let world;
let atAlice;

before(async () => {
  world = await World.build({ names: ["Alice"] });
  atAlice = world.servers.Alice;
});
after(() => world?.end());
afterEach(() => world.goHome());

/** What the browser speaks, as it tells it. Of pages it does not: a service worker gets them. */
function spoken(page) {
  return page.evaluate(async () => {
    await (await fetch("/healthz", { cache: "no-store" })).text();
    return performance.getEntriesByType("resource").findLast(({ name }) => name.endsWith("/healthz")).nextHopProtocol;
  });
}

test("twelve tabs load, live, write and agree", async () => {
  const alice = await world.member("Alice");
  alice.watch.expect(EXPECTED.network);
  await atAlice.receive([{ peer, text: "the first" }]);
  await alice.page.goto(world.thread(peer));
  const tabs = [alice.page];
  while (tabs.length < TABS) tabs.push(await alice.newTab(world.thread(peer)));
  for (const page of tabs) {
    await alice.hears("the first", { page });
    assert.equal(await spoken(page), protocol);
  }
  await eventually(async () => assert.equal((await atAlice.report()).streams, 1));
  // What comes is in all of them at once; nothing waits for more to send.
  await atAlice.receive([{ peer, text: "to all of you" }]);
  await Promise.all(tabs.map((page) => alice.hears("to all of you", { page })));
  const texts = [0, 5, TABS - 1].map((number) => `from tab ${number}`);
  await Promise.all(texts.map((text) => alice.write(text, tabs[Number(text.slice(9))])));
  for (const text of texts) {
    await Promise.all(tabs.map((page) => alice.hears(text, { page, within: 10_000 })));
  }
  const sent = (await atAlice.messages(peer)).filter(({ direction }) => direction === "outbound");
  assert.deepEqual(sent.map(({ payload }) => payload.body).toSorted(), texts.toSorted());
});

test("without Web Locks twelve tabs hold a stream each, where the protocol has room for them", async () => {
  const alice = await world.visitor();
  alice.watch.expect(EXPECTED.network);
  await alice.context.addInitScript(() => delete Navigator.prototype.locks);
  await alice.signUp(await world.service.invite("Alice"), await atAlice.pairingUri());
  await atAlice.receive([{ peer, text: "the second" }]);
  // Over HTTP/1.1 a browser opens six connections, and something must be left to load pages with.
  const tabs = [alice.page];
  await alice.page.goto(world.thread(peer));
  const count = protocol === "h2" ? TABS : 4;
  while (tabs.length < count) tabs.push(await alice.newTab(world.thread(peer)));
  await Promise.all(tabs.map((page) => alice.hears("the second", { page })));
  await atAlice.receive([{ peer, text: "to each of you" }]);
  await Promise.all(tabs.map((page) => alice.hears("to each of you", { page })));
});

test("pages are compressed on the way, events and files are left as they are", async () => {
  const alice = await world.member("Alice");
  const seen = new Map();
  alice.page.on("response", async (response) => {
    const { pathname } = new URL(response.url());
    seen.set(pathname.split("/")[1], await response.allHeaders());
  });
  await atAlice.receive([{ peer, text: "the third" }]);
  await alice.page.goto(world.thread(peer));
  await alice.hears("the third");
  await eventually(async () => assert.ok(seen.has("events") && seen.has("c") && seen.has("static")));
  const coding = (name) => seen.get(name)["content-encoding"];
  assert.equal(coding("events"), undefined);
  assert.match(seen.get("events")["content-type"], /^text\/event-stream/);
  assert.match(coding("static"), /^(br|gzip)$/, "as they were embedded");
  // zstd is what Caddy would rather have, and no coding is what we send.
  if (isProxied) assert.match(coding("c"), /^(zstd|gzip)$/);
  assert.ok(seen.get("c")["content-security-policy"]);
});

test("where somebody comes from arrives, and so does that they came by https", async () => {
  const alice = await world.member("Alice");
  const cookies = await alice.context.cookies();
  const { name, secure } = cookies.find((cookie) => cookie.name.endsWith("session"));
  assert.deepEqual([name.startsWith("__Host-"), secure], [isProxied, isProxied]);
  const line = new RegExp(`scheme=${isProxied ? "https" : "http"} .*client=${alice.address} `);
  await eventually(async () => assert.match(world.service.log, line));
});

test("signing in again, and a service that is away for a while", async () => {
  const alice = await world.member("Alice");
  alice.watch.expect(EXPECTED.network, EXPECTED.unavailable, EXPECTED.unauthorized);
  await alice.signOut();
  await alice.signIn(world.service);
  const thread = world.thread(peer);
  await alice.page.goto(thread);
  await atAlice.receive([{ peer, text: "before it went" }]);
  await alice.hears("before it went");
  // The worker has come by now: it knows what to show when nothing of ours answers.
  await alice.page.evaluate(() => navigator.serviceWorker.ready);
  await world.service.stop();
  await alice.page.goto(thread);
  await alice.page.getByRole("heading", { name: "Not connected" }).waitFor();
  await world.service.restart();
  await alice.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await alice.hears("before it went");
  assert.equal(alice.page.url(), thread);
});
