// The list of conversations: the unread ones alone, kinds, times that stay right, and taking one off.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { DESKTOP, PHONE, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

const MINUTE = 60_000;

let world;
let alice;
let page;
let server;

before(async () => {
  world = await World.build({ cast: true });
  server = world.servers.alice;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function come(viewport = DESKTOP) {
  alice = await world.visitor({ context: { viewport } });
  alice.watch.expect(...Object.values(EXPECTED));
  page = alice.page;
  await alice.signUp(await world.service.invite("Alice"), await server.pairingUri());
  await page.goto(world.service.url);
  await page.locator("#contacts .contact").first().waitFor();
}

const filter = (on = page) => on.getByRole("button", { name: "Unread" });
const listed = (on = page) =>
  on.locator("#contacts .contact").evaluateAll((all) => all.filter((c) => c.checkVisibility()).map((c) => c.dataset.peer));

async function remove(on = page) {
  await on.getByRole("button", { name: "More" }).click();
  await on.getByRole("button", { name: "Remove conversation" }).click();
  await on.getByRole("dialog", { name: "Remove this conversation?" }).waitFor();
}

for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`only unread conversations, if one likes, on a ${size}`, async () => {
    await come(viewport);
    const all = await listed();
    const unread = await page.locator("#contacts .unread").count();
    assert.ok(unread > 1 && unread < all.length);
    await filter().click();
    assert.equal(await filter().getAttribute("aria-pressed"), "true");
    await eventually(async () => assert.equal((await listed()).length, unread));
    await screens(page, `unread-${size}`);

    // Kept in this browser: loaded anew, and in another tab.
    await page.reload();
    assert.equal((await listed()).length, unread);
    const other = await alice.newTab(world.service.url);
    assert.equal((await listed(other)).length, unread);

    // The one that is read now stays as long as it is open, and what comes appears.
    const [first] = await listed(other);
    await alice.open(first, other);
    await alice.badge(first, 0, other);
    if (size === "desktop") assert.ok((await listed(other)).includes(first));
    await eventually(async () => assert.ok(!(await listed()).includes(first)));
    await server.receive([{ peer: first, text: "still there?" }]);
    await alice.badge(first, 0, other);
    await filter(other).click({ force: true }).catch(() => other.evaluate(() => document.getElementById("unread-only").click()));
    await eventually(async () => assert.equal((await listed()).length, all.length));
    await other.close();
  });
}

test("when nothing is unread the filter says so", async () => {
  await come();
  await filter().click();
  while ((await page.locator("#contacts .unread").count()) > 0) {
    const peer = await page.locator("#contacts .unread").first().getAttribute("data-peer");
    await alice.open(peer);
    await alice.badge(peer, 0);
  }
  await page.goto(world.service.url);
  await page.getByText("Nothing unread").waitFor();
  await screens(page, "unread-none");
  await server.receive([{ peer: "mira.example", text: "now there is" }]);
  await eventually(async () => assert.deepEqual(await listed(), ["mira.example"]));
  assert.equal(await page.getByText("Nothing unread").isVisible(), false);
});

test("a room and an agent can be told from a person, with eyes and without", async () => {
  await come();
  const { bob, room, echo } = world.servers;
  for (const [peer, name, word] of [
    [room.peer, /^Room: The Allotment/, "Room"],
    [echo.peer, /^Agent: Echo/, "Agent"],
    [bob.peer, /^Bob/, "Person"],
  ]) {
    await eventually(async () => assert.match(await alice.line(peer).locator(".name").textContent(), name));
    assert.equal(await alice.line(peer).locator(".name > .icon").count(), word === "Person" ? 0 : 1);
    await alice.open(peer);
    assert.equal(await page.locator(".thread-head .kind").innerText(), word);
  }
});

test("times in the list are relative, and move on by themselves", async () => {
  alice = await world.visitor({ context: { viewport: DESKTOP } });
  page = alice.page;
  const now = Date.now();
  const noon = new Date(now).setUTCHours(11, 0, 0, 0);
  await page.clock.install({ time: now });
  await server.receive([
    { peer: "seen.example", text: "long ago", at: noon - 400 * 24 * 60 * MINUTE },
    { peer: "days.example", text: "some days ago", at: noon - 3 * 24 * 60 * MINUTE },
    { peer: "yesterday.example", text: "yesterday", at: noon - 24 * 60 * MINUTE },
    { peer: "just.example", text: "just now", at: now - 20_000 },
  ]);
  await alice.signUp(await world.service.invite("Alice"), await server.pairingUri());
  const time = (peer) => alice.line(peer).locator("time").innerText();
  await eventually(async () => assert.equal(await time("just.example"), "Now"));
  assert.equal(await time("yesterday.example"), "Yesterday");
  assert.match(await time("days.example"), /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/);
  assert.match(await time("seen.example"), /\d{4}$/);
  await page.clock.fastForward(5 * MINUTE);
  await eventually(async () => assert.equal(await time("just.example"), "5 min"));
  await page.clock.fastForward(24 * 60 * MINUTE);
  await eventually(async () => {
    assert.equal(await time("just.example"), "Yesterday");
    assert.match(await time("yesterday.example"), /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/);
  });
});

for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`a conversation is removed after a question, in all tabs, on a ${size}`, async () => {
    await come(viewport);
    const peer = `otto-${size}.example`;
    await server.receive([{ peer, text: "Dear Alice, this is Otto." }]);
    await eventually(async () => assert.equal(await alice.line(peer).count(), 1));
    const open = await alice.newTab(world.thread(peer));
    await open.locator("#scroll .msg").first().waitFor();
    await alice.open(peer);
    await remove();
    if (size === "desktop") await screens(page, "remove");
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await alice.line(peer).count(), 1);

    // A posta-server that does not want to is quoted in the dialog, which stays.
    await server.tell({ failures: [{ path: "DELETE /api/v1/contacts", status: 500, code: "internal", times: 1 }] });
    await remove();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Remove" }).click();
    await dialog.locator(".error").filter({ hasText: /refused/ }).waitFor();
    await dialog.getByRole("button", { name: "Remove" }).click();

    await page.getByText("The conversation was removed from your list").waitFor();
    for (const tab of [page, open]) {
      await tab.locator("#welcome").waitFor({ state: "attached" });
      await eventually(async () => assert.equal(await alice.line(peer, tab).count(), 0));
      assert.equal(new URL(tab.url()).pathname, "/");
    }
    // What was written stays, and one who writes again is back.
    await page.goto(world.thread(peer));
    await page.getByText("Dear Alice, this is Otto.").waitFor();
    await server.receive([{ peer, text: "Do you receive all of them?" }]);
    await eventually(async () => assert.equal(await alice.line(peer).count(), 1));

    // Another device removes it.
    const { mintToken } = await server.tell({ mintToken: "phone" });
    const gone = await fetch(`${server.url}/api/v1/contacts?url=${encodeURIComponent(peer)}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${mintToken.token}` },
    });
    assert.equal(gone.status, 204);
    await page.locator("#welcome").waitFor({ state: "attached" });
    await eventually(async () => assert.equal(await alice.line(peer).count(), 0));
    await open.close();
  });
}

test("two hundred conversations, long names and names from right to left", async () => {
  await server.receive(
    Array.from({ length: 200 }, (_, n) => ({
      peer: n % 50 === 7 ? `${"a-very-long-host-name-".repeat(2)}${n}.example/users/somebody` : `p${n}.example`,
      text: n % 3 === 0 ? "שלום, מה שלומך היום? אני כותב לך מכתב ארוך" : `letter ${n} `.repeat(9),
      at: Date.now() - n * 97 * MINUTE,
    })),
  );
  await come();
  await eventually(async () => assert.ok((await page.locator("#contacts .contact").count()) >= 200), { within: 20_000 });
  await eventually(async () => assert.ok((await page.locator("#contacts .preview:not(:empty)").count()) >= 200), { within: 30_000 });
  const tall = await page.locator("#contacts .contact").evaluateAll((all) => all.filter((c) => c.offsetHeight !== 64).length);
  assert.equal(tall, 0, "every line is as high as the others");
  // A letter that is read from the right is cut at its left: its beginning can be seen.
  const hebrew = await alice.line("p0.example").locator(".preview > bdi").evaluate((text) => {
    const range = new Range();
    range.setStart(text.firstChild, 0);
    range.setEnd(text.firstChild, 1);
    const [letter, line] = [range.getBoundingClientRect(), text.closest(".preview").getBoundingClientRect()];
    return letter.left >= line.left && letter.right <= line.right + 1;
  });
  assert.ok(hebrew, "the first letter of a Hebrew preview is in its line");
  const out = await page.locator("#contacts").evaluate((box) => box.scrollWidth - box.clientWidth);
  assert.ok(out <= 0, "nothing sticks out");
  await screens(page, "contacts-200");
});
