// Rooms: who said what in them, once each, and how one leaves.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually } from "./harness/page.js";
import { DESKTOP, PHONE, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let servers;

before(async () => {
  world = await World.build({ cast: true });
  servers = world.servers;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function arrive(context = { viewport: DESKTOP }) {
  const alice = await world.visitor({ context });
  await alice.signUp(await world.service.invite("Alice"), await servers.alice.pairingUri());
  await alice.page.goto(world.thread(servers.room.peer));
  await alice.page.locator("#scroll .msg").last().waitFor();
  return alice;
}

/** Something that the room passes on, of whoever and whenever. */
function passOn(from, text, at) {
  const envelope = { version: 1, id: crypto.randomUUID(), from, to: servers.room.url, payload: { kind: "posta.text/v1", body: text } };
  const payload = {
    kind: "posta.room/v1",
    action: "broadcast",
    envelopeBytes: Buffer.from(JSON.stringify(envelope)).toString("base64"),
    signature: Buffer.alloc(64).toString("base64"),
  };
  return servers.alice.receive([{ peer: servers.room.peer, payload, at }]);
}

const author = (bubble) => bubble.locator(".author");

for (const viewport of [PHONE, DESKTOP]) {
  test(`broadcasts are their authors', in clusters, with name, colour and the room's, at ${viewport.width} px`, async () => {
    const alice = await arrive({ viewport });
    const words = (text) => `${text} at ${viewport.width}`;
    const now = Date.now();
    await passOn(servers.bob.url, words("one"), now - 3000);
    await passOn(servers.bob.url, words("two"), now - 2000);
    await passOn("https://zoe.example", words("three"), now - 1000);
    await alice.hears(words("three"));
    const [one, two, three] = ["one", "two", "three"].map((text) => alice.bubble(words(text)));
    assert.match(await author(one).innerText(), /^Bob.* via The Allotment$/);
    assert.equal(await author(two).count(), 0, "one breath, one name");
    assert.match(await author(three).innerText(), /^zoe\.example via The Allotment$/);
    assert.match(await one.getAttribute("class"), /\bfirst\b/);
    assert.doesNotMatch(await two.getAttribute("class"), /\bfirst\b/);
    const colour = (bubble) => author(bubble).locator("b").evaluate((name) => getComputedStyle(name).color);
    const bobs = await colour(one);
    // The same colour as everywhere, and another than somebody else's or the words'.
    const avatar = await two.locator(".avatar").getAttribute("class");
    const accent = /accent-\d/.exec(avatar)[0];
    assert.match(await author(one).locator("b").getAttribute("class"), new RegExp(accent));
    assert.notEqual(bobs, await one.locator(".words").evaluate((text) => getComputedStyle(text).color));
    await screens(alice.page, `room-authors-${viewport.width}`);
  });
}

test("what one says in a room is there once, also where the room gives it back", async () => {
  const alice = await arrive();
  await alice.write("my own words");
  await alice.bubble("my own words").locator(".state.delivered").waitFor();
  await alice.page.goto(world.thread(servers.bob.peer));
  await passOn(servers.alice.url, "my own words");
  await passOn(servers.bob.url, "somebody else's");
  await alice.badge(servers.room.peer, 1);
  await alice.open(servers.room.peer);
  await alice.hears("somebody else's");
  assert.equal(await alice.page.locator("#scroll .msg", { hasText: "my own words" }).count(), 1);
  assert.match(await alice.page.locator("#scroll .msg", { hasText: "my own words" }).getAttribute("class"), /\bout\b/);
  // The line that says what is new stands above what is.
  assert.match(await alice.page.locator("#new-line + .msg").innerText(), /somebody else's/);
  // An echo alone is neither unread nor the last word.
  await alice.page.goto(world.thread(servers.bob.peer));
  await passOn(servers.alice.url, "an echo alone");
  await passOn("https://zoe.example", "and then this");
  await eventually(async () => assert.match(await alice.line(servers.room.peer).textContent(), /zoe\.example: and then this/));
  await alice.badge(servers.room.peer, 1);
  await passOn(servers.alice.url, "a last echo");
  await new Promise((done) => setTimeout(done, 500));
  await alice.badge(servers.room.peer, 1);
  assert.match(await alice.line(servers.room.peer).innerText(), /and then this/);
  // Nor is it found twice.
  await alice.page.goto(`${world.service.url}/search?q=${encodeURIComponent("own words")}`);
  await alice.page.locator("#found .result").first().waitFor();
  assert.equal(await alice.page.locator("#found .result").count(), 1);
});

test("one leaves a room with a question before, and says so in it", async () => {
  const alice = await arrive();
  await alice.page.getByRole("button", { name: /More|Conversation menu|about/i }).last().click();
  await alice.page.getByRole("button", { name: /^Leave/ }).first().click();
  await screens(alice.page, "room-leave");
  await alice.page.getByRole("button", { name: /^Leave/ }).last().click();
  await alice.page.locator("#scroll .msg.note").filter({ hasText: "You left the room" }).last().waitFor();
  await eventually(async () => {
    const { payload } = (await servers.alice.messages(servers.room.peer)).at(-1);
    assert.deepEqual([payload.kind, payload.action], ["posta.room/v1", "leave"]);
  });
});
