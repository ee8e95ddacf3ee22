// The three forms of pairing, brought into the field in every way there is.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually, setVisible } from "./harness/page.js";
import { World } from "./harness/world.js";

const SCREENS = join(import.meta.dirname, "../../target/screens");
const LABEL = "Paste your posta+v1:// URI";

let world;
let alice;

before(async () => {
  mkdirSync(SCREENS, { recursive: true });
  world = await World.build();
  alice = world.servers.Alice;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function setupLink() {
  return (await alice.tell({ mintInvite: { deviceName: "Alice's tablet" } })).mintInvite;
}

async function deepLink() {
  const token = (await alice.pairingUri()).split("#token=")[1];
  return `posta://pair?token=${token}&url=${encodeURIComponent(alice.url)}`;
}

/** A browser that reads QR codes, where `window.seen` is what stands in every picture. */
async function withCodes(person, { camera = "works" } = {}) {
  await person.context.addInitScript((camera) => {
    window.seen = [];
    window.tracks = [];
    window.BarcodeDetector = class {
      static getSupportedFormats = async () => ["qr_code"];
      detect = async () => window.seen.map((rawValue) => ({ rawValue }));
    };
    navigator.mediaDevices.getUserMedia = async () => {
      if (camera !== "works") throw new DOMException("no", camera);
      const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
      setInterval(() => canvas.getContext("2d").fillRect(0, 0, 64 * Math.random(), 64), 50);
      const stream = canvas.captureStream(10);
      window.tracks.push(...stream.getTracks());
      return stream;
    };
  }, camera);
}

/** Lets go of text or a file over the field. */
async function drop(page, { text, name, type, bytes }) {
  await page.getByLabel(LABEL).evaluate(
    (field, { text, name, type, bytes }) => {
      const dataTransfer = new DataTransfer();
      if (name) dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
      else dataTransfer.setData("text", text);
      for (const kind of ["dragover", "drop"]) {
        field.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
      }
    },
    { text, name, type, bytes },
  );
}

async function look(page, name) {
  const sizes = [{ width: 375, height: 812 }, { width: 1280, height: 800 }];
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(SCREENS, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} overflows 320 px by ${wide}`);
  await page.setViewportSize({ width: 1100, height: 800 });
}

test("a deep link signs up, broken into lines as a terminal does", async () => {
  const person = await world.visitor();
  const link = await deepLink();
  await person.signUp(await world.service.invite("Alice"), `\n  ${link.slice(0, 30)}\n${link.slice(30)}  \n`);
});

test("a set-up link is shown, named, and used at the very end", async () => {
  const person = await world.visitor();
  const { page } = person;
  const [invite, link] = [await world.service.invite("Alice"), await setupLink()];
  await person.connect(invite, link);
  await page.getByText("This set-up link is for").waitFor();
  assert.match(await page.locator(".linked").innerText(), new RegExp(`${alice.peer} and works until .*20\\d\\d`));
  assert.doesNotMatch(await page.locator(".linked").innerText(), /UTC/, "in the reader's own time");
  assert.doesNotMatch(await page.content(), /pinv_/);
  assert.equal(await page.getByLabel("Name of this device").inputValue(), "Alice's tablet");
  await look(page, "set-up-link");
  // Giving up here costs nothing.
  await person.connect(invite, link);
  await page.getByLabel("Name of this device").fill("Kitchen laptop");
  await page.getByRole("button", { name: "Create passkey" }).click();
  await person.arrived();
  assert.equal((await alice.report()).calls["POST /api/v1/invite/redeem"], 1);
  // Used, it says so beside the field.
  const other = await world.visitor();
  other.watch.expect(EXPECTED.refused);
  await other.connect(await world.service.invite("Alice"), link);
  await other.page.locator("#uri-error").filter({ hasText: "was used already" }).waitFor();
});

test("a posta-server that fails at the very end is asked again with one more touch", async () => {
  const person = await world.visitor();
  person.watch.expect(EXPECTED.unavailable);
  await person.connect(await world.service.invite("Alice"), await setupLink());
  await alice.tell({ failures: [{ path: "POST /api/v1/invite/redeem", status: 503, times: 1 }] });
  await person.page.getByRole("button", { name: "Create passkey" }).click();
  await person.page.locator("#auth-error").filter({ hasText: "confirm once more" }).waitFor();
  await person.page.getByRole("button", { name: "Confirm with your passkey" }).click();
  await person.arrived();
});

test("text and files that are dropped land in the field", async () => {
  const person = await world.visitor();
  const { page } = person;
  await page.goto(await world.service.invite("Alice"));
  const uri = await alice.pairingUri();
  const field = page.getByLabel(LABEL);
  await drop(page, { text: `Your pairing URI: ${uri}` });
  await eventually(async () => assert.equal(await field.inputValue(), uri));
  await field.fill("");
  const bytes = [...new TextEncoder().encode(`Token created.\n\n${uri}\n\nKeep it secret.\n`)];
  await drop(page, { name: "pairing.txt", type: "text/plain", bytes });
  await eventually(async () => assert.equal(await field.inputValue(), uri));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Continue");
  await drop(page, { name: "notes.txt", type: "text/plain", bytes: [...new TextEncoder().encode("milk, eggs")] });
  await page.locator("#uri-error").filter({ hasText: "no pairing URI" }).waitFor();
  assert.equal(await field.inputValue(), uri, "what was there stays");
  // Without a reader of QR codes there is no button, and a picture says why it does not help.
  assert.equal(await page.getByRole("button", { name: "Scan a QR code" }).isVisible(), false);
  await drop(page, { name: "code.png", type: "image/png", bytes: [1, 2, 3] });
  await page.locator("#uri-error").filter({ hasText: "can't read QR codes" }).waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Create passkey" }).waitFor();
});

test("a picture of a QR code is read", async () => {
  const person = await world.visitor();
  const { page } = person;
  await withCodes(person);
  await page.goto(await world.service.invite("Alice"));
  await page.getByRole("button", { name: "Scan a QR code" }).waitFor();
  const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 40, height: 40 } });
  await drop(page, { name: "code.png", type: "image/png", bytes: [...picture] });
  await page.locator("#uri-error").filter({ hasText: "No QR code was found" }).waitFor();
  await drop(page, { name: "code.png", type: "image/png", bytes: [1, 2, 3] });
  await page.locator("#uri-error").filter({ hasText: "could not be read" }).waitFor();
  const link = await deepLink();
  await page.evaluate((link) => window.seen.push(link), link);
  await drop(page, { name: "code.png", type: "image/png", bytes: [...picture] });
  await eventually(async () => assert.equal(await page.getByLabel(LABEL).inputValue(), link));
});

test("the camera reads a code, and is switched off whatever ends it", async () => {
  const person = await world.visitor();
  const { page } = person;
  await withCodes(person);
  const response = await page.goto(await world.service.invite("Alice"));
  assert.match(response.headers()["permissions-policy"], /camera=\(self\)/);
  const scan = page.getByRole("button", { name: "Scan a QR code" });
  const video = page.locator(".viewfinder video");
  const running = () => page.evaluate(() => window.tracks.filter((track) => track.readyState === "live").length);
  const off = () => eventually(async () => {
    assert.equal(await running(), 0);
    assert.equal(await video.isVisible(), false);
  });
  const on = async () => {
    await scan.click();
    await video.waitFor();
    assert.equal(await running(), 1);
  };
  await on();
  await look(page, "scanning");
  await page.getByRole("button", { name: "Stop the camera" }).click();
  await off();
  await on();
  await page.keyboard.press("Escape");
  await off();
  await on();
  await setVisible(page, false);
  await off();
  await setVisible(page, true);
  await on();
  await page.evaluate(() => window.seen.push("https://example.org/a-menu"));
  const uri = await alice.pairingUri();
  await page.evaluate((uri) => window.seen.push(uri), uri);
  await off();
  assert.equal(await page.getByLabel(LABEL).inputValue(), uri);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Create passkey" }).click();
  await person.arrived();
});

test("a camera that may not be used says so, and only pages that scan may ask for it", async () => {
  const person = await world.visitor();
  await withCodes(person, { camera: "NotAllowedError" });
  await person.page.goto(await world.service.invite("Alice"));
  await person.page.getByRole("button", { name: "Scan a QR code" }).click();
  await person.page.locator("#uri-error").filter({ hasText: "may not be used here" }).waitFor();
  for (const path of ["/login", "/healthz"]) {
    const response = await fetch(world.service.direct + path);
    assert.match(response.headers.get("permissions-policy"), /camera=\(\)/);
  }
});

test("pairing again takes a set-up link, and scans after loading the page anew", async () => {
  const person = await world.visitor();
  const { page } = person;
  person.watch.expect(EXPECTED.refused);
  await withCodes(person);
  await person.signUp(await world.service.invite("Alice"), await alice.pairingUri());
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.locator("#pairing summary").click();
  const button = page.getByRole("button", { name: "Pair again" });
  // The page one came from had no leave to use the camera.
  await page.locator("#pairing").getByRole("button", { name: "Scan a QR code" }).click();
  await page.locator("#pairing video").waitFor();
  const link = await setupLink();
  await page.evaluate((link) => window.seen.push(link), link);
  const field = page.getByLabel("New pairing URI");
  await eventually(async () => assert.equal(await field.inputValue(), link));
  await button.click();
  const device = page.getByLabel("Name of this device");
  await device.waitFor();
  assert.match(await page.locator("#pairing .linked").innerText(), new RegExp(alice.peer));
  assert.equal(await device.inputValue(), "Alice's tablet");
  await look(page, "re-pair-link");
  await person.cancelNext("get");
  await button.click();
  await page.locator("#pairing .error").filter({ hasText: "cancelled" }).waitFor();
  await button.click();
  await page.locator("#settings-said").filter({ hasText: "Paired again" }).waitFor();
  // It was used once, and says so the next time.
  await page.reload();
  await page.locator("#pairing summary").click();
  await field.fill(link);
  await button.click();
  await page.locator("#pairing .error").filter({ hasText: "was used already" }).waitFor();
  assert.equal(await device.isVisible(), false);
});
