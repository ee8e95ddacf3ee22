// axe-core looks at every page, in both themes and at both sizes, and finds nothing; and the order in
// which the keyboard goes through a page is that of the eye.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { EXPECTED, eventually } from "./harness/page.js";
import { DESKTOP, PHONE } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let person;
let page;

before(async () => {
  world = await World.build({ cast: true });
  person = await world.visitor();
  person.watch.expect(...Object.values(EXPECTED));
  page = person.page;
});
after(async () => {
  await world?.goHome();
  await world?.end();
});

/** Whatever axe finds on the page as it stands now. */
async function look() {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, any }) => [html, any[0]?.message]) }));
  });
  return violations;
}

/** In both sizes and themes. `where` names the page. */
async function isAccessible(where, { sizes = [PHONE, DESKTOP] } = {}) {
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await look(), [], `${where} at ${size.width} px, ${colorScheme}`);
    }
  }
  await page.setViewportSize(DESKTOP);
}

const at = (path) => page.goto(world.service.url + path);
const shown = (place) => page.locator(place).first().waitFor();

test("sign-up and sign-in", async () => {
  await at("/login");
  await isAccessible("sign-in");
  await at("/register?code=no");
  await isAccessible("an invalid invite");
  await at("/nothing");
  await isAccessible("an error");
  await at("/offline");
  await isAccessible("the offline page");
  const invite = await world.service.invite("Alice");
  await page.goto(invite);
  await isAccessible("step 1");
  await person.connect(invite, "posta+v1://cut-short");
  await page.locator("#uri-error").filter({ hasText: /./ }).waitFor();
  await isAccessible("an error in step 1");
  await person.connect(invite, await world.servers.alice.pairingUri());
  const button = page.getByRole("button", { name: "Create passkey" });
  await button.waitFor();
  await isAccessible("step 2");
  await person.cancelNext("create");
  await button.click();
  await page.locator("#auth-error").filter({ hasText: /./ }).waitFor();
  await isAccessible("an error in step 2");
  await button.click();
  await person.arrived();
});

test("the list and conversations", async () => {
  const { alice, bob, room } = world.servers;
  await isAccessible("the list");
  await page.goto(world.thread(bob.peer));
  await shown("#scroll .msg");
  await isAccessible("a conversation");
  await alice.receive([{ peer: "x.example", text: "unread" }]);
  await person.badge("x.example", 1);
  await isAccessible("with something unread");
  await page.goto(world.thread(room.peer));
  await shown("#scroll .msg");
  await isAccessible("a room");
  await page.goto(world.thread("nobody.example"));
  await isAccessible("an empty conversation");
  await page.goto(world.thread(bob.peer));
  await shown("#scroll .msg");
  await page.locator("#pick").setInputFiles({ name: "x.txt", mimeType: "", buffer: Buffer.from("x") });
  await page.locator("#attached .error").filter({ hasText: /./ }).waitFor();
  await isAccessible("a picture that is none");
  await page.getByRole("button", { name: "Discard" }).click();
  const png = await page.evaluate(() => document.createElement("canvas").toDataURL().split(",")[1]);
  await page.locator("#pick").setInputFiles({ name: "x.png", mimeType: "", buffer: Buffer.from(png, "base64") });
  await page.getByRole("button", { name: "Send image" }).waitFor();
  await isAccessible("a picture before it is sent");
  await page.getByRole("button", { name: "Discard" }).click();
  await alice.tell({ failures: [{ path: "POST /api/v1/messages", status: 422, times: 1 }] });
  await person.write("refused");
  await page.locator(".msg.unsent .trouble").waitFor();
  await isAccessible("a message that was not sent");
  await page.locator(".msg.unsent").getByRole("button", { name: "Discard" }).click();
});

test("search, new conversations and settings", async () => {
  await at("/search?q=the");
  await shown("#found .result");
  await isAccessible("search results");
  await at("/search?q=nothing-has-this");
  await isAccessible("a search without results");
  await at("/new");
  await isAccessible("a new conversation");
  await page.getByRole("textbox").last().fill(world.servers.echo.peer);
  await page.getByText(/Sending to/).waitFor();
  await isAccessible("a new conversation's preview");
  await at("/settings");
  await shown("#passkeys summary");
  await isAccessible("the settings");
  for (const summary of await page.locator("#pairing summary, #account summary").all()) await summary.click();
  await page.locator("#passkeys summary").first().click();
  await isAccessible("the settings, opened");
});

test("menus, dialogs and banners", async () => {
  await page.goto(world.thread(world.servers.bob.peer));
  await shown("#scroll .msg");
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await isAccessible("one's own menu");
  await page.keyboard.press("Escape");
  await page.locator("#text").focus();
  await page.keyboard.press("Control+k");
  await shown("dialog[open]");
  await isAccessible("the jump");
  await page.keyboard.press("Escape");
  await page.locator("#scroll").focus();
  await page.keyboard.press("?");
  await shown("dialog[open]");
  await isAccessible("the keys");
  await page.keyboard.press("Escape");
  await person.context.setOffline(true);
  await page.locator("#health[data-state=offline]").waitFor({ state: "attached" });
  await isAccessible("offline");
  await person.context.setOffline(false);
  await page.locator("#health[data-state=ok]").waitFor({ state: "attached" });
  await page.locator("#session-ending").evaluate((banner) => (banner.hidden = false));
  await isAccessible("the session's end");
  await page.locator("#session-ending").evaluate((banner) => (banner.hidden = true));
  await world.servers.alice.tell({ revokeTokens: true });
  await page.reload();
  await page.locator("#health .when-refused").waitFor();
  await isAccessible("a refused token");
});

test("landmarks are there once, and the keyboard goes as the eye does", async () => {
  await page.goto(world.thread(world.servers.bob.peer));
  await page.setViewportSize(DESKTOP);
  const landmarks = await page.evaluate(() => ["nav", "main", "h1", "[role=log]", "form#composer"].map((name) => document.querySelectorAll(name).length));
  assert.deepEqual(landmarks, [1, 1, 1, 1, 1]);
  await page.evaluate(() => document.activeElement.blur());
  const order = [];
  await eventually(async () => {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const { activeElement } = document;
      return activeElement.closest("#banners, .skip, #sidebar header, .side-tools, #contacts, .thread-head, #scroll, #composer")?.id || activeElement.closest("[class]")?.className || "body";
    });
    order.push(where);
    assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  });
  // It went on from where the focus was, and around.
  const parts = order.slice(order.findIndex((part) => part.includes("skip")));
  const first = (name) => parts.findIndex((part) => part.includes(name));
  const ways = ["skip", "contacts", "scroll", "composer"].map(first);
  assert.ok(ways.every((place) => place >= 0), parts.join(" "));
  assert.deepEqual([...ways].sort((a, b) => a - b), ways, parts.join(" "));
});
