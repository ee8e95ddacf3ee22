// Everything by keyboard, and nothing taken from who writes.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { busyness, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

let world;
let atAlice;
let atBob;
let alice;
let page;

before(async () => {
  world = await World.build();
  atAlice = world.servers.Alice;
  atBob = world.servers.Bob;
  const now = Date.now();
  await atAlice.receive(
    ["ana.example", "bea.example", "cy.example", "dee.example"].map((peer, n) => ({
      peer,
      text: `hello from ${peer}`,
      at: now - (n + 1) * 60_000,
    })),
  );
});
after(() => world?.end());
afterEach(() => world.goHome());

async function aliceReads(peer = "ana.example", options) {
  alice = await world.member("Alice", options);
  page = alice.page;
  await page.goto(world.thread(peer));
  await eventually(async () => assert.equal(await focused(), "text"));
}

const field = () => page.getByRole("textbox", { name: "Message" });
const jump = () => page.getByRole("dialog", { name: "Jump to a conversation" });
const help = () => page.getByRole("dialog", { name: "Keyboard" });
const chosen = () => page.locator("#jump-list [aria-selected=true]");
/** The id of what has the focus, or its tag. */
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
const open = () => page.locator("#thread").getAttribute("data-peer");
async function opens(peer) {
  await page.locator(`#thread[data-peer="${peer}"]`).waitFor();
  await eventually(async () => assert.equal(await focused(), "text"));
}

test("Ctrl+K jumps to a conversation by a few letters", async () => {
  await aliceReads();
  await field().fill("half a thought");
  await page.keyboard.press("Control+k");
  await jump().waitFor();
  assert.equal(await focused(), "jump-field");
  assert.equal(await page.locator("#jump-list [role=option]").count(), await page.locator("#contacts [data-peer]").count());
  await page.keyboard.type("be");
  assert.equal(await chosen().locator(".name").innerText(), "bea.example");
  const typed = page.getByRole("combobox", { name: "Name or address" });
  assert.equal(await typed.getAttribute("aria-activedescendant"), await chosen().getAttribute("id"));
  await page.locator("#jump-count", { hasText: /^1 conversation$/ }).waitFor();
  await page.keyboard.press("Enter");
  await opens("bea.example");
  assert.equal(await jump().count(), 0);
  assert.equal(await field().inputValue(), "");

  // Arrows move and wrap; Esc gives the focus back, with nothing changed.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("example");
  const first = await chosen().innerText();
  await page.keyboard.press("ArrowUp");
  assert.notEqual(await chosen().innerText(), first);
  await page.keyboard.press("ArrowDown");
  assert.equal(await chosen().innerText(), first);
  await page.keyboard.press("Escape");
  assert.equal(await jump().count(), 0);
  assert.equal(await focused(), "text");
  assert.equal(await open(), "bea.example");

  // What was half written waits where it was.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("ana");
  await page.keyboard.press("Enter");
  await opens("ana.example");
  assert.equal(await field().inputValue(), "half a thought");
});

test("an address that is no conversation yet starts one", async () => {
  await aliceReads();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("https://New.Example/");
  assert.match(await chosen().innerText(), /^Start a conversation with\s+new\.example$/);
  await page.keyboard.press("Enter");
  await opens("new.example");
  assert.equal(page.url(), world.thread("new.example"));
  // A pointer does the same; nothing that fits says so.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("nobody at all");
  await page.locator("#jump-count", { hasText: "No conversation fits" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("combobox").fill("cy");
  await page.getByRole("option", { name: /cy\.example/ }).click();
  await opens("cy.example");
  await page.keyboard.press("Control+k");
  await page.mouse.click(5, 5);
  assert.equal(await jump().count(), 0);
});

test("? shows the keys, from the menu too, and gives the focus back", async () => {
  await aliceReads();
  await page.locator("#scroll").focus();
  await page.keyboard.press("?");
  await help().getByText("Jump to a conversation").waitFor();
  // Nothing else happens behind it.
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Control+k");
  assert.equal(await open(), "ana.example");
  assert.equal(await jump().count(), 0);
  await page.keyboard.press("Escape");
  assert.equal(await help().count(), 0);
  assert.equal(await focused(), "scroll");
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await page.getByRole("button", { name: "Keyboard" }).click();
  await help().getByRole("button", { name: "Close" }).click();
  assert.match(await page.evaluate(() => document.activeElement.className), /\bown\b/);
});

test("/ goes to the search, or to what finds a conversation", async () => {
  await aliceReads();
  await page.locator("#scroll").focus();
  await page.keyboard.press("/");
  await eventually(async () => {
    const found = await page.evaluate(() => document.activeElement.matches("[type=search], #jump-field"));
    assert.ok(found);
    assert.equal(await page.evaluate(() => document.activeElement.value), "");
  });
  await page.keyboard.press("Escape");
  assert.ok(!(await page.evaluate(() => document.activeElement.matches("[type=search], #jump-field"))));
});

test("who writes loses no key", async () => {
  await aliceReads();
  await field().pressSequentially("what? and/or k");
  assert.equal(await field().inputValue(), "what? and/or k");
  for (const key of ["ArrowUp", "Escape", "ArrowDown", "Home", "ArrowUp"]) await page.keyboard.press(key);
  assert.equal(await focused(), "text");
  assert.equal(await field().inputValue(), "what? and/or k");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  // An input method's keys, and another script's letters where K is.
  await field().evaluate((text) => {
    const press = (init) => text.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
    press({ key: "k", code: "KeyK", ctrlKey: true, isComposing: true });
    press({ key: "k", code: "KeyK", ctrlKey: true, keyCode: 229 });
  });
  assert.equal(await jump().count(), 0);
  await field().evaluate((text) =>
    text.dispatchEvent(new KeyboardEvent("keydown", { key: "л", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true })),
  );
  await jump().waitFor();
});

test("Alt and an arrow go along the list, as fast as one presses", async () => {
  await aliceReads();
  const peers = await page.locator("#contacts [data-peer]").evaluateAll((all) => all.map((line) => line.dataset.peer));
  const at = peers.indexOf("ana.example");
  await page.keyboard.press("Alt+ArrowDown");
  await opens(peers[at + 1]);
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Alt+ArrowDown");
  await opens(peers[at + 3]);
  await field().fill("also while writing");
  await page.keyboard.press("Alt+ArrowUp");
  await opens(peers[at + 2]);
  // At the end it stays.
  for (let press = 0; press < peers.length + 2; press += 1) await page.keyboard.press("Alt+ArrowDown");
  await opens(peers.at(-1));
});

test("up from an empty field are the last own message's actions", async () => {
  await aliceReads(atBob.peer, {
    context: { permissions: ["clipboard-read", "clipboard-write"] },
  });
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "text", "nothing of one's own is there yet");
  await alice.write("first of mine");
  await alice.hears("first of mine");
  await alice.bubble("first of mine").locator(".state.delivered").waitFor();
  await atBob.tell({ failures: [{ path: "POST /", status: 503, code: "internal" }] });
  await alice.write("second of mine");
  const failed = alice.bubble("second of mine");
  await failed.locator(".state.failed-pending-user").waitFor({ timeout: 20_000 * busyness() });

  const name = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focused(), "text");
  await page.keyboard.press("ArrowUp");
  assert.equal(await name(), "Retry");
  await page.keyboard.press("ArrowRight");
  assert.equal(await name(), "Copy");
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement.parentElement).opacity), "1");
  await page.keyboard.press("Enter");
  await page.locator("#status", { hasText: "Copied" }).waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "second of mine");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "text");

  // A retry takes its button away, and not the keyboard with it.
  await page.keyboard.press("ArrowUp");
  assert.equal(await name(), "Retry");
  await atBob.tell({ failures: [] });
  await page.keyboard.press("Enter");
  await failed.locator(".state.delivered").waitFor();
  await eventually(async () => assert.notEqual(await focused(), "BODY"));
});

test("Esc on a phone leads back to the list, to the line one came from", async () => {
  await aliceReads("bea.example", { context: { viewport: { width: 375, height: 812 } } });
  await page.keyboard.press("Escape");
  await page.locator("#welcome").waitFor({ state: "attached" });
  await eventually(async () =>
    assert.equal(await page.evaluate(() => document.activeElement.dataset.peer), "bea.example"),
  );
  await page.keyboard.press("Enter");
  await opens("bea.example");
  // On a wide screen there is nothing to go back to.
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Escape");
  assert.equal(await open(), "bea.example");
});

test("on a Mac the keys have its names, and Ctrl+K stays its own", async () => {
  alice = await world.member("Alice");
  page = alice.page;
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "userAgentData", { value: undefined });
    Object.defineProperty(navigator, "platform", { value: "MacIntel" });
  });
  await page.goto(world.thread("ana.example"));
  await page.keyboard.press("Control+k");
  assert.equal(await jump().count(), 0);
  await page.keyboard.press("Meta+k");
  await jump().waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#scroll").focus();
  await page.keyboard.press("?");
  assert.match(await help().innerText(), /Cmd \+ K[\s\S]*Option \+ ↑ or Option \+ ↓/);
});
