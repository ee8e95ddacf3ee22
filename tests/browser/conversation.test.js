// Two people talk: sending, states, badges, history, and what must survive each new drawing.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { EXPECTED, busyness, eventually, setVisible } from "./harness/page.js";
import { SIZES } from "./harness/screens.js";
import { World } from "./harness/world.js";

let world;
let alice;
let bob;
/** What they call each other. */
let atAlice;
let atBob;

before(async () => {
  world = await World.build();
  atAlice = world.servers.Alice;
  atBob = world.servers.Bob;
});
after(() => world?.end());
afterEach(() => world.goHome());

async function bothCome(options) {
  alice = await world.member("Alice", options);
  bob = await world.member("Bob", options);
}

const HOUR = 3_600_000;

test("both directions, with states, badges and previews", async () => {
  await bothCome();
  await alice.page.goto(world.thread(atBob.peer));
  await alice.write("Dear Bob,\nhow are you?");
  await alice.hears("Dear Bob,");
  await alice.bubble("Dear Bob,\nhow are you?").locator(".state.delivered").waitFor();
  assert.match(await alice.bubble("Dear Bob,\nhow are you?").getAttribute("class"), /\bout\b/);

  // Bob has another page open: a badge and the preview, together.
  await bob.badge(atAlice.peer, 1);
  assert.match(await bob.line(atAlice.peer).locator(".preview").innerText(), /Dear Bob, how are you\?/);
  await bob.open(atAlice.peer);
  await bob.badge(atAlice.peer, 0);
  assert.match(await bob.bubble("Dear Bob,\nhow are you?").getAttribute("class"), /\bin\b/);

  await bob.write("Fine, and you?");
  await alice.hears("Fine, and you?");
  await bob.bubble("Fine, and you?").locator(".state.delivered").waitFor();
  // She looks at it: nothing is unread, not even for a moment.
  await alice.badge(atBob.peer, 0);
  await eventually(async () =>
    assert.match(await alice.line(atBob.peer).locator(".preview").innerText(), /Fine, and you\?/),
  );
});

test("what nobody looks at stays unread until somebody does", async () => {
  await bothCome();
  await bob.page.goto(world.thread(atAlice.peer));
  await setVisible(bob.page, false);
  await alice.page.goto(world.thread(atBob.peer));
  await alice.write("Are you there?");
  await bob.hears("Are you there?");
  await bob.badge(atAlice.peer, 1);
  await setVisible(bob.page, true);
  await bob.badge(atAlice.peer, 0);
});

test("a clock while it waits, a check when it has arrived", async () => {
  await bothCome();
  await alice.page.goto(world.thread(atBob.peer));
  await atBob.tell({ failures: [{ path: "POST /", status: 503 }] });
  await alice.write("wait for it");
  await alice.hears("wait for it");
  await alice.bubble("wait for it").locator(".state.pending, .state.sending").waitFor();
  await atBob.tell({ failures: [] });
  await alice.bubble("wait for it").locator(".state.delivered").waitFor();
});

for (const [size, viewport] of SIZES) {
  test(`a message that was refused says why; one that can be tried again has its button, on a ${size}`, async () => {
    await bothCome({ context: { viewport } });
    await alice.page.goto(world.thread(atBob.peer));
    await atBob.tell({ block: [atAlice.url] });
    await alice.write("you will not want this");
    const refused = alice.bubble("you will not want this");
    await refused.locator(".state.failed-permanent").waitFor();
    assert.match(await refused.locator(".trouble").innerText(), /does not take messages from you/);
    await atBob.tell({ unblock: [atAlice.url] });

    await atBob.tell({ failures: [{ path: "POST /", status: 503, code: "internal" }] });
    await alice.write("fifth time lucky");
    const failed = alice.bubble("fifth time lucky");
    await failed.locator(".state.failed-pending-user").waitFor({ timeout: 15_000 * busyness() });
    await atBob.tell({ failures: [] });
    await failed.getByRole("button", { name: "Retry" }).click();
    await failed.locator(".state.delivered").waitFor();
  });
}

test("the bubble is there at once, and never twice", async () => {
  alice = await world.member("Alice");
  await alice.page.goto(world.thread(atBob.peer));
  await alice.page.evaluate(() => {
    // Notes every bubble that ever says “once only”, and how many there are at a time.
    window.most = 0;
    window.least = Infinity;
    const count = () => [...document.querySelectorAll(".msg .words")].filter((w) => w.textContent === "once only").length;
    new MutationObserver(() => {
      window.most = Math.max(window.most, count());
      if (window.most > 0) window.least = Math.min(window.least, count());
    }).observe(document.getElementById("scroll"), { subtree: true, childList: true });
  });
  await atAlice.tell({ latencyMs: 400 });
  await alice.write("once only");
  await alice.bubble("once only").locator(".state.sending").waitFor({ timeout: 300 * busyness() });
  assert.equal(await alice.page.getByRole("textbox", { name: "Message" }).inputValue(), "");
  await alice.page.locator(".msg[data-row]", { hasText: "once only" }).waitFor();
  await atAlice.tell({ latencyMs: 0 });
  await alice.bubble("once only").locator(".state.delivered").waitFor();
  assert.deepEqual(await alice.page.evaluate(() => [window.least, window.most]), [1, 1]);
});

test("messages sent in a hurry arrive in order", async () => {
  await bothCome();
  await alice.page.goto(world.thread(atBob.peer));
  const texts = Array.from({ length: 8 }, (_, index) => `hurry ${index + 1}`);
  for (const text of texts) await alice.write(text);
  await bob.page.goto(world.thread(atAlice.peer));
  await bob.hears("hurry 8");
  for (const person of [alice, bob]) {
    await eventually(async () => {
      const said = await person.page.locator(".words").allInnerTexts();
      assert.deepEqual(said.filter((text) => text.startsWith("hurry")), texts);
    });
  }
});

describe("the composer", () => {
  const field = (person) => person.page.getByRole("textbox", { name: "Message" });

  test("Enter sends, Shift+Enter breaks the line, blank and composing do nothing", async () => {
    alice = await world.member("Alice");
    await alice.page.goto(world.thread(atBob.peer));
    await eventually(async () => assert.ok(await field(alice).evaluate((f) => f === document.activeElement)));
    const count = () => alice.page.locator("#messages .msg").count();
    const before = await count();
    for (const blank of ["", "   ", "\n\n"]) {
      await field(alice).fill(blank);
      await field(alice).press("Enter");
    }
    await field(alice).fill("日本");
    // An input method's Enter, as browsers tell it, and as Safari does.
    for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
      await field(alice).evaluate((f, init) => {
        f.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init }));
      }, how);
    }
    assert.equal(await count(), before);
    assert.equal(await field(alice).inputValue(), "日本");
    await field(alice).fill("one");
    await field(alice).press("Shift+Enter");
    await field(alice).pressSequentially("two");
    assert.equal(await count(), before);
    await field(alice).press("Enter");
    await alice.hears("one\ntwo");
    await field(alice).fill("with the button");
    await alice.page.getByRole("button", { name: "Send" }).click();
    await alice.hears("with the button");
  });

  test("it grows with its text, and the thread stays pinned", async () => {
    alice = await world.member("Alice");
    await atAlice.receive(Array.from({ length: 30 }, (_, n) => ({ peer: "tall.example", text: `line ${n}` })));
    await alice.page.goto(world.thread("tall.example"));
    const height = () => field(alice).evaluate((f) => f.offsetHeight);
    const one = await height();
    await field(alice).fill(Array.from({ length: 5 }, (_, n) => `row ${n}`).join("\n"));
    await eventually(async () => assert.ok(await alice.isAtBottom()));
    const five = await height();
    assert.ok(five >= one + 4 * 20, `${one} to ${five}`);
    await field(alice).fill(Array.from({ length: 40 }, (_, n) => `row ${n}`).join("\n"));
    const forty = await height();
    assert.ok(forty <= one + 8 * 24, `eight lines at most: ${forty}`);
    await field(alice).fill("");
    assert.equal(await height(), one);
    await eventually(async () => assert.ok(await alice.isAtBottom()));
  });

  test("each conversation keeps its draft", async () => {
    alice = await world.member("Alice");
    await alice.page.goto(world.thread("one.example"));
    await field(alice).fill("for one");
    await alice.page.goto(world.thread("two.example"));
    assert.equal(await field(alice).inputValue(), "");
    await field(alice).fill("for two");
    await alice.page.reload();
    assert.equal(await field(alice).inputValue(), "for two");
    await alice.page.goto(world.thread("one.example"));
    assert.equal(await field(alice).inputValue(), "for one");
  });
});

test("a new drawing keeps selection, focus, caret, draft and place", async () => {
  alice = await world.member("Alice");
  const peer = "calm.example";
  await atAlice.receive(
    Array.from({ length: 45 }, (_, n) => ({ peer, text: `calm ${n}`, at: Date.now() - (90 - n) * HOUR })),
  );
  await alice.page.goto(world.thread(peer));
  await alice.hears("calm 44");
  const field = alice.page.getByRole("textbox", { name: "Message" });
  await field.fill("half a thought");
  const look = () =>
    alice.page.evaluate(() => ({
      selected: getSelection().toString(),
      focus: document.activeElement.id,
      caret: [document.activeElement.selectionStart, document.activeElement.selectionEnd],
      draft: document.getElementById("text").value,
      top: document.getElementById("scroll").scrollTop,
    }));

  // A reader has scrolled up and marked something.
  await alice.page.evaluate(() => (document.getElementById("scroll").scrollTop -= 600));
  await alice.bubble("calm 20").locator(".words").evaluate((words) => getSelection().selectAllChildren(words));
  const reading = await look();
  assert.equal(reading.selected, "calm 20");
  await atAlice.receive([{ peer, text: "news" }]);
  await alice.hears("news");
  assert.deepEqual(await look(), reading);
  await alice.page.getByRole("button", { name: "New messages" }).click();
  await eventually(async () => assert.ok(await alice.isAtBottom()));
  await alice.page.getByRole("button", { name: "New messages" }).waitFor({ state: "hidden" });

  // A writer is in the middle of a word.
  await field.evaluate((text) => text.setSelectionRange(5, 8));
  const writing = await look();
  assert.deepEqual(writing.caret, [5, 8]);
  await atAlice.receive([{ peer, text: "more news" }]);
  await alice.hears("more news");
  assert.deepEqual({ ...(await look()), top: 0 }, { ...writing, top: 0 });
  assert.ok(await alice.isAtBottom(), "at the bottom it stays pinned");
});

test("older messages come as one scrolls up, and nothing jumps", async () => {
  alice = await world.member("Alice");
  const peer = "long.example";
  const began = Date.now() - 400 * HOUR;
  await atAlice.receive(
    Array.from({ length: 230 }, (_, n) => ({
      peer,
      text: `letter ${n} ${"and so on ".repeat(n % 17)}`,
      at: began + n * HOUR,
    })),
  );
  await alice.page.goto(world.thread(peer));
  await alice.hears("letter 229");
  assert.ok(await alice.isAtBottom(), "opened at the newest");

  // Watches every frame: whatever is put in above, the first visible message moves only by scrolling.
  await alice.page.evaluate(() => {
    const box = document.getElementById("scroll");
    window.jumps = [];
    let last = null;
    const look = () => {
      const top = box.getBoundingClientRect().top;
      if (last?.message.isConnected && box.dataset.still === "1") {
        const moved = last.message.getBoundingClientRect().top - top - last.y;
        if (Math.abs(moved) > 1) window.jumps.push(moved);
      }
      const message = [...box.querySelectorAll(".msg")].find((m) => m.getBoundingClientRect().top >= top);
      last = message && { message, y: message.getBoundingClientRect().top - top };
      requestAnimationFrame(look);
    };
    look();
  });
  const count = () => alice.page.locator("#scroll .msg").count();
  for (let had = await count(); had < 230; had = await count()) {
    await alice.page.locator("#scroll").evaluate(async (box) => {
      delete box.dataset.still;
      box.scrollTop = 40;
      await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
      box.dataset.still = "1";
    });
    await eventually(async () => assert.ok((await count()) > had));
  }
  assert.equal(await count(), 230);
  assert.deepEqual(await alice.page.evaluate(() => window.jumps), []);
  const texts = await alice.page.locator("#scroll .words").allInnerTexts();
  assert.deepEqual(texts.map((text) => Number(text.split(" ")[1])), Array.from({ length: 230 }, (_, n) => n));

  // Each day has its line once, in order.
  const days = await alice.page.locator("#scroll .day").evaluateAll((lines) => lines.map((line) => line.id));
  assert.deepEqual(days, [...new Set(days)].sort());
  assert.equal(await alice.page.locator("#older").getAttribute("data-before"), null);
});

test("days and times are the reader's own", async () => {
  alice = await world.member("Alice", { context: { timezoneId: "Pacific/Auckland", locale: "en-GB" } });
  const peer = "days.example";
  const now = new Date();
  // 10:30 in the evening of yesterday in UTC is today in Auckland.
  const evening = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - 1, 22, 30);
  await atAlice.receive([{ peer, text: "an old one", at: Date.UTC(2025, 4, 12, 3, 0) }]);
  await atAlice.receive([{ peer, text: "late", at: evening }]);
  await alice.page.goto(world.thread(peer));
  await alice.hears("late");
  const auckland = (at, options) => new Intl.DateTimeFormat("en-GB", { timeZone: "Pacific/Auckland", ...options }).format(at);
  const days = await alice.page.locator(".day").allInnerTexts();
  assert.equal(days[0], "12 May 2025");
  assert.match(days[1], /^(Today|Yesterday)$/);
  const shown = await alice.bubble("late").locator("time").innerText();
  assert.equal(shown, auckland(evening, { hour: "numeric", minute: "2-digit" }));
});

test("a message is text, whatever it looks like", async () => {
  await bothCome();
  await bob.page.goto(world.thread(atAlice.peer));
  await bob.page.evaluate(() => (window.hacked = false));
  const hostile = [
    "<script>window.hacked = true</script>",
    "<img src=x onerror=\"window.hacked = true\">",
    "<svg onload=window.hacked=true>",
    "\"><a href=\"javascript:window.hacked=true\">click</a>",
    "javascript:window.hacked=true",
    "</article></div><h1>not a heading</h1>",
    "&lt;b&gt; &amp;amp; &#60;",
    "<hx-partial hx-target=\"#main\"><p>gone</p></hx-partial>",
    "<title>stolen</title>",
    "<div hx-get=\"/logout\" hx-trigger=\"load\"></div>",
    "{{7*7}} ${7*7} <%= 7 %>",
    "https://example.com/\"onmouseover=\"window.hacked=true",
    "https://example.com/<script>window.hacked=true</script>",
  ];
  await alice.page.goto(world.thread(atBob.peer));
  for (const text of hostile) await alice.write(text);
  await bob.hears(hostile.at(-1));
  for (const person of [alice, bob]) {
    await eventually(async () => {
      const said = await person.page.locator("#scroll .words").allInnerTexts();
      assert.deepEqual(said.slice(-hostile.length), hostile);
    });
    await person.page.reload();
    await person.arrived();
    const said = await person.page.locator("#scroll .words").allInnerTexts();
    assert.deepEqual(said.slice(-hostile.length), hostile);
    assert.equal(await person.page.locator("#scroll h1, #scroll script, #scroll [hx-get]").count(), 0);
    assert.equal(await person.page.evaluate(() => window.hacked ?? false), false);
    assert.doesNotMatch(await person.page.title(), /stolen/);
    const links = await person.page.locator("#scroll .words a").evaluateAll((all) => all.map((a) => a.protocol));
    assert.ok(links.every((protocol) => protocol === "https:" || protocol === "http:"), String(links));
  }
});

test("Back and Forward, however fast, end at the conversation that the address names", async () => {
  await world.servers.Alice.receive(["p", "q", "r", "s"].map((name) => ({ peer: `${name}.example`, text: `from ${name}` })));
  const alice = await world.member("Alice");
  for (const name of ["p", "q", "r", "s", "p", "q", "r", "s"]) await alice.open(`${name}.example`);
  for (const [back, forward] of [[6, 3], [5, 4], [3, 2]]) {
    // As fast as a held key: none waits for the one before.
    await alice.page.evaluate(async ([back, forward]) => {
      const step = () => new Promise((done) => addEventListener("popstate", done, { once: true }));
      for (const [count, go] of [[back, -1], [forward, 1]]) {
        for (let n = 0; n < count; n += 1) {
          const gone = step();
          history.go(go);
          await gone;
          await new Promise((next) => setTimeout(next, 5));
        }
      }
    }, [back, forward]);
    await eventually(async () => {
      const peer = await alice.page.locator("#thread").getAttribute("data-peer");
      assert.equal(new URL(alice.page.url()).pathname, `/c/${peer}`);
      await alice.hears(`from ${peer[0]}`, { within: 1000 });
    });
    await alice.page.evaluate(() => history.go(1));
    await alice.page.waitForTimeout(100);
  }
});

test("the last click wins, Back asks again, and an error is a sentence", async () => {
  alice = await world.member("Alice");
  alice.watch.expect(EXPECTED.unavailable, EXPECTED.network, EXPECTED.refused);
  const people = ["first.example", "second.example", "third.example"];
  for (const peer of people) await atAlice.receive([{ peer, text: `from ${peer}` }]);
  await alice.page.goto(world.service.url);
  await alice.line("first.example").waitFor();

  // The first answer is slow: the click after it must not be undone by it.
  await alice.page.route("**/c/first.example", async (route) => {
    await new Promise((later) => setTimeout(later, 500));
    await route.continue().catch(() => {});
  });
  await alice.line("first.example").click();
  await alice.open("second.example");
  await alice.hears("from second.example");
  await alice.page.waitForTimeout(600);
  assert.equal(await alice.page.locator("#thread").getAttribute("data-peer"), "second.example");
  assert.equal(alice.page.url(), world.thread("second.example"));
  assert.equal(await alice.line("second.example").getAttribute("aria-current"), "page");
  await alice.page.unroute("**/c/first.example");

  await alice.open("third.example");
  await atAlice.receive([{ peer: "second.example", text: "while away" }]);
  await alice.page.goBack();
  await alice.hears("while away");
  assert.equal(alice.page.url(), world.thread("second.example"));
  assert.equal(await alice.line("second.example").getAttribute("aria-current"), "page");
  await alice.page.goForward();
  await alice.hears("from third.example");

  await alice.page.route("**/c/first.example", (route) =>
    route.fulfill({ status: 503, contentType: "text/html", body: "<h1>proxy error</h1>" }),
  );
  await alice.line("first.example").click();
  await alice.page.locator("#notice").waitFor();
  assert.equal(await alice.page.locator("#thread").getAttribute("data-peer"), "third.example");
  assert.equal(alice.page.url(), world.thread("third.example"));
  await alice.page.unroute("**/c/first.example");
  await alice.page.route("**/c/first.example", (route) => route.abort());
  await alice.line("first.example").click();
  await alice.page.locator("#notice").filter({ hasText: "can't be reached" }).waitFor();
  await alice.page.unroute("**/c/first.example");
  await alice.open("first.example");
  await alice.page.locator("#notice").waitFor({ state: "detached" });
});
