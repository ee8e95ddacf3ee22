// Whoever is too fast is told so in plain words, loses nothing, and need not do anything.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

const peer = "pen.example";
let world;
let alice;

before(async () => {
  world = await World.build({ names: ["Alice"] });
});
after(() => world?.end());
afterEach(() => world.goHome());

async function arrive(path = `/c/${peer}`) {
  alice = await world.member("Alice");
  alice.watch.expect(EXPECTED.refused);
  await alice.page.goto(world.service.url + path);
}

/** Tries from the page, as its scripts would, until the service has enough of it. */
function exhaust(path, body) {
  return alice.page.evaluate(
    async ([path, body]) => {
      let number = 1;
      const ask = () => {
        const key = crypto.randomUUID();
        const target = path.replace("KEY", key).replace("NUMBER", number++);
        const isText = typeof body === "string";
        const options = body && { method: "POST", body: isText ? new URLSearchParams(body + key) : new Uint8Array(body) };
        return fetch(target, options ?? undefined);
      };
      while (number < 2000) {
        const answers = await Promise.all(Array.from({ length: 20 }, ask));
        const refused = answers.find(({ status }) => status === 429);
        if (refused) return Number(refused.headers.get("retry-after"));
      }
      return 0;
    },
    [path, body],
  );
}

test("a message that comes too soon stays, says so, waits as long as asked, and goes out by itself", async () => {
  await arrive();
  const tries = [];
  alice.page.on("response", async (response) => {
    const body = new URLSearchParams(response.request().postData() ?? "");
    if (body.get("text") !== "patience") return;
    tries.push({ at: Date.now(), status: response.status(), wait: Number(await response.headerValue("retry-after")) });
  });
  for (;;) {
    await exhaust(`/c/${peer}/messages`, "text=a+flood&key=");
    await alice.write("patience");
    const bubble = alice.bubble("patience");
    await bubble.waitFor();
    await eventually(() => assert.ok(tries.length > 0));
    if (tries[0].status === 429) {
      await bubble.getByText("it goes out by itself in a moment").waitFor();
      break;
    }
    tries.length = 0; // the machine was slow, and there was room again
  }
  assert.equal(await alice.page.getByRole("textbox", { name: "Message" }).inputValue(), "");
  await alice.page.locator(".msg.unsent").waitFor({ state: "detached" });
  await alice.hears("patience");
  for (const [index, { at }] of tries.slice(1).entries()) {
    assert.ok(at - tries[index].at >= tries[index].wait * 1000 - 100, JSON.stringify(tries));
  }
});

test("a picture that comes too soon stays with its description, and can be sent again", async () => {
  await arrive();
  const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0];
  assert.ok((await exhaust(`/c/${peer}/images?key=KEY`, png)) > 0);
  const picture = await alice.page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
    canvas.getContext("2d").fillRect(0, 0, 20, 20);
    const blob = await new Promise((made) => canvas.toBlob(made, "image/png"));
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const file = { name: "boat.png", mimeType: "image/png", buffer: Buffer.from(picture) };
  await alice.page.locator("#pick").setInputFiles(file);
  await alice.page.locator("#attached").getByRole("textbox").fill("A boat");
  await alice.page.getByRole("button", { name: "Send image" }).click();
  await alice.page.locator("#attached .error").filter({ hasText: /Not sent\. Too many tries\. Wait .+ seconds?/ }).waitFor();
  assert.equal(await alice.page.locator("#attached").getByRole("textbox").inputValue(), "A boat");
  await eventually(
    async () => {
      await alice.page.getByRole("button", { name: "Send image" }).click({ timeout: 500 }).catch(() => {});
      await alice.page.locator("#scroll .msg.out img[alt='A boat']").waitFor({ timeout: 1000 });
    },
    { within: 30_000 },
  );
});

test("looking for people too fast says when to try again, beside what was typed", async () => {
  await arrive("/new");
  assert.ok((await exhaust("/new/preview?url=localhost:NUMBER")) > 0);
  await alice.page.locator("#url").fill("zoe.example");
  await alice.page.locator("#url-error").filter({ hasText: /Wait .+ seconds? and try again/ }).waitFor();
  assert.equal(await alice.page.locator("#url").inputValue(), "zoe.example");
  // As a page of its own, where no script asks.
  const response = await alice.page.goto(`${world.service.url}/new?url=zoe.example`);
  assert.equal(response.status(), 429);
  assert.ok(Number(await response.headerValue("retry-after")) > 0);
  assert.equal(await alice.page.locator("#url").inputValue(), "zoe.example");
  await alice.page.getByText(/Wait .+ seconds? and try again/).waitFor();
});

test("sign-in says when to try again, and then works", async () => {
  await arrive("/");
  await alice.signOut();
  const wait = await exhaust("/login/options", "x=");
  assert.ok(wait > 0);
  const button = alice.page.getByRole("button", { name: "Sign in with a passkey" });
  await button.click();
  await alice.page.getByText(/Too many tries\. Wait .+ seconds? and try again/).waitFor();
  await eventually(
    async () => {
      await button.click({ timeout: 500 });
      await alice.page.getByRole("navigation", { name: "Conversations" }).waitFor({ timeout: 1500 });
    },
    { within: 30_000 },
  );
});
