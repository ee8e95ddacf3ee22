// Finding what was said: the fields, what comes of a search, and the way to a message far up.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const FOLDER = join(import.meta.dirname, "../../target/screens");
const PHONE = { width: 375, height: 812 };
const DESKTOP = { width: 1280, height: 800 };
const MINUTE = 60_000;
const PEER = "long.example";
const OTHER = "other.example";
const COUNT = 700;

let world;
let person;
let page;
let rows;

before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  world = await World.build({ names: ["Alice"] });
  const began = Date.now() - 2000 * MINUTE;
  const letters = Array.from({ length: COUNT }, (_, n) => ({
    peer: PEER,
    text: n === 120 ? "the copper kettle <b>sings</b> & hums" : `letter ${n}`,
    at: began + n * MINUTE,
  }));
  rows = await world.servers.Alice.receive(letters);
  await world.servers.Alice.receive([{ peer: OTHER, text: "no kettle here, but a teapot", at: began }]);
});
after(() => world?.end());
afterEach(() => world.goHome());

async function come(context = { viewport: DESKTOP }) {
  person = await world.member("Alice", { context });
  page = person.page;
}

const results = () => page.locator("#found .result");
const inSidebar = () => page.getByRole("searchbox", { name: "Search your messages" });

async function searchFor(words) {
  await inSidebar().fill(words);
  await inSidebar().press("Enter");
  await page.locator("#found").waitFor();
}

/** Where a message stands in the view, or null. */
const placeOf = (row) =>
  page.evaluate((row) => {
    const message = document.getElementById(`msg-${row}`);
    const box = document.getElementById("scroll").getBoundingClientRect();
    return message && { top: message.getBoundingClientRect().top - box.top, height: box.height };
  }, row);

test("a search in all conversations marks its matches, and tells who said it where", async () => {
  await come();
  await page.goto(world.service.url);
  await searchFor("kettle");
  await eventually(async () => assert.equal(await results().count(), 2));
  assert.match(page.url(), /\/search\?.*q=kettle/);
  assert.deepEqual(await page.locator("#found mark").allInnerTexts(), ["kettle", "kettle"]);
  const found = results().filter({ hasText: "copper" });
  assert.match(await found.innerText(), /the copper kettle <b>sings<\/b> & hums/);
  assert.equal(await page.locator("#found .snippet b").count(), 0, "what was written is text");
  assert.match(await found.locator(".name").innerText(), /long\.example/);
  for (const [size, name] of [[PHONE, "phone"], [DESKTOP, "desktop"]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: join(FOLDER, `search-${name}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
});

test("a search in one conversation finds only there, and leads to all", async () => {
  await come();
  await page.goto(world.thread(OTHER));
  await page.getByRole("link", { name: "Search in this conversation" }).click();
  const field = page.getByRole("searchbox", { name: "Search for" });
  await field.fill("kettle");
  await field.press("Enter");
  await eventually(async () => assert.match(await results().allInnerTexts().then(String), /teapot/));
  assert.equal(await results().count(), 1);
  await field.fill("copper");
  await field.press("Enter");
  await page.getByText("Nothing was found").waitFor();
  await page.getByRole("link", { name: "Search all conversations" }).click();
  await results().filter({ hasText: "copper" }).waitFor();
});

for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`a result opens its thread around that message, on a ${size}`, async () => {
    await come({ viewport });
    await page.goto(`${world.service.url}/search?q=copper`);
    await results().first().click();
    const row = rows[120];
    await page.locator(`#msg-${row}`).waitFor();
    const { top, height } = await placeOf(row);
    assert.ok(top > 0 && top < height, `it stands at ${top} of ${height}`);
    assert.match(await page.locator(`#msg-${row}`).getAttribute("class"), /\bfound\b/);
    const isWhole = await page.evaluate(() => scrollY === 0 && document.documentElement.scrollHeight <= innerHeight);
    assert.ok(isWhole, "only the thread was scrolled");
    await page.screenshot({ path: join(FOLDER, `jump-${size}.png`) });
    await eventually(async () =>
      assert.doesNotMatch(await page.locator(`#msg-${row}`).getAttribute("class"), /\bfound\b/),
    );
    const newest = page.getByRole("button", { name: "To the newest" });
    await newest.waitFor();

    // Loaded anew, and come back to, it is there again.
    await page.reload();
    await eventually(async () => {
      const place = await placeOf(row);
      assert.ok(place && place.top > 0 && place.top < place.height);
    });
    await page.goBack();
    await results().first().waitFor();
    await page.goForward();
    await newest.waitFor();
    await eventually(async () => assert.ok((await placeOf(row))?.top > 0));

    // Something comes: the reader is told, and not moved.
    const before = await placeOf(row);
    await world.servers.Alice.receive([{ peer: PEER, text: `meanwhile ${size}` }]);
    const button = page.getByRole("button", { name: "New messages" });
    await button.waitFor();
    assert.deepEqual(await placeOf(row), before);

    // Both ways from there; every message once, in order.
    const shown = () => page.locator("#scroll .msg").evaluateAll((all) => all.map((m) => Number(m.dataset.row)));
    for (const to of [-1, 1]) {
      const first = await shown();
      await page.locator("#scroll").evaluate((box, to) => (box.scrollTop = to < 0 ? 0 : box.scrollHeight), to);
      await eventually(async () => {
        const now = await shown();
        assert.ok(to < 0 ? now[0] < first[0] : now.at(-1) > first.at(-1));
      });
    }
    const now = await shown();
    assert.deepEqual(now, rows.slice(rows.indexOf(now[0]), rows.indexOf(now[0]) + now.length));

    await button.click();
    await person.hears(`meanwhile ${size}`);
    await eventually(async () => assert.ok(await person.isAtBottom()));
    await button.waitFor({ state: "hidden" });
    assert.doesNotMatch(page.url(), /at=/);
    await world.servers.Alice.receive([{ peer: PEER, text: `live again ${size}` }]);
    await person.hears(`live again ${size}`);
  });
}

test("a message that is gone, or of another thread, says so and opens the newest", async () => {
  await come();
  for (const row of [99_999_999, rows[5]]) {
    const peer = row === rows[5] ? OTHER : PEER;
    await page.goto(`${world.thread(peer)}?at=${row}`);
    await page.getByText("That message is not here any more").waitFor();
    await eventually(async () => assert.ok(await person.isAtBottom()));
  }
});

test("what cannot be searched is said", async () => {
  await come();
  person.watch.expect(...Object.values(EXPECTED));
  await page.goto(`${world.service.url}/search`);
  await page.getByText("Type what you remember").waitFor();
  for (const [words, told] of [
    ["zzzunheardof", /Nothing was found/],
    ["x".repeat(201), /too long/],
    ["?!", /at least one word/],
  ]) {
    await page.goto(`${world.service.url}/search?q=${encodeURIComponent(words)}`);
    await page.locator("#found").filter({ hasText: told }).waitFor();
  }
  for (const [failure, told] of [
    [{ status: 503 }, /can't be reached/],
    [{ status: 422, code: "too-vague" }, /refused to search/],
    [{ status: 404 }, /does not offer search/],
  ]) {
    await world.servers.Alice.tell({ failures: [{ path: "GET /api/v1/search", ...failure }] });
    await page.goto(`${world.service.url}/search?q=kettle`);
    await page.locator("#found").filter({ hasText: told }).waitFor();
    assert.equal(await page.getByRole("searchbox", { name: "Search for" }).inputValue(), "kettle");
  }
  await world.servers.Alice.tell({ failures: [] });
});

test("a slow search shows that it is under way, and gives up with a sentence", async () => {
  await come();
  await page.goto(world.service.url);
  await world.servers.Alice.tell({ hang: "GET /api/v1/search" });
  await inSidebar().fill("kettle");
  await inSidebar().press("Enter");
  await page.locator("#progress.htmx-request").waitFor({ state: "attached" });
  await page.getByText("takes too long to search").waitFor({ timeout: 20_000 * busyness() });
  await world.servers.Alice.tell({ hang: null });
  await page.getByRole("searchbox", { name: "Search for" }).press("Enter");
  await eventually(async () => assert.equal(await results().count(), 2));
});

test("it works as a plain form without a script", async () => {
  await come();
  const cookies = await person.context.cookies();
  const plain = await world.browser.newContext({ javaScriptEnabled: false, viewport: DESKTOP });
  await plain.addCookies(cookies);
  const reader = await plain.newPage();
  await reader.goto(world.service.url);
  await reader.getByRole("searchbox", { name: "Search your messages" }).fill("copper");
  await reader.getByRole("searchbox", { name: "Search your messages" }).press("Enter");
  await reader.locator("#found .result").click();
  await reader.waitForURL(/#msg-/);
  assert.ok(await reader.locator(`#msg-${rows[120]}`).isVisible());
  await plain.close();
});
