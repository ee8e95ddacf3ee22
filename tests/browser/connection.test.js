// How the connection stands, in each way that it can be broken: what is said, what still works, what
// there is to do; and that nothing one reads moves for it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { DESKTOP, PHONE, screens } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let server;
const PEER = "carol.example";

before(async () => {
  world = await World.build();
  server = world.servers.Alice;
  await server.receive(Array.from({ length: 60 }, (_, n) => ({ peer: PEER, text: `line ${n}` })));
});
after(() => world?.end());
afterEach(async () => {
  await server.tell({ failures: [] }).catch(() => server.restart());
  // What a test that failed left behind would fail the others.
  await fetch(`${world.service.url}/healthz`).catch(() => world.service.restart());
  await world.goHome();
});

async function reading(viewport = DESKTOP) {
  const alice = await world.member("Alice", { context: { viewport } });
  alice.watch.expect(...Object.values(EXPECTED));
  await alice.page.goto(world.thread(PEER));
  await alice.hears("line 59");
  await eventually(async () => assert.ok((await server.report()).streams >= 1), { within: 10_000 });
  return alice;
}

const state = ({ page }) => page.locator("#health").getAttribute("data-state");
const stands = (alice, wanted, within = 15_000) =>
  eventually(async () => assert.equal(await state(alice), wanted), { within });

/** The line at the top of the view, and where it stands. */
const line = ({ page }) =>
  page.locator("#scroll").evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    const first = [...box.querySelectorAll(".msg")].find((one) => one.getBoundingClientRect().top > top + 20);
    return [first.id, Math.round(first.getBoundingClientRect().top)];
  });

for (const viewport of [PHONE, DESKTOP]) {
  test(`offline and reconnecting are a word in the header, and move nothing, at ${viewport.width} px`, async () => {
    const alice = await reading(viewport);
    await alice.page.locator("#scroll").evaluate((box) => (box.scrollTop = 300));
    const before = await line(alice);
    await alice.context.setOffline(true);
    await stands(alice, "offline");
    const word = alice.page.locator("#connection");
    await word.filter({ hasText: "Offline" }).waitFor();
    await eventually(async () => assert.deepEqual(await line(alice), before, "nothing moves"));
    // The word opens a sentence that says what goes on working.
    await word.click();
    assert.match(await alice.page.locator("#health .when-offline").innerText(), /writ/);
    await screens(alice.page, `connection-offline-${viewport.width}`);
    await word.click();
    await eventually(async () => assert.deepEqual(await line(alice), before));
    // One can go on writing.
    await alice.write(`written offline at ${viewport.width}`);
    await alice.page.locator(".msg.unsent").filter({ hasText: `written offline at ${viewport.width}` }).waitFor();
    await alice.context.setOffline(false);
    await stands(alice, "ok");
    await word.waitFor({ state: "hidden" });
    await alice.hears(`written offline at ${viewport.width}`, { within: 10_000 });
  });
}

test("a service that is away is reconnected to by itself, or at a press", async () => {
  const alice = await reading();
  await world.service.stop("SIGKILL");
  await stands(alice, "reconnecting");
  await alice.page.locator("#connection").click();
  await alice.page.locator("#health .when-reconnecting").waitFor();
  await screens(alice.page, "connection-reconnecting");
  const pressed = alice.page.getByRole("button", { name: "Try now" });
  await pressed.waitFor();
  await alice.page.getByRole("textbox", { name: "Message" }).fill("not lost");
  await world.service.restart();
  await pressed.click({ timeout: 2000 * busyness() }).catch(() => {}); // it may be back by itself already
  // A restart forgets sessions; what was typed is there after signing in.
  await alice.page.getByRole("button", { name: "Sign in with a passkey" }).click({ timeout: 20_000 * busyness() });
  await alice.hears("line 59");
  const field = alice.page.getByRole("textbox", { name: "Message" });
  await eventually(async () => assert.equal(await field.inputValue(), "not lost"));
});

test("a service that says goodbye is said to be restarting", async () => {
  const alice = await reading();
  const stopped = world.service.stop("SIGTERM");
  await stands(alice, "restarting");
  await screens(alice.page, "connection-restarting");
  await stopped;
  await world.service.restart();
});

test("a posta-server that is away: its name, since when, what still works; and back by itself", async () => {
  const alice = await reading();
  await server.stop();
  await stands(alice, "unreachable");
  const words = await alice.page.locator("#health .when-unreachable").innerText();
  assert.match(words, /can't be reached/);
  assert.match(words, /keep writing|go on writing|messages go out/i);
  await screens(alice.page, "connection-unreachable");
  await alice.write("for when it is back");
  await server.restart();
  await stands(alice, "ok", 40_000);
  await alice.hears("for when it is back", { within: 15_000 });
});

test("a token that is refused: what that means, and the way to pair again", async () => {
  const alice = await reading();
  await server.tell({ revokeTokens: true });
  await stands(alice, "refused");
  const banner = alice.page.locator("#health .when-refused");
  assert.match(await banner.innerText(), /no longer accepts/);
  await screens(alice.page, "connection-refused");
  await banner.getByRole("link").click();
  await alice.page.getByLabel("New pairing URI").waitFor();
});
