// axe-core looks at every page, in both themes and at both sizes, and finds nothing; and the order in
// which the keyboard goes through a page is that of the eye.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
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

/** Whatever axe finds on the page as it stands now; at night only what depends on colours. */
async function look(on, colorScheme) {
  if (!(await on.evaluate(() => "axe" in window))) await on.evaluate(axe.source);
  const violations = await on.evaluate(async (only) => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"], ...only });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, any }) => [html, any[0]?.message]) }));
  }, colorScheme === "dark" ? { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } } : {});
  return violations;
}

/** In both sizes and themes. `where` names the page. */
async function isAccessible(where, on = page) {
  for (const size of [PHONE, DESKTOP]) {
    await on.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await on.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await look(on, colorScheme), [], `${where} at ${size.width} px, ${colorScheme}`);
    }
  }
  await on.setViewportSize(DESKTOP);
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
  await page.goto(`${world.thread("choir.example/rooms/harbour-choir")}`);
  await shown("#scroll .msg");
  await page.locator("#scroll").evaluate((box) => (box.scrollTop = 0));
  await isAccessible("history");
  await at("/search?q=the");
  await page.locator("#found .result").last().click();
  await shown("#scroll .msg");
  await isAccessible("a message that was jumped to");
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
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("#own-name").waitFor();
  await page.locator("#settings .own-address summary").click();
  await isAccessible("one's address as a QR code");
});

test("without JavaScript", async () => {
  const { service, servers } = world;
  const context = await world.browser.newContext();
  await context.addCookies(await person.context.cookies());
  const plain = await context.newPage();
  // axe is a script itself: it looks at what a browser without any would show.
  await plain.route("**/*", async (route) => {
    if (route.request().resourceType() !== "document") return route.continue();
    const response = await route.fetch();
    const body = (await response.text()).replace(/<\/?noscript>|<script[^>]*><\/script>/g, "");
    return route.fulfill({ response, body });
  });
  for (const path of ["/", "/settings", "/new", "/search?q=the", new URL(world.thread(servers.bob.peer)).pathname]) {
    await plain.goto(service.url + path);
    await plain.locator("body").getByText("JavaScript is switched off here.").waitFor();
    await isAccessible(`${path} without JavaScript`, plain);
  }
  await context.clearCookies();
  await plain.goto(`${service.url}/login`);
  await isAccessible("sign-in without JavaScript", plain);
  await context.close();
});

test("menus, dialogs and banners", async () => {
  await page.goto(world.thread(world.servers.bob.peer));
  await shown("#scroll .msg");
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await isAccessible("one's own menu");
  await page.locator("#own-menu summary").click();
  await isAccessible("one's own menu with the QR code");
  await page.keyboard.press("Escape");
  for (const [peer, question] of [[world.servers.bob.peer, "Remove conversation"], [world.servers.room.peer, "Leave the room"]]) {
    await page.goto(world.thread(peer));
    await page.getByRole("button", { name: "More" }).click();
    await isAccessible("a conversation's menu");
    await page.getByRole("button", { name: question }).click();
    await shown("dialog.ask[open]");
    await isAccessible(question);
    await page.keyboard.press("Escape");
  }
  await page.locator("#unread-only").click();
  await isAccessible("only unread conversations");
  await page.locator("#unread-only").click();
  await page.goto(world.thread(world.servers.bob.peer));
  await shown("#scroll .msg");
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
  await world.servers.alice.stop();
  await page.locator("#health .when-unreachable").waitFor({ timeout: 20_000 * busyness() });
  await isAccessible("a posta-server that is away");
  await world.servers.alice.restart();
  await page.locator("#health[data-state=ok]").waitFor({ state: "attached", timeout: 40_000 * busyness() });
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
