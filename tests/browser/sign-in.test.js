// Sessions: how they begin, and every way in which they end.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Authenticator } from "./harness/authenticator.js";
import { EXPECTED, busyness, eventually, setVisible } from "./harness/page.js";
import { World } from "./harness/world.js";

let world;

before(async () => {
  world = await World.build({
    names: ["Alice"],
    browser: { without: ["--disable-back-forward-cache"] },
  });
});
after(() => world?.end());
afterEach(() => world.goHome());

async function refused(person) {
  await person.page.goto(`${world.service.url}/login`);
  await person.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await person.page.locator("#auth-error").filter({ hasText: /./ }).waitFor();
  assert.equal(new URL(person.page.url()).pathname, "/login");
  return person.page.locator("#auth-error").innerText();
}

test("signing in leads to the page first asked for", async () => {
  const person = await world.member("Alice");
  await person.signOut();
  await person.page.goto(world.thread("nobody.example"));
  await person.page.waitForURL(/\/login\?next=/);
  await person.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await person.page.waitForURL(world.thread("nobody.example"));
});

test("a passkey among the browser's suggestions signs in without the button", async () => {
  const person = await world.member("Alice", { suggestions: true });
  // The software authenticator takes every suggestion at once.
  await person.page.getByRole("button", { name: /^Your menu/ }).click();
  await person.page.getByRole("button", { name: "Sign out" }).click();
  await person.page.waitForURL("**/login");
  await person.arrived();
});

test("passkeys that open nothing here all hear the same", async () => {
  const person = await world.member("Alice");
  await person.signOut();
  person.watch.expect(EXPECTED.unauthorized);
  const words = new Set();
  for (const bits of [{ isBogusSignature: true }, { isBadUV: true }, { isBadUP: true }]) {
    await person.authenticator.lie({ isBogusSignature: false, isBadUV: false, isBadUP: false, ...bits });
    words.add(await refused(person));
  }
  await person.authenticator.lie({ isBogusSignature: false, isBadUV: false, isBadUP: false });
  await person.signIn(world.service);
  await person.signOut();
  // An account that is no more.
  await world.service.admin("user", "delete", "Alice");
  words.add(await refused(person));
  assert.equal(words.size, 1, [...words].join(" / "));
});

test("an authenticator that cannot verify its user says so", async () => {
  const person = await world.member("Alice");
  await person.signOut();
  await person.authenticator.verifyUser(false);
  assert.match(await refused(person), /cancelled|no passkey/);
});

test("a passkey that has lost its PRF opens nothing, and hears no more than any other", async () => {
  const person = await world.member("Alice");
  await person.signOut();
  person.watch.expect(EXPECTED.unauthorized);
  const [credential] = await person.authenticator.credentials();
  await person.authenticator.unplug();
  person.authenticator = await Authenticator.plugInto(person.page, "no PRF");
  await person.authenticator.add(credential);
  assert.match(await refused(person), /does not open an account here/);
});

test("signing out ends all tabs, shows nothing on the way back, and forgets drafts", async () => {
  const person = await world.member("Alice");
  person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  const thread = world.thread("nobody.example");
  await person.page.goto(thread);
  await person.page.getByRole("textbox", { name: "Message" }).fill("a secret draft");
  const other = await person.newTab(thread);
  await other.getByRole("textbox", { name: "Message" }).fill("another secret");
  await person.signOut();
  await other.waitForURL(/\/login/, { timeout: 1000 * busyness() });
  const kept = await person.page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.doesNotMatch(kept, /secret/);
  await person.page.goBack();
  await person.page.waitForURL(/\/login/);
  assert.equal(await person.page.locator("#thread").count(), 0);
  await person.signIn(world.service, `/login?next=${encodeURIComponent(new URL(thread).pathname)}`);
  assert.equal(await person.page.getByRole("textbox", { name: "Message" }).inputValue(), "");
});

test("signing out while a page waits in the back-forward cache shows nothing on the way back", async () => {
  // A service worker in charge would hide the navigation from this test.
  const person = await world.member("Alice", { context: { serviceWorkers: "block" } });
  person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  const thread = world.thread("nobody.example");
  await person.page.route(thread, async (route) => {
    const response = await route.fetch();
    const { "cache-control": _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await person.page.goto(thread);
  await person.page.unroute(thread);
  await person.page.evaluate(() => {
    // What is on the page when it is shown again; told to the other tab, since a page that leaves the
    // cache and itself in one moment can't always be asked.
    window.addEventListener("pageshow", () => localStorage.setItem("shown", String(!document.body.hidden)));
  });
  await person.page.goto(`${world.service.url}/healthz`);
  const other = await person.newTab(world.service.url);
  await person.signOut(other);
  await person.page.goBack({ waitUntil: "commit" });
  await eventually(() => assert.match(person.page.url(), /\/login/));
  assert.notEqual(await other.evaluate(() => localStorage.getItem("shown")), "true");
});

test("a user who is deleted on the host is signed out within two seconds", async () => {
  const person = await world.member("Alice");
  person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  await world.service.admin("user", "delete", "Alice");
  await person.page.waitForURL(/\/login/, { timeout: 2500 * busyness() });
});

test("a restart of the service forgets sessions, and nothing that was typed", async () => {
  const person = await world.member("Alice");
  person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  await person.page.goto(world.thread("nobody.example"));
  await person.page.getByRole("textbox", { name: "Message" }).fill("half a thought");
  await world.service.restart();
  await person.page.waitForURL(/\/login\?next=/, { timeout: 10_000 * busyness() });
  await person.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await person.page.waitForURL(world.thread("nobody.example"));
  assert.equal(await person.page.getByRole("textbox", { name: "Message" }).inputValue(), "half a thought");
});

describe("time", () => {
  let brief;
  before(async () => {
    const options = { names: ["Alice"], serve: ["--session-idle", "2s", "--session-max", "6s"] };
    brief = await World.build(options);
  });
  after(() => brief?.end());
  afterEach(() => brief.goHome());

  test("a tab that is looked at keeps the session; one that is not does not", async () => {
    const person = await brief.member("Alice");
    person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
    const began = Date.now();
    await person.page.goto(brief.thread("nobody.example"));
    // Longer than the idle time: the visible tab counts as activity.
    await eventually(() => assert.ok(Date.now() - began > 3000), { within: 4000 });
    assert.equal(await person.page.locator("#thread").count(), 1);
    await person.page.getByRole("textbox", { name: "Message" }).fill("not lost");
    await setVisible(person.page, false);
    await person.page.waitForURL(/\/login\?next=/, { timeout: 4000 * busyness() });
    await person.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await person.page.waitForURL(brief.thread("nobody.example"));
    assert.equal(await person.page.getByRole("textbox", { name: "Message" }).inputValue(), "not lost");
  });

  test("after the longest time a session ends, also one in use", async () => {
    const person = await brief.member("Alice");
    person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
    await person.page.waitForURL(/\/login/, { timeout: 9000 * busyness() });
  });
});

test("two minutes before the end the page says so, until somebody looks at it", async () => {
  const soon = await World.build({ names: ["Alice"], serve: ["--session-idle", "122s"] });
  try {
    const person = await soon.member("Alice");
    const ending = person.page.locator("#session-ending");
    await setVisible(person.page, false);
    await ending.waitFor({ timeout: 5000 * busyness() });
    await setVisible(person.page, true);
    await ending.waitFor({ state: "hidden" });
    await soon.goHome();
  } finally {
    await soon.end();
  }
});
