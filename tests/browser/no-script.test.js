// Without JavaScript: reading and sending are links and forms. Signing in is not, and says so.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

let world;
let atAlice;
let atBob;
let alice;
let page;

const HOUR = 3_600_000;

before(async () => {
  world = await World.build();
  atAlice = world.servers.Alice;
  atBob = world.servers.Bob;
});
after(() => world?.end());
afterEach(() => world.goHome());

/** Alice signs in with a script, and goes on in a browser that has none. */
async function withoutScript(context = {}) {
  const signedIn = await world.member("Alice");
  const storageState = await signedIn.context.storageState();
  alice = await world.visitor({ context: { javaScriptEnabled: false, storageState, ...context } });
  alice.watch.expect(EXPECTED.refused, EXPECTED.unauthorized, EXPECTED.unavailable);
  page = alice.page;
  return alice;
}

/** What stands in a `noscript`, where playwright's words and roles do not look. */
const spare = (selector, on = page) => on.locator(`noscript ${selector}`);
const field = () => page.getByRole("textbox", { name: "Message" });
const send = () => page.getByRole("button", { name: "Send" }).click();
const words = () => page.locator("#scroll .words").allInnerTexts();
/** How many bubbles say exactly this. */
const sent = async (text) => (await words()).filter((said) => said === text).length;

test("the list, a conversation and its history are read by links", async () => {
  const peer = "history.example";
  const began = Date.UTC(2025, 4, 12, 10, 0);
  await atAlice.receive(
    Array.from({ length: 120 }, (_, n) => ({ peer, text: `letter ${n}`, at: began + n * HOUR })),
  );
  await withoutScript();
  await page.goto(world.service.url);
  await spare(".banner").filter({ hasText: "JavaScript is switched off here." }).waitFor();
  await page.locator("#contacts").getByText("history.example").click();
  const bubble = (text) => page.locator("#scroll .words", { hasText: text });
  await bubble("letter 119").waitFor();
  // It opens at its end, as everywhere.
  const box = await page.locator("#scroll").boundingBox();
  const last = await bubble("letter 119").boundingBox();
  assert.ok(last.y > box.y && last.y + last.height <= box.y + box.height, JSON.stringify({ box, last }));
  // Times say their day and their zone.
  assert.match(await page.locator(".msg time").last().innerText(), /^17 May 2025, 09:00 UTC$/);
  const seen = new Set(await words());
  for (const first of [20, 0]) {
    await spare("a").filter({ hasText: "Older messages" }).click();
    await alice.bubble(`letter ${first}`).waitFor();
    for (const text of await words()) seen.add(text);
  }
  assert.equal(seen.size, 120);
  assert.equal(await spare("a").filter({ hasText: "Older messages" }).count(), 0);
  await spare("a").filter({ hasText: "To the newest messages" }).click();
  await bubble("letter 119").waitFor();
  // That it was read is said with a button, since no script can see it.
  await page.goto(world.service.url);
  assert.equal(await alice.line(peer).locator(".badge").count(), 1);
  await alice.line(peer).click();
  await spare("button").filter({ hasText: "Mark as read" }).click();
  await page.waitForURL(world.thread(peer));
  await page.goto(world.service.url);
  assert.equal(await alice.line(peer).locator(".badge").count(), 0);
});

test("a message is sent once, however often its form is submitted", async () => {
  await withoutScript();
  const bob = await world.member("Bob");
  await page.goto(world.thread(atBob.peer));
  await field().fill("Dear Bob,\nas plain as it gets");
  await send();
  await page.waitForURL(world.thread(atBob.peer));
  await alice.hears("as plain as it gets");
  assert.equal(await field().inputValue(), "");
  await page.reload();
  assert.equal(await sent("Dear Bob,\nas plain as it gets"), 1);

  // A double click is two requests of one form.
  await field().fill("twice is once");
  await page.getByRole("button", { name: "Send" }).dblclick();
  await alice.hears("twice is once");
  // So is going back and sending what still stands there.
  const key = await page.locator("#composer input[name=key]").getAttribute("value");
  for (let time = 0; time < 3; time += 1) {
    const answer = await alice.context.request.post(`${world.thread(atBob.peer)}/messages`, {
      form: { key, text: "three times is once" },
      headers: { origin: world.service.url, accept: "text/html" },
      maxRedirects: 0,
    });
    assert.equal(answer.status(), 303);
    assert.equal(answer.headers().location, new URL(world.thread(atBob.peer)).pathname);
  }
  await page.goto(world.thread(atBob.peer));
  assert.equal(await sent("twice is once"), 1);
  assert.equal(await sent("three times is once"), 1);
  // The same words again, from a new page, are a new message.
  for (let time = 0; time < 2; time += 1) {
    await field().fill("ok");
    await send();
    await page.waitForLoadState();
  }
  await eventually(async () => {
    await page.goto(world.thread(atBob.peer));
    assert.equal(await sent("ok"), 2);
  });
  await bob.page.goto(world.thread(atAlice.peer));
  await bob.hears("ok");
  const heard = await bob.page.locator(".words").allInnerTexts();
  assert.deepEqual(heard, [
    "Dear Bob,\nas plain as it gets",
    "twice is once",
    "three times is once",
    "ok",
    "ok",
  ]);
});

test("blank does nothing", async () => {
  await withoutScript();
  await page.goto(world.thread("blank.example"));
  await field().fill("  \n ");
  await send();
  await page.waitForURL(world.thread("blank.example"));
  assert.deepEqual(await words(), []);
  assert.equal(await page.locator("#send-error").innerText(), "");
});

test("what could not be sent stays where it was written, with the reason beside it", async () => {
  await withoutScript();
  await page.goto(world.thread("late.example"));
  await atAlice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503, times: 1 }] });
  const text = "\n<b>first</b> line\n  second & last";
  await field().fill(text);
  await send();
  await page.locator("#send-error").filter({ hasText: /./ }).waitFor();
  assert.equal(await field().inputValue(), text);
  assert.match(page.url(), /\/c\/late\.example\/messages$/);
  // Sent again as it stands it is the same message: the first try may have arrived after all.
  const key = () => page.locator("#composer input[name=key]").getAttribute("value");
  const first = await key();
  await send();
  await page.waitForURL(world.thread("late.example"));
  assert.notEqual(await key(), first);
  await alice.hears("second & last");
  assert.equal(await page.locator("#scroll .msg.out").count(), 1);

  // Too long: it is all still there.
  const long = "all of it ".repeat(5000);
  await field().fill(long);
  await send();
  await page.locator("#send-error").filter({ hasText: "too long" }).waitFor();
  assert.equal((await field().inputValue()).length, long.length);
});

test("a failed message is retried with its button", async () => {
  await withoutScript();
  await atBob.tell({ failures: [{ path: "POST /", status: 503, code: "internal" }] });
  await page.goto(world.thread(atBob.peer));
  await field().fill("once more, please");
  await send();
  const retry = page.getByRole("button", { name: "Retry" });
  await eventually(
    async () => {
      await page.reload();
      assert.equal(await retry.count(), 1);
    },
    { within: 20_000, every: 300 },
  );
  await atBob.tell({ failures: [] });
  await retry.click();
  await page.waitForURL(world.thread(atBob.peer));
  const bubble = page.locator(".msg.out", { hasText: "once more, please" });
  await eventually(async () => {
    await page.reload();
    assert.equal(await bubble.locator(".state.delivered").count(), 1);
  }, { within: 10_000, every: 300 });
});

test("a new conversation and signing out are forms", async () => {
  await withoutScript({ viewport: { width: 375, height: 812 } });
  await page.goto(world.service.url);
  await page.getByRole("link", { name: "New conversation" }).first().click();
  await page.getByRole("textbox", { name: "Address" }).fill("plain.example");
  await page.getByRole("button", { name: "Start" }).click();
  // Nobody answers there, which is said and stops nobody.
  await page.getByText("Couldn't reach this peer").waitFor();
  await page.getByRole("link", { name: "Start anyway" }).click();
  await page.waitForURL(world.thread("plain.example"));
  await field().waitFor();
  await page.getByRole("link", { name: "Back to conversations" }).click();
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${world.service.url}/login`);
  await page.goto(world.thread("plain.example"));
  await page.waitForURL(/\/login\?next=/);
});

test("a session that ended does not take the message with it", async () => {
  await withoutScript();
  await page.goto(world.thread("gone.example"));
  await field().fill("written for\na long time");
  await alice.context.clearCookies();
  await send();
  await page.getByRole("heading", { name: "You are signed out" }).waitFor();
  assert.equal(await page.getByLabel("Your message").inputValue(), "written for\na long time");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.waitForURL(`${world.service.url}/login?next=%2Fc%2Fgone.example`);
});

test("sign-in and sign-up say that they need a script, and offer nothing that would not work", async () => {
  const visitor = await world.visitor({ context: { javaScriptEnabled: false } });
  await visitor.page.goto(`${world.service.url}/login`);
  await spare("p", visitor.page).filter({ hasText: "Signing in needs JavaScript" }).waitFor();
  assert.equal(await visitor.page.getByRole("button", { name: /passkey/ }).count(), 0);
  await visitor.page.goto(await world.service.invite("Carol"));
  await spare("p", visitor.page).filter({ hasText: "Signing up needs JavaScript" }).waitFor();
});

test("where scripts run, nothing of this is seen", async () => {
  const person = await world.member("Alice");
  await person.page.goto(world.thread("history.example"));
  await person.hears("letter 119");
  const shown = await person.page.locator("body").innerText();
  assert.doesNotMatch(shown, /Older messages|JavaScript is switched off|Mark as read/);
  assert.doesNotMatch(await person.page.locator(".msg time").last().innerText(), /UTC/);
});
