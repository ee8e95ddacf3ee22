// Pictures: picked, pasted, dropped; what they tell beside the picture stays at home; what is too
// large or of another kind is made fit; and one that was not sent is not lost.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

const PHONE = { viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true };

let world;
let bob;

before(async () => {
  world = await World.build();
  bob = world.servers.Bob;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function atThread(options) {
  const alice = await world.member("Alice", options);
  await alice.page.goto(world.thread(bob.peer));
  await alice.page.getByRole("textbox", { name: "Message" }).waitFor();
  return alice;
}

/**
 * A picture that Chromium draws: noise is what no coding makes small. `pickedAs` a file of that name
 * it never leaves the page, for which it may be too large; then its size is answered.
 */
async function drawn(page, { type = "image/png", width = 320, height = 200, isNoise = false, pickedAs = "" } = {}) {
  const answer = await page.evaluate(
    async ([type, width, height, isNoise, pickedAs]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const pen = canvas.getContext("2d");
      const dots = pen.createImageData(width, height);
      for (let at = 0; at < dots.data.length; at += 65_536) {
        if (isNoise) crypto.getRandomValues(dots.data.subarray(at, Math.min(at + 65_536, dots.data.length)));
      }
      for (let at = 3; at < dots.data.length; at += 4) dots.data[at] = 255;
      pen.putImageData(dots, 0, 0);
      pen.fillStyle = "green";
      pen.fillRect(0, 0, width / 2, height / 2);
      const blob = await new Promise((done) => canvas.toBlob(done, type, 0.9));
      if (pickedAs) {
        const files = new DataTransfer();
        files.items.add(new File([blob], pickedAs, { type }));
        const field = document.getElementById("pick");
        field.files = files.files;
        field.dispatchEvent(new Event("change"));
        return blob.size;
      }
      const url = await new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(blob);
      });
      return url.split(",")[1];
    },
    [type, width, height, isNoise, pickedAs],
  );
  return pickedAs ? answer : Buffer.from(answer, "base64");
}

/** Says of a JPEG that it is held on its side, and where it was taken. */
function telling(jpeg) {
  const exif = Buffer.concat([
    Buffer.from("Exif\0\0MM\0*\0\0\0\b\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", "latin1"),
    Buffer.from("GPSLatitude 59.91 secret place"),
  ]);
  const head = Buffer.from([0xff, 0xe1, (exif.length + 2) >> 8, (exif.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

const form = ({ page }) => page.locator("#attached");
const sendButton = ({ page }) => page.getByRole("button", { name: "Send image" });
const pick = ({ page }, name, buffer, mimeType = "") => page.locator("#pick").setInputFiles({ name, mimeType, buffer });

const picture = ({ page }, name) => page.locator(`#scroll .msg.out img[alt="${name}"]`);

/** The newest message of the conversation, on Alice's own server. */
async function newestAt(server, peer) {
  return (await server.messages(peer)).at(-1)?.payload;
}

/** The bytes behind an image message. */
async function stored({ url }) {
  const { port, host, pathname } = new URL(url);
  const response = await fetch(`http://127.0.0.1:${port}${pathname}`, { headers: { host } });
  return Buffer.from(await response.arrayBuffer());
}

test("a picture is picked, described and sent; where it was taken stays at home", async () => {
  const alice = await atThread();
  const visitor = await world.member("Bob");
  const photo = telling(await drawn(alice.page, { type: "image/jpeg", width: 400, height: 200 }));
  await alice.page.getByRole("textbox", { name: "Message" }).fill("half a sentence");
  const chooser = alice.page.waitForEvent("filechooser");
  await alice.page.getByRole("button", { name: "Attach a picture" }).click();
  const files = await chooser;
  // What a phone answers with its camera, too.
  assert.equal(await files.element().getAttribute("accept"), "image/*");
  assert.ok(files.isMultiple());
  await files.setFiles({ name: "Harbour.JPG", mimeType: "image/jpeg", buffer: photo });
  await sendButton(alice).waitFor();
  // It stands upright in the preview, and in the place of the field.
  const { width, height } = await form(alice).locator("canvas").boundingBox();
  assert.ok(height > width * 1.9, `${width} by ${height}`);
  await alice.page.getByRole("textbox", { name: "Message" }).waitFor({ state: "hidden" });
  await screens(alice.page, "image-preview");
  await alice.page.getByLabel("Describe it for those who cannot see it").fill("Boats at rest");
  await alice.page.keyboard.press("Enter");
  const shown = alice.page.locator("#scroll .msg.out img");
  await shown.waitFor();
  assert.equal(await shown.getAttribute("alt"), "Boats at rest");
  await eventually(async () => {
    const size = await shown.evaluate((img) => [img.naturalWidth, img.naturalHeight]);
    assert.deepEqual(size, [200, 400], "held as it was taken");
  });
  assert.match(await shown.getAttribute("src"), /^\/media\//);
  await form(alice).waitFor({ state: "hidden" });
  assert.equal(await alice.page.getByRole("textbox", { name: "Message" }).inputValue(), "half a sentence");
  assert.ok(await alice.isAtBottom());
  const { image } = await newestAt(world.servers.Alice, bob.peer);
  assert.equal(image.name, "Harbour.JPG");
  const bytes = await stored(image);
  assert.ok(!bytes.includes("secret place") && !bytes.includes("GPS"));
  assert.equal(bytes.length, image.size);
  // Bob sees it through his own service; a click opens the original there, in another tab.
  await visitor.page.goto(world.thread(world.servers.Alice.peer));
  const received = visitor.page.locator("#scroll .msg.in .frame").last();
  await received.locator("img").waitFor();
  const opened = visitor.context.waitForEvent("page");
  await received.click();
  const original = await opened;
  assert.ok(original.url().startsWith(`${world.service.url}/media/`), original.url());
  await screens(alice.page, "image-sent");
});

test("other kinds become what posta-servers take", async () => {
  const alice = await atThread();
  for (const [name, kind, becomes] of [
    ["screen.webp", "image/webp", { name: "screen.jpg", mediaType: "image/jpeg" }],
    // What a file calls itself does not count.
    ["photo.png", "image/jpeg", { name: "photo.jpg", mediaType: "image/jpeg" }],
    ["plain.png", "image/png", { name: "plain.png", mediaType: "image/png" }],
  ]) {
    const before = await alice.page.locator("#scroll .msg.out img").count();
    await pick(alice, name, await drawn(alice.page, { type: kind }));
    await sendButton(alice).click();
    await alice.page.locator("#scroll .msg.out img").nth(before).waitFor();
    const { image } = await newestAt(world.servers.Alice, bob.peer);
    assert.deepEqual({ name: image.name, mediaType: image.mediaType }, becomes);
  }
  await pick(alice, "notes.txt", Buffer.from("not a picture"));
  await form(alice).locator(".error", { hasText: "can't read that kind of picture" }).waitFor();
  assert.equal(await sendButton(alice).count(), 0);
  await screens(alice.page, "image-unusable");
  await alice.page.getByRole("button", { name: "Discard" }).click();
  await form(alice).waitFor({ state: "hidden" });
});

test("a picture over 10 MiB is offered smaller", async () => {
  const alice = await atThread();
  const size = await drawn(alice.page, { width: 2800, height: 1800, isNoise: true, pickedAs: "large.png" });
  assert.ok(size > 10 * 1024 * 1024, `${size}`);
  await form(alice).locator(".what", { hasText: "too large to be sent" }).waitFor();
  assert.equal(await sendButton(alice).count(), 0, "not as it is");
  await screens(alice.page, "image-too-large");
  await alice.page.getByRole("button", { name: "Make it smaller" }).click();
  await sendButton(alice).click({ timeout: 20_000 * busyness() });
  await picture(alice, "large.jpg").waitFor();
  const { image } = await newestAt(world.servers.Alice, bob.peer);
  assert.ok(image.size <= 10 * 1024 * 1024 && image.mediaType === "image/jpeg", JSON.stringify(image));
});

test("pasted and dropped pictures go the same way, several one after another", async () => {
  const alice = await atThread();
  const png = [...(await drawn(alice.page))];
  const give = (name, target, extra = {}) =>
    alice.page.evaluate(
      ([name, target, png, extra]) => {
        const data = new DataTransfer();
        for (const file of ["one.png", "two.png"]) {
          data.items.add(new File([Uint8Array.from(png)], file, { type: "image/png" }));
        }
        for (const [kind, text] of Object.entries(extra)) data.setData(kind, text);
        const init = { bubbles: true, cancelable: true };
        const event =
          name === "paste"
            ? new ClipboardEvent(name, { ...init, clipboardData: data })
            : new DragEvent(name, { ...init, dataTransfer: data });
        return !document.querySelector(target).dispatchEvent(event);
      },
      [name, target, png, extra],
    );
  // Words with a drawing of them beside: the words are meant.
  assert.equal(await give("paste", "#text", { "text/plain": "words" }), false);
  assert.ok(await form(alice).isHidden());
  assert.equal(await give("paste", "#text"), true);
  await form(alice).locator(".what", { hasText: "one.png · 0.1 MB · 1 more after this" }).waitFor();
  await alice.page.getByRole("button", { name: "Discard" }).click();
  await form(alice).locator(".what", { hasText: /^two\.png · 0\.1 MB$/ }).waitFor();
  await sendButton(alice).click();
  await picture(alice, "two.png").first().waitFor();
  // Dropped anywhere on the page, the page stays.
  assert.equal(await give("dragover", "#sidebar"), true);
  assert.ok(await alice.page.locator("#thread.dropping").count());
  assert.equal(await give("drop", "#sidebar"), true);
  await form(alice).locator(".what", { hasText: "one.png" }).waitFor();
  assert.equal(await alice.page.locator("#thread.dropping").count(), 0);
  await sendButton(alice).click();
  await form(alice).locator(".what", { hasText: "two.png" }).waitFor();
  await sendButton(alice).click();
  await form(alice).waitFor({ state: "hidden" });
  await eventually(async () => assert.equal(await picture(alice, "two.png").count(), 2));
  assert.equal(await picture(alice, "one.png").count(), 1);
});

test("progress is shown, an upload can be cancelled, and switching conversations does not end it", async () => {
  const alice = await atThread({ context: PHONE });
  await world.servers.Alice.receive([{ peer: "carol.example", text: "Hello from Carol" }]);
  const slow = await drawn(alice.page, { width: 1000, height: 700, isNoise: true });
  const network = await alice.context.newCDPSession(alice.page);
  const throttle = (uploadThroughput) =>
    network.send("Network.emulateNetworkConditions", {
      ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput },
    });
  await network.send("Network.enable");
  await throttle(300_000);
  await pick(alice, "slow.png", slow);
  await sendButton(alice).click();
  const progress = form(alice).getByRole("progressbar", { name: "Sent so far" });
  await eventually(async () => {
    const value = await progress.evaluate((bar) => bar.value);
    assert.ok(value > 0.1 && value < 1, `${value}`);
  });
  await screens(alice.page, "image-sending");
  await alice.page.getByRole("button", { name: "Cancel" }).click();
  await sendButton(alice).waitFor();
  assert.equal((await world.servers.Alice.messages(bob.peer)).filter(({ payload }) => payload.image?.name === "slow.png").length, 0);
  // Again, and away to another conversation meanwhile.
  await sendButton(alice).click();
  await alice.page.getByRole("link", { name: "Back to conversations" }).click();
  await alice.open("carol.example");
  assert.ok(await form(alice).isHidden(), "it belongs to the other conversation");
  await throttle(-1);
  await eventually(async () => assert.equal((await newestAt(world.servers.Alice, bob.peer)).image?.name, "slow.png"), {
    within: 15_000,
  });
  await alice.page.getByRole("link", { name: "Back to conversations" }).click();
  await alice.open(bob.peer);
  assert.ok(await form(alice).isHidden(), "it was sent");
});

test("what could not be sent stays, says why, and is sent once", async () => {
  const alice = await atThread();
  alice.watch.expect(EXPECTED.network, EXPECTED.unavailable, EXPECTED.refused);
  await pick(alice, "kept.png", await drawn(alice.page));
  await sendButton(alice).waitFor();
  await alice.context.setOffline(true);
  await sendButton(alice).click();
  await form(alice).locator(".error", { hasText: "you are offline" }).waitFor();
  await alice.context.setOffline(false);
  // Taken by the posta-server, but its receipt is lost on the way: nothing is there twice.
  await world.servers.Alice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503, times: 1 }] });
  await sendButton(alice).click();
  await form(alice).locator(".error", { hasText: "Not sent." }).waitFor();
  await screens(alice.page, "image-not-sent");
  await sendButton(alice).click();
  await picture(alice, "kept.png").waitFor();
  await form(alice).waitFor({ state: "hidden" });
  const sent = (await world.servers.Alice.messages(bob.peer)).filter(({ payload }) => payload.image?.name === "kept.png");
  assert.equal(sent.length, 1);
  // One that its posta-server does not take is quoted.
  await world.servers.Alice.tell({ failures: [{ path: "POST /api/v1/uploads", status: 415, times: 1 }] });
  await pick(alice, "refused.png", await drawn(alice.page));
  await sendButton(alice).click();
  await form(alice).locator(".error", { hasText: "Your posta-server refused" }).waitFor();
  await alice.page.getByRole("button", { name: "Discard" }).click();
  assert.ok(await alice.page.getByRole("textbox", { name: "Message" }).evaluate((field) => field === document.activeElement));
});
