// Whatever a posta-server, a peer or a link says stays words: a corpus of what people write to have it
// run, in every field that somebody else fills, on every page, with a tripwire.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { FILES, HostileServer, THREADS } from "./harness/hostile.js";
import { EXPECTED, eventually } from "./harness/page.js";
import { ADDRESSES, FOREIGN, PAYLOADS } from "./harness/payloads.js";
import { Tripwire } from "./harness/tripwire.js";
import { World } from "./harness/world.js";

/** A kind and a name are cut to this many characters. */
const KIND = 64;
/** Those that break out of most places, for what has to be tried one by one, */
const SHARPEST = [0, 2, 16, 21, 26, 28, 32, 33, 34, 46].map((index) => PAYLOADS[index]);

/** as few texts as they fit into, of so many characters. */
function packed(length) {
  return SHARPEST.reduce(([last, ...rest], words) => {
    const longer = last ? `${last} ${words}` : words;
    return longer.length <= length ? [longer, ...rest] : [words, last, ...rest];
  }, [""]);
}

let world;
let hostile;
let alice;
let wire;

before(async () => {
  world = await World.build({ names: [] });
  hostile = await HostileServer.start();
});
after(async () => {
  await world?.end();
  await hostile?.stop();
});
afterEach(async () => {
  hostile.refuses = false;
  await world.goHome();
});

/** Signs up at the posta-server that is not to be believed. */
async function arrive(link = hostile.pairingUri) {
  alice = await world.visitor();
  // Pictures that are none are answered 404, and refusals are what is tested.
  alice.watch.expect(EXPECTED.refused, EXPECTED.unavailable);
  wire = new Tripwire(alice.context, world.service.url);
  await alice.connect(await world.service.invite(PAYLOADS[0]), link);
  await alice.page.getByRole("button", { name: "Create passkey" }).waitFor();
  await wire.check(alice.page, "step 2 of sign-up");
  await alice.page.getByRole("button", { name: "Create passkey" }).click();
  await alice.arrived();
}

async function visit(path, what = path) {
  await alice.page.goto(world.service.url + path);
  await wire.check(alice.page, what);
}

/** What is left of words on a page: white space is one space, control characters are none. */
function plain(text) {
  return text.replace(/[\p{Cc}\ufffd]/gu, "").replace(/\s+/g, " ").trim();
}

/** Throws when the words are not on the page as they are: a field that is dropped proves nothing. */
async function shows(selector, words, cut = Infinity) {
  const texts = (await alice.page.locator(selector).allTextContents()).map(plain);
  for (const text of words) {
    const wanted = plain([...text].slice(0, cut).join(""));
    assert.ok(texts.some((shown) => shown.includes(wanted)), `${selector} must show ${wanted}`);
  }
}

test("names, kinds and pictures of contacts, and the preview of what they wrote", async () => {
  await arrive();
  await alice.page.locator("#contacts .contact").nth(PAYLOADS.length - 1).waitFor();
  await wire.check(alice.page, "the list of conversations");
  await shows("#contacts .name", PAYLOADS);
  await shows("#contacts .preview", [PAYLOADS[0]]);
  // The dialog copies them; the title and the icon count them.
  await alice.page.keyboard.press("Control+k");
  await alice.page.locator("#jump-list [role=option]").nth(20).waitFor();
  await wire.check(alice.page, "the dialog that jumps");
  const first = await alice.page.locator("#contacts .name bdi").allTextContents();
  await shows("#jump-list .name", first.slice(0, 20));
});

test("texts, kinds, reasons, links, names, descriptions and authors of messages", async () => {
  await arrive();
  const places = {
    texts: [".msg .words", Infinity],
    kinds: [".msg .kind", KIND],
    failures: [".trouble code", 200],
    links: [".msg .words a", 300],
    pictures: [".msg .caption", Infinity],
    rooms: [".msg .words", Infinity],
  };
  for (const [sort, peer] of Object.entries(THREADS)) {
    await visit(`/c/${peer}`, `the thread of ${sort}`);
    await alice.page.locator("#scroll .msg").last().waitFor();
    if (sort in places) await shows(`#scroll ${places[sort][0]}`, PAYLOADS, places[sort][1]);
    // Drawn once more by the script, and by a click from the list.
    hostile.event("inbound", { peer, rowId: 2000, message: { payload: { kind: PAYLOADS[0] } } }, PAYLOADS[2]);
    await alice.page.goto(world.service.url);
    await alice.open(peer);
    await alice.page.locator("#scroll .msg").last().waitFor();
    await wire.check(alice.page, `the thread of ${sort}, by a click`);
  }
});

test("links lead to the web or nowhere, and pictures that are none show and run nothing", async () => {
  await arrive();
  await visit(`/c/${THREADS.addresses}`);
  const hrefs = await alice.page.locator("#scroll .msg a[href]").evaluateAll((all) => all.map((a) => a.href));
  assert.ok(hrefs.length > 3 && hrefs.every((href) => /^https?:\/\//.test(href)), hrefs.join(" "));
  await shows("#scroll .msg", ADDRESSES.filter((url) => /^(javascript|data|vbscript)/i.test(url)));
  await visit(`/c/${THREADS.files}`);
  const pictures = alice.page.locator("#scroll .msg a.frame");
  await eventually(async () => assert.equal(await pictures.count(), Object.keys(FILES).length));
  const addresses = await pictures.evaluateAll((all) => all.map((a) => a.href));
  for (const address of addresses) {
    await alice.page.goto(address);
    await wire.check(alice.page, `${address}, opened by itself`);
    // A picture or an error page of ours; never theirs.
    assert.doesNotMatch(await alice.page.content(), /alert\(1\)/);
  }
});

test("search results, and what was searched for", async () => {
  await arrive();
  for (const words of packed(500)) {
    await visit(`/search?q=${encodeURIComponent(words)}&peer=${encodeURIComponent(words)}`, `a search for ${words}`);
  }
  await visit("/search?q=window");
  // As much of each as a snippet shows.
  await shows("#found .result", PAYLOADS.slice(0, 20), 40);
});

test("what peers say of themselves", async () => {
  await arrive();
  for (const words of SHARPEST.slice(0, 6)) {
    const index = PAYLOADS.indexOf(words);
    await visit(`/new?url=${encodeURIComponent(`${hostile.peer}/actor/${index}`)}`, `the actor doc with ${words}`);
    await shows("#new-answer", [words], KIND);
    await visit(`/c/${encodeURIComponent(`${hostile.peer}/actor/${index}`)}`, `the thread of ${words}`);
    await shows("#thread header", [words], KIND);
    assert.match(await alice.page.title(), /\S/);
  }
});

test("one's own name and address, passkeys and sign-ins", async () => {
  await arrive();
  for (const words of packed(60)) {
    hostile.words = words;
    await eventually(() => assert.ok(hostile.listeners > 0));
    hostile.event("identity-changed", {});
    await visit("/settings", `the settings of ${words}`);
    await alice.page.locator("#passkeys summary").first().click();
    await alice.page.getByLabel("Name", { exact: true }).last().fill(words);
    await alice.page.getByRole("button", { name: "Save name" }).click();
    await eventually(() => shows("#passkeys .name", [words], 60));
    await wire.check(alice.page, `a passkey called ${words}`);
    await eventually(
      async () => {
        await alice.page.reload();
        await shows("#own", [words]);
      },
      { within: 20_000 },
    );
    await wire.check(alice.page, `somebody called ${words}`);
  }
});

test("a posta-server's refusals, wherever they are told", async () => {
  await arrive();
  for (const words of packed(300)) {
    hostile.refuses = true;
    hostile.words = words;
    await visit(`/c/${THREADS.texts}`);
    await alice.write(`an answer to ${words}`);
    await alice.page.locator(".msg.unsent .trouble p").last().filter({ hasText: "Not sent. " }).waitFor();
    await shows(".msg.unsent .trouble p", [words]);
    await wire.check(alice.page, `a refusal of a message: ${words}`);
    await alice.page.locator(".msg.unsent").last().getByRole("button", { name: "Discard" }).click();
    await visit(`/c/${THREADS.failures}`);
    await alice.page.locator(".retry button").last().click();
    await alice.page.locator("#notice").waitFor();
    await shows("#notice", [words]);
    await wire.check(alice.page, `a refusal of a retry: ${words}`);
    await visit("/settings");
    await alice.page.getByRole("textbox", { name: /name/i }).first().fill("Alice");
    await alice.page.getByRole("button", { name: /save/i }).first().click();
    await eventually(() => shows("#settings .error", [words]));
    await wire.check(alice.page, `a refusal of a name: ${words}`);
  }
  // An answer that was taken, with nothing in it that makes sense.
  hostile.refuses = false;
  await visit(`/c/${THREADS.texts}`);
  await alice.write("taken");
  await alice.page.locator(".msg.unsent").waitFor({ state: "detached" });
  await wire.check(alice.page, "a receipt that makes no sense");
});

test("a device's name and an identity behind a set-up link", async () => {
  for (const words of packed(80).slice(0, 2)) {
    hostile.words = words;
    await arrive(hostile.setupLink);
    await visit("/settings");
    await alice.page.locator("#pairing summary").first().click();
    await alice.page.locator("#pairing textarea").fill(hostile.setupLink);
    await alice.page.getByRole("button", { name: "Pair again" }).click();
    await alice.page.locator("#pairing .linked .whose").filter({ hasText: hostile.peer }).waitFor();
    assert.ok((await alice.page.locator("#pair-device").inputValue()).length > 0);
    await wire.check(alice.page, `a device called ${words}`);
  }
});

test("what stands in an address of ours, signed in or not", async () => {
  const paths = (words) => {
    const value = encodeURIComponent(words);
    return [
      `/${value}`,
      `/login?next=${value}`,
      `/login?next=${encodeURIComponent(`/${words}`)}`,
      `/register?code=${value}`,
      `/new?url=${value}`,
      `/c/${value}`,
      `/c/p1.example?at=${value}`,
      `/c/p1.example?before=${value}`,
      `/media/x?u=${value}`,
      `/static/x/${value}`,
    ];
  };
  await arrive();
  const [words] = packed(2000);
  for (const path of paths(words)) await visit(path);
  await alice.page.goto(world.service.url);
  await alice.signOut();
  for (const path of paths(words)) await visit(path);
});

test("the tripwire and the policy would notice", async () => {
  await arrive();
  const injected = (html) => alice.page.evaluate((markup) => document.body.insertAdjacentHTML("beforeend", markup), html);
  await assert.doesNotReject(wire.check(alice.page, "nothing yet"));
  for (const html of [
    "<b onclick=x>x</b>",
    "<a href=javascript:x>x</a>",
    `<a href=//${FOREIGN} ping=//${FOREIGN}>x</a>`,
    "<template><iframe></iframe></template>",
    `<form action=//${FOREIGN}></form>`,
  ]) {
    await injected(html);
    await assert.rejects(wire.check(alice.page, html), `${html} must be found`);
    await alice.page.evaluate(() => document.body.lastElementChild.remove());
    await wire.check(alice.page, "taken away again");
  }
  // What the policy refuses is told by the page itself, whatever else a test expects.
  await injected("<img src=x onerror=window.pwned=1>");
  await injected(`<img src=https://${FOREIGN}/x.png>`);
  await eventually(() => assert.throws(() => world.browser.policy.check(), /script-src-attr|img-src/));
  assert.equal(await alice.page.evaluate(() => window.pwned), undefined);
  alice.watch.expect(/Content Security Policy/);
  await alice.leave();
  // The same once more, by the browser's own words, which may come later.
  assert.throws(() => {
    world.browser.policy.check();
    throw new Error("told already: img-src");
  }, /img-src/);
});
