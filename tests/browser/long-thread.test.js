// Nothing that is read moves, and a long thread stays light: what is far away is let go of, and is
// there again when one comes back.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const PHONE = { width: 375, height: 812 };
const DESKTOP = { width: 1280, height: 800 };
const SIZES = Object.entries({ phone: PHONE, desktop: DESKTOP });
const MINUTE = 60_000;
const MOST = 300;

let world;
let person;
let page;
let server;

before(async () => {
  world = await World.build({ names: ["Alice"] });
  server = world.servers.Alice;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function come(viewport) {
  person = await world.member("Alice", { context: { viewport } });
  page = person.page;
}

/** Messages of one peer, half a minute apart in threes, so that clusters cross every border. */
function letters(peer, count, from = 0) {
  const began = Date.now() - 4000 * MINUTE;
  return Array.from({ length: count }, (_, index) => {
    const n = from + index;
    const at = began + Math.floor(n / 3) * 5 * MINUTE + (n % 3) * MINUTE / 2;
    return { peer, text: `letter ${n} ${"and so on ".repeat(n % 11)}`, at };
  });
}

const shown = () =>
  page.locator("#scroll .msg").evaluateAll((all) => all.map((m) => Number(m.dataset.row)));

/** Scrolls as far as there is, in one direction. */
const scrollTo = (end) =>
  page.locator("#scroll").evaluate((box, end) => (box.scrollTop = end === "top" ? 0 : box.scrollHeight), end);

/**
 * Watches every frame: how far the line that was read moved, beyond what was scrolled, and every
 * layout shift with the elements that it moved.
 */
async function watchLine(row) {
  await page.evaluate((row) => {
    const line = document.getElementById(`msg-${row}`);
    const box = document.getElementById("scroll");
    const top = () => line.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const start = top();
    const seen = { most: 0, gone: false };
    window.line = seen;
    const look = () => {
      seen.gone ||= !line.isConnected;
      seen.most = Math.max(seen.most, Math.abs(top() - start));
      if (window.line === seen) requestAnimationFrame(look);
    };
    look();
  }, row);
}

/** What moved on the page since it was first shown: the sum of its layout shifts, and what they moved. */
async function movement() {
  return page.evaluate(async () => {
    const shifts = [];
    const name = (node) => (node?.id ? `#${node.id}` : `${node?.nodeName}.${node?.className ?? ""}`);
    const add = (list) => {
      for (const { value, sources } of list.getEntries()) {
        shifts.push({ value, moved: sources.map(({ node }) => name(node)) });
      }
    };
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
    return shifts;
  });
}

for (const [size, viewport] of SIZES) {
  test(`nothing moves when a thread is opened, and “New” stands above the first unread, on a ${size}`, async () => {
    const peer = `unread-${size}.example`;
    await server.receive(letters(peer, 60));
    await come(viewport);
    await page.goto(world.thread(peer));
    await person.badge(peer, 0);
    await page.goto(world.service.url);
    const [unread] = await server.receive([{ peer, text: "first unread" }, { peer, text: "second unread" }]);
    await person.badge(peer, 2);
    await person.open(peer);
    await person.hears("second unread");
    assert.equal(await page.locator("#new-line + .msg").getAttribute("data-row"), String(unread));
    assert.ok(await person.isAtBottom());
    // A live update keeps it where it was.
    await server.receive([{ peer, text: "third" }]);
    await person.hears("third");
    assert.equal(await page.locator("#new-line + .msg").getAttribute("data-row"), String(unread));
    assert.equal(await page.locator("#new-line").count(), 1);
    await page.goto(world.thread(peer));
    await eventually(async () => assert.ok((await shown()).length >= 50));
    await person.badge(peer, 0);
    assert.deepEqual(await movement(), []);
  });

  test(`while one reads, 100 messages, late pictures and two older pages move nothing, on a ${size}`, async () => {
    const peer = `calm-${size}.example`;
    const picture = { kind: "posta.link/v1", url: "https://pictures.invalid/x.png", mediaType: "image/png", alt: "late" };
    const before = letters(peer, 200);
    for (const n of [130, 150, 170, 190]) before[n].payload = picture;
    const rows = await server.receive(before);
    await come(viewport);
    let release;
    const late = new Promise((go) => (release = go));
    await page.route("**/media/**", async (route) => {
      await late;
      await route.abort().catch(() => {});
    });
    person.watch.expect(/net::ERR_FAILED/);
    await page.goto(world.thread(peer));
    await eventually(async () => assert.ok((await shown()).length >= 50));
    const row = rows[160];
    await page.evaluate((row) => document.getElementById(`msg-${row}`).scrollIntoView({ block: "center" }), row);
    await eventually(async () => assert.ok(!(await person.isAtBottom())));
    const had = (await shown())[0];
    await watchLine(row);
    for (let n = 0; n < 100; n += 10) {
      await server.receive(Array.from({ length: 10 }, (_, i) => ({ peer, text: `arrives ${n + i}` })));
    }
    await person.hears("arrives 99", { within: 10_000 });
    release();
    // Two older pages, fetched while one reads on: the line moves only by one's own hand.
    await page.getByRole("button", { name: "New messages" }).waitFor();
    assert.deepEqual(await page.evaluate(() => window.line), { most: 0, gone: false });
    for (let older = 0; older < 2; older += 1) {
      const near = await page.evaluate(() => {
        // In one task: scrolls up, and picks the line that one reads there.
        const scroll = document.getElementById("scroll");
        scroll.scrollTop = 900;
        const box = scroll.getBoundingClientRect();
        return [...scroll.querySelectorAll(".msg")].find((m) => m.getBoundingClientRect().top > box.top + 100).dataset.row;
      });
      const [first] = await shown();
      await watchLine(near);
      if (first !== rows[0]) await eventually(async () => assert.ok((await shown())[0] < first));
      assert.deepEqual(await page.evaluate(() => window.line), { most: 0, gone: false });
    }
    assert.ok((await shown())[0] < had);
    const shifts = (await movement()).filter(({ moved }) => moved.some((name) => name.startsWith("#msg")));
    assert.deepEqual(shifts, []);
  });

  test(`a page holds at most ${MOST} messages, both ways, and lives again at the end, on a ${size}`, async () => {
    const peer = `long-${size}.example`;
    const rows = await server.receive(letters(peer, 620));
    await come(viewport);
    await page.goto(world.thread(peer));
    await person.hears("letter 619");
    let most = 0;
    const whole = async () => {
      const now = await shown();
      most = Math.max(most, now.length);
      const start = rows.indexOf(now[0]);
      assert.deepEqual(now, rows.slice(start, start + now.length), "no gap, nothing twice");
      return now;
    };
    await eventually(
      async () => {
        await scrollTo("top");
        assert.equal((await whole())[0], rows[0]);
      },
      { within: 30_000 },
    );
    await eventually(async () => assert.ok(!(await whole()).includes(rows.at(-1)), "the end was let go of"));
    assert.ok(most > MOST - 50, "there was enough to let go of");
    await page.getByRole("button", { name: "To the newest" }).waitFor();

    // Clusters of three and days are right across every border.
    const clusters = await page.locator("#scroll .msg").evaluateAll((all) =>
      all.map((m) => `${m.classList.contains("first") ? "[" : ""}.${m.classList.contains("last") ? "]" : ""}`).join(""),
    );
    assert.match(clusters, /^(\[\.\.\.\])*(\[?\.{1,3})?$/);
    const days = await page.locator("#scroll .day").evaluateAll((all) => all.map((line) => line.id));
    assert.deepEqual(days, [...new Set(days)].sort());

    // Something comes meanwhile, and is there when one has scrolled down to it.
    await server.receive([{ peer, text: "came meanwhile" }]);
    await page.getByRole("button", { name: "New messages" }).waitFor();
    await eventually(
      async () => {
        await scrollTo("bottom");
        assert.equal(await page.locator("#scroll .msg", { hasText: "came meanwhile" }).count(), 1);
      },
      { within: 30_000 },
    );
    rows.push((await shown()).at(-1));
    await whole();
    await eventually(async () => {
      await scrollTo("bottom");
      assert.ok(await person.isAtBottom());
    });
    await server.receive([{ peer, text: "live again" }]);
    await person.hears("live again");
    await eventually(async () => assert.ok(await person.isAtBottom()));
    rows.push((await shown()).at(-1));
    await whole();
    assert.ok(most <= MOST, `${most} messages`);
  });
}

test("turning a phone or widening a window keeps the end in view, or the line that is read", async () => {
  const peer = "turned.example";
  await server.receive(letters(peer, 120).map((letter) => ({ ...letter, text: letter.text.repeat(3) })));
  await come(PHONE);
  await page.goto(world.thread(peer));
  await eventually(async () => assert.ok((await shown()).length >= 50));
  const turn = async (size) => {
    await page.setViewportSize(size);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  };
  for (const size of [DESKTOP, PHONE, { width: 812, height: 375 }, DESKTOP, { width: 2560, height: 1440 }]) {
    await turn(size);
    assert.ok(await person.isAtBottom(), `${size.width} px`);
  }
  // What was read at the top edge is there still, within the line that it begins.
  await turn(PHONE);
  await page.locator("#scroll").evaluate((box) => (box.scrollTop = box.scrollHeight - 3000));
  const read = () =>
    page.evaluate(() => {
      const edge = document.getElementById("scroll").getBoundingClientRect().top;
      return [...document.querySelectorAll("#scroll .msg")].find((m) => m.getBoundingClientRect().bottom > edge).id;
    });
  await turn(PHONE);
  const line = await read();
  for (const size of [DESKTOP, PHONE]) {
    await turn(size);
    const off = await page.evaluate(
      (id) => document.getElementById(id).getBoundingClientRect().top - document.getElementById("scroll").getBoundingClientRect().top,
      line,
    );
    assert.ok(Math.abs(off) < 400, `at ${size.width} px it stands ${off} px away`);
  }
});

test("a line that is read stays where it is while both ends change", async () => {
  const peer = "both-ends.example";
  const rows = await server.receive(letters(peer, 900));
  await come(DESKTOP);
  await page.goto(`${world.thread(peer)}?at=${rows[450]}`);
  await page.locator(`#msg-${rows[450]}`).waitFor();
  // As a hand does it: a screen at a time, and the line under the eye is watched between.
  let most = 0;
  for (const step of [...Array(28).fill(-700), ...Array(56).fill(700)]) {
    const moved = await page.evaluate(async (step) => {
      const box = document.getElementById("scroll");
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      box.scrollTop += step;
      const { top } = box.getBoundingClientRect();
      const line = [...box.querySelectorAll(".msg")].find((m) => m.getBoundingClientRect().top > top + 200);
      const place = () => line.getBoundingClientRect().top - top;
      const start = place();
      let moved = 0;
      // Long enough for a page to come; how much comes is looked at below.
      for (const until = performance.now() + 120; performance.now() < until; await frame()) {
        moved = Math.max(moved, line.isConnected ? Math.abs(place() - start) : Infinity);
      }
      return moved;
    }, step);
    assert.ok(moved < 1, `after ${step} the line moved by ${moved}`);
    most = Math.max(most, (await shown()).length);
  }
  assert.ok(most > MOST - 50 && most <= MOST, `${most} messages`);
});

test("what is marked or focused is not let go of", async () => {
  const peer = "marked.example";
  const rows = await server.receive(letters(peer, 500));
  await come(DESKTOP);
  await page.goto(world.thread(peer));
  const marked = await person.hears("letter 495");
  await marked.locator(".words").evaluate((words) => getSelection().selectAllChildren(words));
  const said = await page.evaluate(() => getSelection().toString());
  await eventually(
    async () => {
      await scrollTo("top");
      assert.equal((await shown())[0], rows[0]);
    },
    { within: 30_000 },
  );
  assert.equal(await page.evaluate(() => getSelection().toString()), said);
  assert.ok((await shown()).includes(rows[495]));
});

test("what one writes while reading far up is seen at the end", async () => {
  const peer = "write.example";
  const rows = await server.receive(letters(peer, 450));
  await come(DESKTOP);
  await page.goto(`${world.thread(peer)}?at=${rows[30]}`);
  await page.locator(`#msg-${rows[30]}`).waitFor();
  await person.write("and here I am");
  await person.hears("and here I am");
  await eventually(async () => assert.ok(await person.isAtBottom()));
  assert.equal(await page.locator(".msg", { hasText: "and here I am" }).count(), 1);
  assert.ok((await shown()).includes(rows.at(-1)));
});
