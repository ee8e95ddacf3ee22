// One's own name and picture, and how the pages look in this browser.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;

before(async () => (world = await World.build()));
after(() => world?.end());
afterEach(() => world.goHome());

async function atSettings(options) {
  const alice = await world.member("Alice", options);
  await alice.page.goto(`${world.service.url}/settings`);
  await alice.page.getByRole("heading", { name: "Your name and picture" }).waitFor();
  return alice;
}

/** What everybody can read of Alice. */
async function actor() {
  const { port, peer } = world.servers.Alice;
  const headers = { host: peer, accept: "application/posta+json" };
  return (await fetch(`http://127.0.0.1:${port}/`, { headers })).json();
}

const picture = ({ page }) =>
  page
    .evaluate(async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 900, height: 600 });
      const pen = canvas.getContext("2d");
      pen.fillStyle = "teal";
      pen.fillRect(0, 0, 900, 600);
      return canvas.toDataURL("image/png").split(",")[1];
    })
    .then((text) => Buffer.from(text, "base64"));

test("one's name is changed for everybody, and shows at once", async () => {
  const alice = await atSettings();
  alice.watch.expect(EXPECTED.refused);
  const field = alice.page.locator("#own-name");
  assert.equal(await field.inputValue(), "Alice");
  await field.fill("Alice <Liddell>");
  await alice.page.getByRole("button", { name: "Save" }).click();
  await alice.page.getByRole("button", { name: "Your menu, Alice <Liddell>" }).waitFor();
  assert.equal((await actor()).name, "Alice <Liddell>");
  await screens(alice.page, "profile");
  // A posta-server that does not offer it says so through us, and the name stays in the field.
  await world.servers.Alice.tell({ failures: [{ path: "PATCH /api/v1/identity", status: 405, times: 1 }] });
  await field.fill("Somebody");
  await alice.page.getByRole("button", { name: "Save" }).click();
  await alice.page.locator("#profile .error").filter({ hasText: "does not let this service change that" }).waitFor();
  assert.equal(await field.inputValue(), "Somebody");
  await field.fill("Alice");
  await alice.page.getByRole("button", { name: "Save" }).click();
  await alice.page.getByRole("button", { name: "Your menu, Alice", exact: true }).waitFor();
});

test("one's picture is cut square, shows at once, and can be removed", async () => {
  const alice = await atSettings();
  const bytes = await picture(alice);
  await alice.page.locator("#portrait").setInputFiles({ name: "me.png", mimeType: "image/png", buffer: bytes });
  await alice.page.getByRole("button", { name: "Choose another picture" }).waitFor();
  const shown = alice.page.locator("#own .avatar img");
  await eventually(async () => assert.deepEqual(await shown.evaluate((img) => [img.naturalWidth, img.naturalHeight]), [512, 512]));
  assert.match(await shown.getAttribute("src"), /^\/media\//);
  assert.match((await actor()).avatar, /upload-.*\.jpg$/);
  await screens(alice.page, "portrait");
  await alice.page.getByRole("button", { name: "Remove the picture" }).click();
  await alice.page.getByRole("button", { name: "Choose a picture" }).waitFor();
  assert.equal(await shown.count(), 0);
  assert.equal((await actor()).avatar, "");
  await alice.page.locator("#portrait").setInputFiles({ name: "me.txt", mimeType: "", buffer: Buffer.from("no") });
  await alice.page.locator("#profile .error").filter({ hasText: "can't read that kind" }).waitFor();
});

test("light or dark is chosen for this browser, in all its tabs and on every page", async () => {
  const alice = await atSettings({ context: { colorScheme: "light" } });
  const other = await alice.newTab(world.service.url);
  const [day, night] = ["rgb(247, 241, 227)", "rgb(20, 23, 28)"];
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const bar = (page) =>
    page.evaluate(() => [...document.querySelectorAll("meta[name=theme-color]")].find(({ media }) => matchMedia(media).matches).content);
  const is = (page, colour) => eventually(async () => assert.equal(await ground(page), colour));
  const choose = (name) => alice.page.getByRole("radio", { name }).check();
  assert.ok(await alice.page.getByRole("radio", { name: "Like this device" }).isChecked());
  await is(alice.page, day);
  await choose("Dark");
  await is(alice.page, night);
  await is(other, night);
  assert.equal(await bar(alice.page), "#14171c");
  assert.equal(await alice.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
  // Whatever the device says, and from the first moment on.
  await other.emulateMedia({ colorScheme: "light" });
  await other.goto(`${world.service.url}/nothing-here`).catch(() => {});
  await is(other, night);
  alice.watch.expect(/status of 404/);
  await choose("Light");
  await alice.page.emulateMedia({ colorScheme: "dark" });
  await is(alice.page, day);
  await is(other, day);
  await alice.page.reload();
  await alice.page.getByRole("radio", { name: "Light" }).waitFor();
  assert.ok(await alice.page.getByRole("radio", { name: "Light" }).isChecked());
  await choose("Like this device");
  await is(alice.page, night);
  await alice.page.emulateMedia({ colorScheme: "light" });
  await is(alice.page, day);
  await choose("Dark");
  await other.close();
  await alice.signOut();
  await is(alice.page, night);
});
