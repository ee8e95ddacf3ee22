// Writing to somebody new: whom an address leads to, what is said when it leads nowhere, and how
// friends find each other.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import jsqr from "jsqr";
import { EXPECTED, eventually } from "./harness/page.js";
import { freePort } from "./harness/process.js";
import { DESKTOP, PHONE, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let alice;
let page;

before(async () => {
  world = await World.build({ names: ["Alice", "Bob", "Carol"] });
});
after(() => world?.end());
afterEach(() => world.goHome());

async function come(context = { viewport: DESKTOP }, path = "/") {
  alice = await world.member("Alice", { context });
  alice.watch.expect(EXPECTED.refused);
  page = alice.page;
  await page.goto(world.service.url + path);
}

const field = () => page.getByRole("textbox", { name: "Address" });
const error = () => page.locator("#url-error");
const card = () => page.locator(".peer-card");
const start = () => page.getByRole("link", { name: "Start", exact: true });
const composer = () => page.getByRole("textbox", { name: "Message" });

/** Somebody whose server answers what it is told to. */
async function stranger(answer) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  const port = await freePort();
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return { peer: `localhost:${port}`, asked, stop: () => new Promise((done) => server.close(done)) };
}

const doc = (fields) => (_, response) => {
  response.writeHead(200, { "content-type": "application/posta+json" });
  response.end(JSON.stringify(fields));
};

for (const [size, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`an address is previewed, and Start opens an empty thread, on a ${size}`, async () => {
    await come({ viewport });
    const { Alice } = world.servers;
    const name = size === "phone" ? "Carol" : "Bob";
    const { peer } = world.servers[name];
    await Alice.tell({ forgetCalls: true });
    await page.getByRole("link", { name: "New conversation" }).first().click();
    await eventually(async () => assert.ok(await field().evaluate((f) => f === document.activeElement)));
    await field().fill(`  http://${peer}/ `);
    await card().waitFor();
    assert.ok((await card().textContent()).includes(`Sending to ${name}Person (${peer})`));
    if (size === "desktop") await screens(page, "new-found");
    await start().click();
    await page.locator(`#thread[data-peer="${peer}"]`).waitFor();
    assert.equal(new URL(page.url()).pathname, `/c/${encodeURIComponent(peer)}`);
    assert.equal(await page.locator("#thread-name").innerText(), name);
    await page.getByText("Say hi").waitFor();
    assert.ok(await composer().evaluate((f) => f === document.activeElement), "the composer is focused");

    // Nothing was stored anywhere: neither a contact here nor a letter there.
    assert.equal(await alice.line(peer).count(), 0);
    const { calls } = await Alice.report();
    assert.deepEqual(Object.keys(calls).filter((call) => /^(POST|PUT|PATCH|DELETE)/.test(call)), []);
    await alice.write(`hello from the ${size}`);
    await alice.bubble(`hello from the ${size}`).locator(".state.delivered").waitFor();
    await eventually(async () => assert.equal(await alice.line(peer).count(), 1));
  });
}

test("Enter starts, also before the preview is there", async () => {
  await come({ viewport: DESKTOP }, "/new");
  await field().fill(`posta:${world.servers.Bob.peer}`);
  await field().press("Enter");
  await page.locator(`#thread[data-peer="${world.servers.Bob.peer}"]`).waitFor();
  await eventually(async () => assert.ok(await composer().evaluate((f) => f === document.activeElement)));
});

test("what is no address, leads nowhere or to oneself is said beside the field, which keeps what was typed", async () => {
  await come({ viewport: DESKTOP }, "/new");
  const nowhere = `localhost:${await freePort()}`;
  const site = await stranger((_, response) => response.end("<h1>My bakery</h1>"));
  const moved = await stranger((_, response) => response.writeHead(302, { location: world.servers.Bob.url }).end());
  for (const [typed, says] of [
    ["not an address", /invalid URL/],
    ["posta+v1://bob.example#token=mst_secret", /invalid URL/],
    [nowhere, /Couldn't reach this peer/],
    [site.peer, /Couldn't reach this peer/],
    [moved.peer, /Couldn't reach this peer/],
    [world.servers.Alice.peer, /your own address/],
  ]) {
    await field().fill(typed);
    await field().press("Enter");
    await eventually(async () => assert.match(await error().innerText(), says, typed));
    assert.equal(await field().inputValue(), typed);
    assert.equal(await start().count(), 0);
    assert.equal(await field().getAttribute("aria-invalid"), "true");
  }
  assert.equal(moved.asked.length, 1, "redirects are not followed");
  await screens(page, "new-own");
  await field().fill(nowhere);
  await field().press("Enter");
  const anyway = page.getByRole("link", { name: "Start anyway" });
  await anyway.waitFor();
  await screens(page, "new-away");
  // While one types, what was said goes, and half an address is no mistake.
  await field().fill("bo b");
  assert.equal(await error().innerText(), "");
  await field().fill(nowhere);
  await anyway.click();
  await page.locator(`#thread[data-peer="${nowhere}"]`).waitFor();
  await site.stop();
  await moved.stop();
});

test("what a stranger says of itself is text, bounded, asked once, and read however odd", async () => {
  await come({ viewport: DESKTOP }, "/new");
  const evil = await stranger(
    doc({ name: `<img src=x onerror=alert(1)>${"w".repeat(300)}`, kind: "<oracle>", avatar: "javascript:alert(1)", keys: {} }),
  );
  const huge = await stranger(doc({ name: "x".repeat(200_000) }));
  await field().fill(evil.peer);
  await card().waitFor();
  assert.match(await card().innerText(), /<img src=x onerror=alert\(1\)>w+/);
  assert.match(await card().innerText(), /<oracle>/);
  assert.equal(await card().locator("img").count(), 0);
  assert.match(evil.asked[0].headers.accept, /application\/posta\+json/);
  await screens(page, "new-odd");
  await start().click();
  await page.locator(`#thread[data-peer="${evil.peer}"]`).waitFor();
  assert.match(await page.locator("#thread-name").innerText(), /^<img/);
  assert.equal(evil.asked.length, 1, "what it said is kept for a while");
  await page.goto(`${world.service.url}/new`);
  await field().fill(huge.peer);
  await eventually(async () => assert.match(await error().innerText(), /Couldn't reach/));
  await evil.stop();
  await huge.stop();
});

test("a link typed by hand leads to the one address of its thread", async () => {
  await come();
  const { Bob } = world.servers;
  const canonical = `/c/${encodeURIComponent(Bob.peer)}`;
  for (const path of [`/c/${Bob.peer}`, `/c/http://${Bob.peer}/`, canonical, `/c/${encodeURIComponent(Bob.url)}`]) {
    await page.goto(world.service.url + path);
    assert.equal(new URL(page.url()).pathname, canonical, path);
    assert.equal(await page.locator("#thread-name").innerText(), "Bob", path);
  }
  await page.goto(`${world.service.url}/c/example.invalid/users/bob?at=7`);
  assert.equal(page.url(), `${world.service.url}/c/example.invalid%2Fusers%2Fbob?at=7`);
  assert.equal(await page.locator("#thread-name").innerText(), "example.invalid");
  await page.goto(`${world.service.url}/c/${world.servers.Alice.peer}`);
  await page.getByText("This is your own address").waitFor();
});

test("one's own address can be copied, and scanned by day and by night", async () => {
  await come();
  const { Alice } = world.servers;
  await alice.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await page.getByRole("button", { name: "Copy my address" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), Alice.url);
  await page.locator("#own-menu summary").click();
  const picture = page.locator("#own-menu img");
  await eventually(async () => assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 0)));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const shot = (await picture.screenshot()).toString("base64");
    const { width, height, pixels } = await page.evaluate(async (shot) => {
      const blob = new Blob([Uint8Array.from(atob(shot), (c) => c.charCodeAt(0))], { type: "image/png" });
      const bitmap = await createImageBitmap(blob);
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      return { width: bitmap.width, height: bitmap.height, pixels: [...data] };
    }, shot);
    const read = jsqr(Uint8ClampedArray.from(pixels), width, height);
    assert.equal(read?.data, Alice.url, colorScheme);
  }
  await screens(page, "own-address");
});

test("without JavaScript it is a form and a link", async () => {
  await come();
  const cookies = await alice.context.cookies();
  const bare = await world.browser.newContext({ javaScriptEnabled: false });
  await bare.addCookies(cookies);
  page = await bare.newPage();
  await page.goto(`${world.service.url}/new`);
  await field().fill("nobody at all");
  await page.getByRole("button", { name: "Start" }).click();
  assert.match(await error().innerText(), /invalid URL/);
  assert.equal(await field().inputValue(), "nobody at all");
  await field().fill(world.servers.Bob.peer);
  await page.getByRole("button", { name: "Start" }).click();
  assert.match(await card().innerText(), /Sending to Bob/);
  await start().click();
  assert.equal(await page.locator("#thread-name").innerText(), "Bob");
  await bare.close();
});
