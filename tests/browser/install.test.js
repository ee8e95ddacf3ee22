// The page as an app: what a browser installs, what it shows offline, what it keeps, and that a new
// version takes over.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { SIZES, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let bob;

before(async () => {
  world = await World.build();
  bob = world.servers.Bob;
});
after(() => world?.end());
afterEach(() => world.goHome());

/** Somebody whose service worker is in charge. */
async function arrive(options) {
  const alice = await world.member("Alice", options);
  await alice.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
    }
  });
  return alice;
}

test("a browser finds all that it wants of an app", async () => {
  const alice = await arrive();
  const devtools = await alice.context.newCDPSession(alice.page);
  const { url, errors, data } = await devtools.send("Page.getAppManifest");
  assert.equal(url, `${world.service.url}/manifest.webmanifest`);
  assert.deepEqual(errors, []);
  const manifest = JSON.parse(data);
  assert.deepEqual([manifest.start_url, manifest.scope, manifest.display], ["/", "/", "standalone"]);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  const missing = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
  assert.deepEqual(missing, []);
  for (const { src, sizes, type, purpose } of manifest.icons) {
    const response = await fetch(world.service.url + src);
    assert.equal(response.headers.get("content-type"), type, src);
    if (type !== "image/png") continue;
    const side = Number.parseInt(sizes, 10);
    const colours = await alice.page.evaluate(async (src) => {
      const image = await createImageBitmap(await (await fetch(src)).blob());
      const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0);
      const dot = (x, y) => [...pen.getImageData(x, y, 1, 1).data];
      return { size: [image.width, image.height], corner: dot(0, 0), inside: dot(image.width / 2, image.height * 0.2) };
    }, src);
    assert.deepEqual(colours.size, [side, side]);
    assert.equal(colours.corner[3], purpose === "maskable" ? 255 : 0, `${src}: its corner`);
    assert.deepEqual(colours.inside, [77, 106, 62, 255], `${src}: its ground`);
  }
});

for (const [size, viewport] of SIZES) {
  test(`unreachable, it says so honestly, and goes on when the service is back, on a ${size}`, async () => {
    const alice = await arrive({ context: { viewport } });
    await alice.page.goto(world.thread(bob.peer));
    await alice.write("kept nowhere else");
    await alice.hears("kept nowhere else");
    alice.watch.expect(EXPECTED.network);
    await world.service.stop();
    const thread = alice.page.url();
    await alice.page.goto(thread);
    await alice.page.getByRole("heading", { name: "Not connected" }).waitFor();
    assert.equal(alice.page.url(), thread);
    assert.ok(!(await alice.page.content()).includes("kept nowhere else"), "nothing of one's messages");
    await screens(alice.page, "not-connected");
    await alice.page.getByRole("link", { name: "Try again" }).click();
    await alice.page.getByRole("heading", { name: "Not connected" }).waitFor();
    await world.service.restart();
    // It looks by itself. Sessions live in memory: a restart signs out, and sign-in leads back.
    await alice.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await alice.hears("kept nowhere else");
    assert.equal(alice.page.url(), thread);
  });
}

test("it keeps our files and nothing else", async () => {
  const alice = await arrive();
  await alice.page.goto(world.thread(bob.peer));
  await alice.write("not for any cache");
  await alice.hears("not for any cache");
  await alice.page.goto(`${world.service.url}/settings`);
  await alice.page.goto(`${world.service.url}/search?q=cache`);
  await alice.page.getByRole("searchbox").first().waitFor();
  const kept = await alice.page.evaluate(async () => {
    const found = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    }
    return found;
  });
  assert.ok(kept.some((path) => path.endsWith("/app.js")), "what pages load is kept");
  assert.deepEqual(kept.filter((path) => !path.startsWith("/static/") && path !== "/offline"), []);
});

test("a page of an older version is loaded anew at the next step, and loses no word", async () => {
  const alice = await arrive();
  await world.servers.Alice.receive([{ peer: "carol.example", text: "hello" }]);
  await alice.page.goto(world.thread(bob.peer));
  await alice.page.getByRole("textbox", { name: "Message" }).fill("half a sen");
  await alice.page.evaluate(() => (window.isSamePage = true));
  await alice.line("carol.example").waitFor();
  await alice.open("carol.example");
  assert.equal(await alice.page.evaluate(() => window.isSamePage), true, "nothing is loaded for nothing");
  await alice.open(bob.peer);
  // As the browser says it when another version's worker has taken over.
  await alice.page.evaluate(() => navigator.serviceWorker.dispatchEvent(new Event("controllerchange")));
  await alice.open("carol.example");
  await eventually(async () => assert.equal(await alice.page.evaluate(() => window.isSamePage), undefined));
  await alice.open(bob.peer);
  assert.equal(await alice.page.getByRole("textbox", { name: "Message" }).inputValue(), "half a sen");
});

test("another version's worker takes over by itself, and leaves nothing of the old one", async () => {
  const alice = await arrive();
  const seen = await alice.page.evaluate(async () => {
    const [old] = await caches.keys();
    // What an update does, with the files of another version by their names.
    await caches.open("files /static/0123456789abcdef/");
    const fresh = await navigator.serviceWorker.register("/sw.js?another", { scope: "/", updateViaCache: "none" });
    await new Promise((done) => {
      const look = () => {
        const { active } = fresh;
        if (active?.scriptURL.endsWith("another") && active.state === "activated") done();
        else setTimeout(look, 20);
      };
      look();
    });
    return { old, now: await caches.keys(), waiting: fresh.waiting };
  });
  assert.deepEqual(seen.now, [seen.old]);
  assert.equal(seen.waiting, null, "it does not wait for tabs to close");
});
