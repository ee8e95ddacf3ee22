// What is typed is never lost: drafts, and messages that wait until they can be sent.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let atAlice;
let alice;
const PHONE = { viewport: { width: 375, height: 812 } };

before(async () => {
  world = await World.build({ names: ["Alice"] });
  atAlice = world.servers.Alice;
});
after(() => world?.end());
afterEach(async () => {
  await atAlice.tell({ failures: [], latencyMs: 0 });
  await world.goHome();
});

const field = (page = alice.page) => page.getByRole("textbox", { name: "Message" });

async function aliceWritesTo(peer, options) {
  alice = await world.member("Alice", options);
  alice.watch.expect(EXPECTED.network, EXPECTED.unavailable, EXPECTED.refused, EXPECTED.unauthorized);
  await atAlice.receive([{ peer, text: `hello from ${peer}` }]);
  await alice.page.goto(world.thread(peer));
  await alice.hears(`hello from ${peer}`);
}

/** What Alice wrote, as her posta-server has it, oldest first. */
async function sentTo(peer) {
  const own = (await atAlice.messages(peer)).filter((message) => message.direction === "outbound");
  return own.map((message) => message.payload.body);
}

/** The own messages on the page, in order. */
async function shown(page = alice.page) {
  return page.locator("#scroll .msg.out .words").allInnerTexts();
}

for (const [size, context] of [["phone", PHONE], ["desktop", {}]]) {
  test(`what can't be sent waits with its buttons, and goes out by itself, on a ${size}`, async () => {
    const peer = `waits-${size}.example`;
    await aliceWritesTo(peer, { context });
    const keys = [];
    alice.page.on("request", (request) => {
      const body = request.method() === "POST" ? new URLSearchParams(request.postData() ?? "") : null;
      if (body?.get("text") === "hold on") keys.push(body.get("key"));
    });
    await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
    await alice.write("hold on");
    const bubble = alice.bubble("hold on");
    await bubble.getByText("Your posta-server can't be reached").waitFor();
    assert.equal(await field().inputValue(), "");
    await alice.write("and this");
    await alice.bubble("and this").getByText("Waits to be sent").waitFor();
    await screens(alice.page, `queue-${size}`);
    await atAlice.tell({ failures: [] });
    await bubble.getByRole("button", { name: "Retry" }).click();
    await alice.hears("hold on");
    await alice.hears("and this");
    await eventually(async () => assert.equal(await alice.page.locator(".unsent").count(), 0));
    assert.ok(keys.length >= 2 && keys.every((key) => key === keys[0]), keys.join());
    assert.deepEqual(await shown(), ["hold on", "and this"]);
    await eventually(async () => assert.deepEqual(await sentTo(peer), ["hold on", "and this"]));
  });
}

test("offline one goes on writing, over a reload, and all goes out once, in order", async () => {
  const peer = "train.example";
  await aliceWritesTo(peer);
  // What the network does to requests; the page itself must come from somewhere to be loaded anew.
  await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
  const texts = ["one", "two", "two", "three"];
  for (const text of texts) await alice.write(text);
  await eventually(async () => assert.deepEqual(await shown(), texts));
  await alice.page.reload();
  await eventually(async () => assert.deepEqual(await shown(), texts));
  await atAlice.tell({ failures: [] });
  await eventually(async () => assert.equal(await alice.page.locator(".unsent").count(), 0), { within: 45_000 });
  await eventually(async () => assert.deepEqual(await sentTo(peer), texts));
  assert.deepEqual(await shown(), texts);
});

test("a page that is loaded anew while nothing can be reached comes back, and sends what waited once", async () => {
  const peer = "valley.example";
  await aliceWritesTo(peer);
  await alice.page.evaluate(() => navigator.serviceWorker.ready);
  await world.service.stop("SIGKILL");
  for (const text of ["before", "the reload"]) await alice.write(text);
  await eventually(async () => assert.deepEqual(await shown(), ["before", "the reload"]));
  await field().fill("and half of it");
  await alice.page.reload();
  await alice.page.getByRole("heading", { name: "Not connected" }).waitFor();
  await world.service.restart();
  await alice.page.getByRole("button", { name: "Sign in with a passkey" }).click({ timeout: 20_000 * busyness() });
  await eventually(async () => assert.deepEqual(await sentTo(peer), ["before", "the reload"]), { within: 15_000 });
  await eventually(async () => assert.equal(await alice.page.locator(".unsent, [id^=sending-]").count(), 0));
  assert.deepEqual(await shown(), ["before", "the reload"]);
  assert.equal(await field().inputValue(), "and half of it");
});

test("without a network it says so, and sends when the network is back", async () => {
  const peer = "tunnel.example";
  await aliceWritesTo(peer);
  await alice.context.setOffline(true);
  await alice.write("in the tunnel");
  await alice.bubble("in the tunnel").getByText("You are offline").waitFor();
  await alice.context.setOffline(false);
  await alice.hears("in the tunnel");
  await eventually(async () => assert.deepEqual(await sentTo(peer), ["in the tunnel"]));
});

test("what waits can be edited or discarded until it goes", async () => {
  const peer = "typo.example";
  await aliceWritesTo(peer);
  await alice.context.setOffline(true);
  for (const text of ["helo", "never mind", "bye"]) await alice.write(text);
  await alice.bubble("never mind").getByRole("button", { name: "Discard" }).click();
  await alice.bubble("helo").getByRole("button", { name: "Edit" }).click();
  await eventually(async () => assert.equal(await field().inputValue(), "helo"));
  assert.ok(await field().evaluate((element) => element === document.activeElement));
  await eventually(async () => assert.deepEqual(await shown(), ["bye"]));
  await field().fill("hello");
  await field().press("Enter");
  await alice.context.setOffline(false);
  await eventually(async () => assert.deepEqual(await sentTo(peer), ["bye", "hello"]), { within: 15_000 });
});

test("what the server refuses says why and keeps nothing else waiting", async () => {
  const peer = "strict.example";
  await aliceWritesTo(peer);
  const long = "x".repeat(50_000);
  await field().fill(long);
  await field().press("Enter");
  const bubble = alice.page.locator(".msg.unsent");
  await bubble.getByText("Not sent. This message is too long").waitFor();
  await alice.write("short");
  await alice.hears("short");
  await bubble.getByRole("button", { name: "Edit" }).click();
  await eventually(async () => assert.equal((await field().inputValue()).length, long.length));
  await bubble.waitFor({ state: "detached" });
});

test("a tab that is closed in the middle of sending loses nothing, and another one sends it", async () => {
  const peer = "closing.example";
  await aliceWritesTo(peer);
  const other = await alice.newTab(world.thread(peer));
  await atAlice.tell({ latencyMs: 1500 });
  const texts = ["first", "second", "third"];
  for (const text of texts) await alice.write(text);
  await alice.page.close();
  await atAlice.tell({ latencyMs: 0 });
  await eventually(async () => assert.deepEqual(await sentTo(peer), texts), { within: 20_000 });
  await eventually(async () => assert.deepEqual(await shown(other), texts), { within: 10_000 });
  await eventually(async () => assert.equal(await other.locator(".unsent").count(), 0));
});

test("two tabs show the same queue", async () => {
  const peer = "twins.example";
  await aliceWritesTo(peer);
  const other = await alice.newTab(world.thread(peer));
  await alice.hears("hello from", { page: other });
  await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
  await alice.write("from one");
  await alice.bubble("from one", other).waitFor();
  await alice.write("from the other", other);
  for (const page of [alice.page, other]) {
    await eventually(async () => assert.deepEqual(await shown(page), ["from one", "from the other"]));
  }
  await alice.bubble("from one", other).getByRole("button", { name: "Discard" }).click();
  await eventually(async () => assert.deepEqual(await shown(), ["from the other"]));
  await atAlice.tell({ failures: [] });
  await alice.bubble("from the other").getByRole("button", { name: "Retry" }).click();
  for (const page of [alice.page, other]) await alice.hears("from the other", { page });
  assert.deepEqual(await sentTo(peer), ["from the other"]);
});

test("a session that ends keeps what waits for the same person's return", async () => {
  const peer = "return.example";
  await aliceWritesTo(peer);
  await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
  await alice.write("be patient");
  await alice.bubble("be patient").getByText("Not sent yet").waitFor();
  await field().fill("half a thought");
  await world.service.restart();
  await alice.page.waitForURL(/\/login/, { timeout: 20_000 * busyness() });
  await atAlice.tell({ failures: [] });
  await alice.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await alice.arrived();
  await alice.hears("be patient", { within: 15_000 });
  assert.equal(await field().inputValue(), "half a thought");
  assert.deepEqual(await sentTo(peer), ["be patient"]);
});

test("a page left open while somebody else signs in sends nothing in their name", async () => {
  const peer = "mixed.example";
  await aliceWritesTo(peer);
  const before = await sentTo(peer);
  const response = await alice.page.evaluate(async () => {
    const body = new URLSearchParams({ key: crypto.randomUUID(), text: "not mine", account: "someone-else" });
    return (await fetch(document.getElementById("composer").action, { method: "POST", body })).status;
  });
  assert.equal(response, 401);
  assert.deepEqual(await sentTo(peer), before);
});

test("signing out leaves neither drafts nor what waited", async () => {
  const peer = "secret.example";
  await aliceWritesTo(peer);
  await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
  await alice.write("top secret");
  await alice.bubble("top secret").getByText("Not sent yet").waitFor();
  await field().fill("secret too");
  await alice.signOut();
  assert.doesNotMatch(await alice.page.evaluate(() => JSON.stringify({ ...localStorage })), /secret/);
});

describe("drafts", () => {
  test("each conversation keeps its own, and the list shows it", async () => {
    await aliceWritesTo("one.example");
    await atAlice.receive([{ peer: "two.example", text: "hi" }]);
    await alice.line("two.example").waitFor();
    await field().fill("for <b>one</b>");
    await alice.open("two.example");
    const line = alice.line("one.example");
    await eventually(async () => assert.equal(await line.locator(".waiting").innerText(), "Draft: for <b>one</b>"));
    assert.ok(!(await line.locator(".preview").isVisible()));
    assert.equal(await alice.line("two.example").locator(".waiting").count(), 0);
    // It stays through new drawings of the list.
    await atAlice.receive([{ peer: "one.example", text: "news" }]);
    await alice.badge("one.example", 1);
    assert.equal(await line.locator(".waiting").innerText(), "Draft: for <b>one</b>");
    await alice.page.reload();
    await eventually(async () => assert.equal(await line.locator(".waiting").innerText(), "Draft: for <b>one</b>"));
    await alice.open("one.example");
    assert.equal(await field().inputValue(), "for <b>one</b>");
    await field().fill("");
    await alice.open("two.example");
    await eventually(async () => assert.equal(await line.locator(".waiting").count(), 0));
  });

  test("two tabs on one conversation have one draft, and neither takes it from the other", async () => {
    const peer = "desk.example";
    await aliceWritesTo(peer);
    const other = await alice.newTab(world.thread(peer));
    // A third hears nothing of it, as one that was asleep.
    const asleep = await alice.context.newPage();
    await asleep.addInitScript(() => addEventListener("storage", (event) => event.stopImmediatePropagation()));
    await asleep.goto(world.thread(peer));
    await field(asleep).waitFor();
    await field().fill("half a thought");
    await eventually(async () => assert.equal(await field(other).inputValue(), "half a thought"));
    assert.equal(await field(asleep).inputValue(), "");
    for (const page of [asleep, other]) await page.goto(`${world.service.url}/healthz`);
    await other.goto(world.thread(peer));
    assert.equal(await field(other).inputValue(), "half a thought");
    await field(other).fill("a whole one");
    await eventually(async () => assert.equal(await field().inputValue(), "a whole one"));
    await field(other).press("Enter");
    await alice.hears("a whole one");
    await eventually(async () => assert.equal(await field().inputValue(), ""));
    assert.equal((await sentTo(peer)).length, 1);
  });

  test("what could not be sent shows in the list too", async () => {
    await aliceWritesTo("list.example");
    await alice.context.setOffline(true);
    await alice.write("stuck here");
    await eventually(async () =>
      assert.equal(await alice.line("list.example").locator(".waiting").innerText(), "Not sent: stuck here"),
    );
    await alice.context.setOffline(false);
    await alice.hears("stuck here");
    await eventually(async () => assert.equal(await alice.line("list.example").locator(".waiting").count(), 0));
  });
});
