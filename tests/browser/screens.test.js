// Every page and state as people see it, saved for eyes under target/screens/, in two sizes, light
// and dark. What can be judged without eyes is: nothing overflows, and nothing has moved once shown.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const FOLDER = join(import.meta.dirname, "../../target/screens");
/** What README shows; written anew with KEEP_SCREENSHOT=1. */
const README = join(import.meta.dirname, "thread.png");
const README_AT_MOST = 150_000;

const SIZES = [
  { width: 375, height: 812 },
  { width: 1280, height: 800 },
];
const SCHEMES = ["light", "dark"];

let world;
let person;
let page;

before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  world = await World.build({ cast: true });
  person = await world.visitor();
  person.watch.expect(...Object.values(EXPECTED));
  page = person.page;
});
after(async () => {
  await world?.goHome();
  await world?.end();
});

/** Saves the page in every size and scheme. */
async function screens(name) {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: join(FOLDER, `${name}-${size.width}-${colorScheme}.png`) });
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} overflows ${size.width} px by ${wide}`);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} overflows 320 px by ${wide}`);
  await page.setViewportSize(SIZES[1]);
}

/** How much moved on the page since it was first shown: the sum of its layout shifts. */
async function movement() {
  return page.evaluate(async () => {
    let sum = 0;
    const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
    return sum;
  });
}

test("sign-up", async () => {
  await page.goto(`${world.service.url}/register?code=no`);
  await screens("invite-invalid");
  const invite = await world.service.invite("Alice");
  await page.goto(invite);
  await screens("register");
  await person.connect(invite, "posta+v1://cut-short");
  await page.locator("#uri-error").filter({ hasText: /./ }).waitFor();
  await screens("register-error");
  await person.connect(invite, await world.servers.alice.pairingUri());
  const button = page.getByRole("button", { name: "Create passkey" });
  await button.waitFor();
  await screens("passkey");
  await person.cancelNext("create");
  await button.click();
  await page.locator("#auth-error").filter({ hasText: /./ }).waitFor();
  await screens("passkey-error");
  await button.click();
  await person.arrived();
  await screens("inbox");
});

test("conversations", async () => {
  const { bob, room } = world.servers;
  await page.goto(world.thread(bob.peer));
  await page.locator("#scroll .msg").last().waitFor();
  await eventually(async () => assert.ok(await person.isAtBottom()));
  assert.ok((await movement()) < 0.001, "nothing moves once it is shown");
  await screens("thread");
  await page.setViewportSize({ width: 1120, height: 700 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: join(FOLDER, "readme.png") });
  await page.goto(world.thread(room.peer));
  await page.locator("#scroll .msg").last().waitFor();
  await screens("room");
  await page.goto(world.thread("nobody.example"));
  await screens("empty-thread");
  await page.goto(`${world.service.url}/new`);
  await screens("new");
  await page.getByRole("button", { name: /^Your menu/ }).click();
  await screens("menu");
});

test("settings", async () => {
  await page.goto(`${world.service.url}/settings`);
  await screens("settings");
  await page.locator("#passkeys summary").first().click();
  await screens("settings-rename");
  for (const summary of await page.locator("#pairing summary, #account summary").all()) await summary.click();
  await page.locator("#account").scrollIntoViewIfNeeded();
  await screens("settings-end");
});

test("when something is wrong", async () => {
  const { alice, bob } = world.servers;
  await page.goto(world.thread(bob.peer));
  await page.locator("#scroll .msg").last().waitFor();
  await page.locator("#scroll").evaluate((box) => (box.scrollTop -= 900));
  await alice.receive([{ peer: bob.peer, text: "Did you see this?" }]);
  await page.getByRole("button", { name: "New messages" }).waitFor();
  await screens("new-messages");
  await alice.tell({ failures: [{ path: "POST /api/v1/messages", status: 503 }] });
  await person.write("This one cannot go out just now.");
  await page.locator(".msg.unsent").getByText("Not sent yet").waitFor();
  await screens("send-error");
  await alice.tell({ failures: [] });
  await page.locator(".msg.unsent").getByRole("button", { name: "Retry" }).click();
  await page.locator(".msg.unsent").waitFor({ state: "detached" });
  await person.context.setOffline(true);
  await page.locator("#health[data-state=offline]").waitFor({ state: "attached" });
  await screens("offline");
  await person.context.setOffline(false);
  await page.locator("#health[data-state=ok]").waitFor({ state: "attached" });
  await page.locator("#session-ending").evaluate((banner) => (banner.hidden = false));
  await screens("session-ending");
  await page.locator("#session-ending").evaluate((banner) => (banner.hidden = true));
  await alice.stop();
  await page.locator("#health .when-unreachable").waitFor({ timeout: 15_000 * busyness() });
  await page.reload();
  await screens("unreachable");
  await page.goto(`${world.service.url}/c/%00`);
  await screens("error");
  await alice.restart();
  await page.goto(world.service.url);
  await person.signOut();
  await screens("login");
});

test("the picture in README is small, and of this test", () => {
  if (process.env.KEEP_SCREENSHOT) copyFileSync(join(FOLDER, "readme.png"), README);
  assert.ok(statSync(README).size <= README_AT_MOST, `${README} is larger than ${README_AT_MOST} bytes`);
});
