// The settings: passkeys of every kind, sign-ins, and what becomes of an account.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { CLASSES } from "./harness/authenticator.js";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const PHONE = { viewport: { width: 375, height: 812 }, hasTouch: true };

let world;

before(async () => (world = await World.build({ names: ["Alice", "Bob"] })));
after(() => world?.end());
afterEach(() => world.goHome());

/** Somebody with an account, at their settings; what their authenticator is told is kept. */
async function atSettings({ context = {}, signals = true, kind } = {}) {
  const person = await world.visitor({ context, kind });
  await person.context.addInitScript((signals) => {
    if (!window.PublicKeyCredential) return;
    window.signalled = [];
    for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials"]) {
      if (signals) PublicKeyCredential[name] = async (told) => void window.signalled.push({ name, ...told });
      else delete PublicKeyCredential[name];
    }
  }, signals);
  await person.signUp(await world.service.invite("Alice"), await world.servers.Alice.pairingUri());
  await openSettings(person);
  return person;
}

async function openSettings({ page }) {
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Passkeys" }).waitFor();
}

const passkeys = ({ page }) => page.locator("#passkeys .rows > li");
const said = ({ page }, words) => page.locator("#settings-said").filter({ hasText: words }).waitFor();

/**
 * Adds a passkey on an authenticator of that kind; the one there is confirms it and is then out of
 * reach. Between the two stands a cancelled question, which a second press asks again.
 */
async function addOn(person, kind) {
  const button = person.page.getByRole("button", { name: "Add one on another device" });
  await person.cancelNext("create");
  await button.click();
  await person.page.locator("#passkeys .choices .error").filter({ hasText: "No passkey was made" }).waitFor();
  await person.authenticator.touch(false);
  const other = await person.authenticator.beside(kind);
  await button.click();
  return other;
}

async function removeFirst(person) {
  const row = passkeys(person).first();
  await row.locator("summary", { hasText: "Remove" }).click();
  await row.getByRole("button", { name: "Remove this passkey" }).click();
}

for (const [size, context] of [["phone", PHONE], ["desktop", {}]]) {
  test(`settings open from one's own menu (${size})`, async () => {
    const person = await atSettings({ context });
    assert.equal(new URL(person.page.url()).pathname, "/settings");
    assert.equal(await passkeys(person).count(), 1);
    assert.equal(await person.page.locator("#passkeys summary", { hasText: "Remove" }).count(), 0);
    await person.page.locator("#sign-ins .mark").waitFor();
    assert.match(await person.page.locator("#sign-ins .what").innerText(), /Chrome on Linux[^]*Signed in/);
    assert.doesNotMatch(await person.page.locator("#settings").innerText(), /UTC/);
    await person.page.reload();
    await person.page.getByRole("heading", { name: "Passkeys" }).waitFor();
    if (size === "phone") {
      await person.page.getByRole("link", { name: "Back to conversations" }).click();
      await person.page.locator("#contacts").waitFor();
    }
  });
}

test("a passkey is renamed where it stands, and the focus stays near", async () => {
  const person = await atSettings();
  const row = passkeys(person).first();
  await row.locator("summary", { hasText: "Rename" }).click();
  await row.getByLabel("Name").fill("My <laptop>");
  await row.getByRole("button", { name: "Save name" }).click();
  await row.locator(".name", { hasText: "My <laptop>" }).waitFor();
  await eventually(async () => {
    const focused = await person.page.evaluate(() => document.activeElement?.tagName);
    assert.equal(focused, "SUMMARY");
  });
  await person.page.reload();
  await row.locator(".name", { hasText: "My <laptop>" }).waitFor();
});

/** Built into a device: of these it has one. Then the first passkey is on a key. */
const beside = (kind) =>
  CLASSES[kind].transport === "internal" ? { kind: "security key with PRF at both" } : {};

for (const kind of ["PRF at create and get", "PRF only at get", "security key with PRF at both"]) {
  test(`a further passkey signs in: ${kind}`, async () => {
    const person = await atSettings(beside(kind));
    await addOn(person, kind);
    await said(person, "The passkey was added");
    assert.equal(await passkeys(person).count(), 2);
    // It asks for a name at once.
    await eventually(async () => {
      const focused = await person.page.evaluate(() => document.activeElement.id);
      assert.match(focused, /^name-/);
    });
    await person.page.keyboard.type("My key");
    await person.page.keyboard.press("Enter");
    await passkeys(person).locator(".name", { hasText: "My key" }).waitFor();
    await person.signOut();
    await person.signIn(world.service);
    await person.page.goto(`${world.service.url}/settings`);
    assert.match(await person.page.locator("#pairing").innerText(), /Connected\./);
  });
}

test("an authenticator without PRF is not added, and told to forget what it made", async () => {
  const person = await atSettings(beside("no PRF"));
  person.watch.expect(EXPECTED.refused);
  await addOn(person, "no PRF");
  await person.page.locator("#passkeys .choices .error").filter({ hasText: "has no PRF" }).waitFor();
  assert.equal(await passkeys(person).count(), 1);
  const [told] = await person.page.evaluate(() => window.signalled);
  assert.equal(told.name, "signalUnknownCredential");
  assert.equal(told.rpId, "localhost");
});

test("an authenticator that cannot verify its user is not added", async () => {
  const person = await atSettings(beside("user verification fails"));
  await addOn(person, "user verification fails");
  await person.page.locator("#passkeys .choices .error").filter({ hasText: /./ }).waitFor();
  assert.equal(await passkeys(person).count(), 1);
});

test("an authenticator has one passkey of an account, not two", async () => {
  const person = await atSettings();
  await person.page.getByRole("button", { name: "Add a passkey" }).click();
  const complaint = person.page.locator("#passkeys .choices .error").filter({ hasText: "has a passkey for your account already" });
  await complaint.waitFor();
  assert.equal(await passkeys(person).count(), 1);
});

for (const signals of [true, false]) {
  const how = signals ? "its keeper is told" : "a browser without the signal methods is not asked for them";
  test(`a passkey is removed with a touch, and opens nothing: ${how}`, async () => {
    const person = await atSettings({ context: signals ? {} : PHONE, signals });
    const other = await addOn(person, "PRF only at get");
    await said(person, "The passkey was added");
    // Somebody is signed in elsewhere with one of them.
    const theirs = await person.context.cookies();
    await other.touch(false);
    await person.authenticator.touch(true);
    await person.context.clearCookies();
    await person.signIn(world.service);
    const elsewhere = await world.visitor();
    elsewhere.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
    await elsewhere.context.addCookies(theirs);
    await elsewhere.page.goto(world.service.url);
    await elsewhere.page.locator("#welcome").waitFor({ state: "attached" });
    await person.page.goto(`${world.service.url}/settings`);
    // The touch that was cancelled leaves everything as it is.
    await person.cancelNext("get");
    await removeFirst(person);
    await passkeys(person).first().locator(".error").filter({ hasText: "cancelled" }).waitFor();
    assert.equal(await passkeys(person).count(), 2);
    await passkeys(person).first().getByRole("button", { name: "Remove this passkey" }).click();
    await said(person, "The passkey was removed");
    await eventually(async () => assert.equal(await passkeys(person).count(), 1));
    await person.page.locator("#offer-end-others").getByRole("button", { name: "End all other sign-ins" }).click();
    await elsewhere.page.waitForURL(/\/login/, { timeout: 3000 * busyness() });
    await person.page.getByText("You are signed in nowhere else.").waitFor();
    const told = await person.page.evaluate(() => window.signalled);
    if (signals) {
      assert.equal(told.at(-1).name, "signalAllAcceptedCredentials");
      assert.equal(told.at(-1).allAcceptedCredentialIds.length, 1);
    } else {
      assert.deepEqual(told, []);
    }
    // The removed one hears what every stranger hears, and its keeper that it is of no use.
    await person.page.goto(world.service.url);
    await person.signOut();
    person.watch.expect(EXPECTED.unauthorized);
    await other.touch(false);
    await person.authenticator.touch(true);
    await person.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await person.page.locator("#auth-error").filter({ hasText: "does not open an account here" }).waitFor();
    const last = await person.page.evaluate(() => window.signalled.at(-1)?.name);
    assert.equal(last, signals ? "signalUnknownCredential" : undefined);
    await person.authenticator.touch(false);
    await other.touch(true);
    await person.signIn(world.service);
  });
}

test("another sign-in is seen and ended, and its tabs know at once", async () => {
  const person = await atSettings();
  const [credential] = await person.authenticator.credentials();
  assert.ok(credential);
  // The same browser signs in a second time, under another name of a browser.
  const first = await person.context.cookies();
  await person.context.clearCookies();
  await person.signIn(world.service);
  const elsewhere = await world.visitor();
  elsewhere.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  await elsewhere.context.addCookies(first);
  await elsewhere.page.goto(world.thread("nobody.example"));
  await elsewhere.page.locator("#thread").waitFor();
  await openSettings(person);
  const rows = person.page.locator("#sign-ins .rows > li");
  assert.equal(await rows.count(), 2);
  await rows.getByRole("button", { name: /^End/ }).click();
  await elsewhere.page.waitForURL(/\/login/, { timeout: 3000 * busyness() });
  await eventually(async () => assert.equal(await rows.count(), 1));
  await person.page.getByText("You are signed in nowhere else.").waitFor();
  assert.equal(await person.page.locator("#sign-ins form").count(), 0);
});

test("a revoked token is replaced from the banner, and everything goes on without signing in", async () => {
  const person = await atSettings({ context: PHONE });
  const { page } = person;
  person.watch.expect(EXPECTED.refused);
  const thread = await person.newTab(world.thread("bob.example"));
  await thread.getByRole("textbox", { name: "Message" }).fill("half a thought");
  await world.servers.Alice.tell({ revokeTokens: true });
  // The page that is open says so by itself, and the banner leads to the field.
  await page.locator("#pairing", { hasText: "no longer accepts" }).waitFor();
  await page.goto(world.service.url);
  await page.getByRole("link", { name: "pair again" }).click();
  await page.locator("#pairing", { hasText: "no longer accepts" }).waitFor();
  // A token of somebody else, of nobody, and no token: said beside the field, which keeps it.
  const field = page.getByLabel("New pairing URI");
  const button = page.getByRole("button", { name: "Pair again" });
  const complaint = (words) => page.locator("#pairing .error").filter({ hasText: words }).waitFor();
  await field.fill("posta+v1://cut-short");
  await button.click();
  await complaint("no token");
  assert.equal(await field.inputValue(), "posta+v1://cut-short");
  await field.fill(await world.servers.Bob.pairingUri());
  await button.click();
  await complaint("Nothing was changed");
  await field.fill(await world.servers.Alice.pairingUri());
  await person.cancelNext("get");
  await button.click();
  await complaint("cancelled");
  await button.click();
  await said(person, "Paired again");
  await page.locator("#pairing", { hasText: "Connected." }).waitFor();
  assert.equal(await page.getByLabel("New pairing URI").inputValue(), "", "no token stays in the page");
  await page.locator("#health[data-state=ok]").waitFor({ state: "attached" });
  // The other tab goes on where it was, and hears of what comes.
  await world.servers.Alice.receive([{ peer: "bob.example", text: "there you are" }]);
  await person.hears("there you are", { page: thread });
  assert.equal(await thread.getByRole("textbox", { name: "Message" }).inputValue(), "half a thought");
  await thread.close();
  await page.goto(world.service.url);
  await person.signOut();
  await person.signIn(world.service);
  await page.goto(`${world.service.url}/settings`);
  await page.locator("#pairing", { hasText: "Connected." }).waitFor();
});

test("an account is deleted with a touch; every tab leaves, and nothing typed stays", async () => {
  const person = await atSettings();
  const { page } = person;
  person.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  const other = await person.newTab(world.thread("nobody.example"));
  await other.getByRole("textbox", { name: "Message" }).fill("a secret draft");
  await page.bringToFront();
  await page.locator("#account summary").click();
  await page.locator("#account", { hasText: "revoke this service's token" }).waitFor();
  await person.cancelNext("get");
  await page.getByRole("button", { name: "Delete my account for good" }).click();
  await page.locator("#account .error").filter({ hasText: "cancelled" }).waitFor();
  const users = (await world.service.users()).length;
  await page.getByRole("button", { name: "Delete my account for good" }).click();
  await page.waitForURL("**/login?deleted");
  await page.getByText("Your account here was deleted.").waitFor();
  await other.waitForURL(/\/login/, { timeout: 3000 * busyness() });
  assert.equal((await world.service.users()).length, users - 1);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.doesNotMatch(kept, /secret/);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.locator("#auth-error").filter({ hasText: "does not open an account here" }).waitFor();
});

test("the settings say at 320 px what they say at 1280", async () => {
  const person = await atSettings();
  for (const width of [320, 1280]) {
    await person.page.setViewportSize({ width, height: 800 });
    const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${width} px overflows by ${wide}`);
  }
});
