// Other people's pages: they can lead somebody here, and no more. And what is left of a visit once its
// person has signed out: nothing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { EXPECTED, eventually } from "./harness/page.js";
import { FOREIGN } from "./harness/payloads.js";
import { World } from "./harness/world.js";

const peer = "pen.example";
let world;
let alice;
/** Pages of somebody else: `http://127.0.0.1` is another site, `http://localhost` the same site. */
let foreign;

before(async () => {
  world = await World.build({ names: ["Alice"] });
  foreign = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Elsewhere</title><body>");
  });
  await new Promise((listening) => foreign.listen(0, "127.0.0.1", listening));
});
after(async () => {
  foreign?.closeAllConnections();
  foreign?.close();
  await world?.end();
});
afterEach(() => world.goHome());

async function arrive() {
  alice = await world.member("Alice");
  alice.watch.expect(EXPECTED.refused, EXPECTED.network, EXPECTED.unauthorized, /CORS policy/, /chrome-error/);
  await world.servers.Alice.receive([{ peer, text: "the first" }]);
  await alice.page.goto(world.thread(peer));
  await alice.hears("the first");
}

/** What could have been changed, as it is. */
async function state() {
  const calls = (await world.servers.Alice.report()).calls;
  const changing = Object.entries(calls).filter(([call]) => !call.startsWith("GET "));
  await alice.page.goto(`${world.service.url}/settings`);
  const passkeys = await alice.page.locator("#passkeys .name").allTextContents();
  return { changing, passkeys, signIns: await alice.page.locator("#sign-ins li").count() };
}

for (const host of ["127.0.0.1", "localhost"]) {
  test(`a page at ${host} changes nothing, in whatever way it asks`, async () => {
    await arrive();
    const before = await state();
    const page = await alice.newTab(`http://${host}:${foreign.address().port}/`);
    const id = await alice.page.locator("#passkeys input[name=id]").first().inputValue();
    const targets = [
      [`/c/${peer}/messages`, `text=forged&key=${crypto.randomUUID()}`],
      [`/c/${peer}/read`, "row=1"],
      [`/c/${peer}/remove`, ""],
      [`/c/${peer}/leave`, ""],
      ["/settings/name", "name=Mallory"],
      ["/settings/passkeys/rename", `id=${id}&name=Mallory`],
      ["/settings/passkeys/add", "where=here"],
      ["/settings/sign-ins/end-others", ""],
      ["/settings/delete", ""],
      ["/events/view", "tab=x&visible=1"],
      ["/login", "{}"],
      ["/login/options", "{}"],
      ["/register", "code=x&uri=x"],
      ["/logout", ""],
    ];
    const asked = [];
    page.on("request", (request) => request.method() !== "GET" && asked.push(request.url()));
    await page.evaluate(
      async ([origin, targets]) => {
        const quietly = (promise) => promise.catch(() => {});
        for (const [path, body] of targets) {
          const url = origin + path;
          const form = { "content-type": "application/x-www-form-urlencoded" };
          const base = { method: "POST", credentials: "include", body };
          await quietly(fetch(url, { ...base, mode: "no-cors", headers: form }));
          await quietly(fetch(url, { ...base, mode: "cors", headers: form }));
          await quietly(fetch(url, { ...base, headers: { ...form, "hx-request": "true" } }));
          await quietly(fetch(url, { ...base, mode: "no-cors", referrerPolicy: "no-referrer" }));
          navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
          for (const method of ["PUT", "PATCH", "DELETE"]) await quietly(fetch(url, { ...base, method }));
        }
      },
      [world.service.url, targets],
    );
    // Forms, which lead their page away: as links are, they are followed with what the browser holds.
    const codings = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
    for (const [index, [path, body]] of targets.entries()) {
      await page.goto(`http://${host}:${foreign.address().port}/`);
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      const enctype = codings[index % codings.length];
      await page.evaluate(
        ([action, body, enctype]) => {
          const form = Object.assign(document.createElement("form"), { method: "post", action, enctype });
          for (const [name, value] of new URLSearchParams(body)) {
            form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
          }
          document.body.append(form);
          form.submit();
        },
        [world.service.url + path, body, enctype],
      );
      assert.equal((await answered).status(), 403, `${path} as ${enctype}`);
      await page.getByText("The request came from another site").waitFor();
    }
    assert.ok(asked.length >= targets.length * 5, `${asked.length} requests were made`);
    await page.close();
    assert.deepEqual(await state(), before);
  });

  test(`a page at ${host} sees nothing, in whatever way it looks`, async () => {
    await arrive();
    const page = await alice.newTab(`http://${host}:${foreign.address().port}/`);
    const paths = [`/c/${peer}`, "/", "/sidebar", "/search?q=first", "/settings", "/address.svg", `/events?tab=x&peer=${peer}&visible=1`];
    const seen = await page.evaluate(
      async ([origin, paths]) => {
        const seen = [];
        const ask = async (path, mode) => {
          const answer = await fetch(origin + path, { mode, credentials: "include" }).catch(() => null);
          if (answer) seen.push(`${mode} ${path} ${answer.type} ${answer.status}`);
        };
        // Whether it loads at all would tell one account from another.
        const load = async (path, tag) => {
          const element = document.createElement(tag);
          const loaded = new Promise((done) => {
            element.onload = element.onloadeddata = () => done(true);
            element.onerror = () => done(false);
            setTimeout(() => done(false), 2000);
          });
          if (tag === "link") Object.assign(element, { rel: "stylesheet", href: origin + path });
          else element.src = origin + path;
          document.body.append(element);
          if (await loaded) seen.push(`${tag} ${path}`);
        };
        await Promise.all(
          paths.flatMap((path) => [
            ...["cors", "no-cors"].map((mode) => ask(path, mode)),
            ...["img", "script", "link", "video"].map((tag) => load(path, tag)),
          ]),
        );
        // A window that was opened is another's, and says nothing.
        const opened = open(`${origin}/settings`);
        await new Promise((later) => setTimeout(later, 1000));
        try {
          if (opened && !opened.closed) seen.push(`a window: ${opened.document?.title} ${opened.length}`);
        } catch {
          seen.push("a window that is still within reach");
        }
        return seen;
      },
      [world.service.url, paths],
    );
    assert.deepEqual(seen, []);
  });
}

test("no page of ours can be framed", async () => {
  await arrive();
  alice.watch.expect(/frame-ancestors/);
  for (const host of ["127.0.0.1", "localhost"]) {
    const page = await alice.newTab(`http://${host}:${foreign.address().port}/`);
    for (const path of [`/c/${peer}`, "/", "/settings", "/login", "/register?code=x", "/offline", "/healthz", "/nothing"]) {
      for (const tag of ["iframe", "object", "embed"]) {
        await page.evaluate(
          ([tag, url]) => {
            const element = document.createElement(tag);
            if (tag === "object") element.data = url;
            else element.src = url;
            element.width = element.height = 400;
            document.body.replaceChildren(element);
          },
          [tag, world.service.url + path],
        );
        await eventually(() => assert.ok(page.frames().slice(1).every((frame) => /^(chrome-error:|about:blank)/.test(frame.url()))));
      }
    }
    await page.close();
  }
  // It is the policy that refused them.
  const refusals = world.browser.policy.take();
  assert.ok(refusals.length > 0 && refusals.every((text) => /frame-ancestors|frame-src|framing/i.test(text)), refusals.join("\n"));
  assert.equal((await alice.page.context().cookies()).length, 1);
});

test("signing in leads to a page of ours, whatever a link asks for", async () => {
  await arrive();
  const home = new URL(world.service.url);
  const nexts = [
    `//${FOREIGN}`,
    `///${FOREIGN}`,
    `/\\${FOREIGN}`,
    `\\\\${FOREIGN}`,
    `/\t/${FOREIGN}`,
    `/\n/${FOREIGN}`,
    `/%09/${FOREIGN}`,
    `/%2F${FOREIGN}`,
    `/%5C${FOREIGN}`,
    `/.//${FOREIGN}`,
    `/..//${FOREIGN}`,
    `/c/..//${FOREIGN}`,
    `https://${FOREIGN}`,
    `https:${FOREIGN}`,
    `http:/${FOREIGN}`,
    `HtTpS:\\\\${FOREIGN}`,
    `//${home.host}@${FOREIGN}`,
    `${home.origin}@${FOREIGN}`,
    `${home.origin}.${FOREIGN}`,
    `@${FOREIGN}`,
    `.${FOREIGN}`,
    `:80//${FOREIGN}`,
    `javascript:alert(document.domain)`,
    `JaVaScRiPt:alert(1)`,
    `java\nscript:alert(1)`,
    `data:text/html,<script>alert(1)</script>`,
    `\u0000//${FOREIGN}`,
    ` //${FOREIGN}`,
    `〱〱${FOREIGN}`,
    `／／${FOREIGN}`,
    `?next=//${FOREIGN}`,
    `#//${FOREIGN}`,
    `/login?next=//${FOREIGN}`,
    `/login?next=%2Flogin%3Fnext%3D%2F%2F${FOREIGN}`,
  ];
  const asked = [];
  alice.context.on("request", (request) => asked.push(new URL(request.url()).origin));
  for (const next of nexts) {
    await alice.page.goto(`${home.origin}/login?next=${encodeURIComponent(next)}`);
    assert.equal(new URL(alice.page.url()).origin, home.origin, next);
  }
  // Signing in, where the page itself goes on.
  await alice.page.goto(home.origin);
  await alice.signOut();
  for (const next of [`//${FOREIGN}`, `/\\${FOREIGN}`, "javascript:alert(1)", `/.//${FOREIGN}`]) {
    await alice.signIn(world.service, `/login?next=${encodeURIComponent(next)}`);
    assert.equal(new URL(alice.page.url()).origin, home.origin, next);
    await alice.signOut();
  }
  // A page that was altered on its way, and a server that answers what it is asked.
  const answer = await alice.page.evaluate(async (next) => {
    const form = new URLSearchParams({ next });
    return (await fetch(`/login?${form}`)).url;
  }, `//${FOREIGN}`);
  assert.equal(new URL(answer).origin, home.origin);
  assert.deepEqual([...new Set(asked)], [home.origin]);
});

test("after signing out nothing is left: not on the way back, in no cache, in no storage", async () => {
  await arrive();
  const paths = [`/c/${peer}`, "/settings", "/search?q=first", "/new"];
  for (const path of paths) await alice.page.goto(world.service.url + path);
  // By clicks inside one page, too.
  await alice.page.goto(world.service.url);
  await alice.open(peer);
  const image = "/address.svg";
  await alice.page.evaluate((path) => fetch(path).then((answer) => answer.text()), image);
  await alice.signOut();
  const secret = /the first|mst_|id="(thread|sidebar|contacts|settings|passkey-)/;
  for (let back = 0; back < paths.length + 2; back += 1) {
    await alice.page.goBack().catch(() => {}); // a page that leaves itself
    await alice.page.waitForURL(/\/login|about:blank|\/register/);
    assert.doesNotMatch(await alice.page.content(), secret);
    if (alice.page.url() === "about:blank") break;
  }
  await alice.page.goto(`${world.service.url}/login`);
  for (let forward = 0; forward < 3; forward += 1) {
    await alice.page.goForward().catch(() => {});
    assert.doesNotMatch(await alice.page.content(), secret);
  }
  await alice.page.goto(`${world.service.url}/login`);
  const left = await alice.page.evaluate(async (paths) => {
    const left = [];
    for (const path of paths) {
      const answer = await fetch(path, { cache: "only-if-cached", mode: "same-origin" }).catch(() => null);
      if (answer?.ok) left.push(`${path} is in the browser's cache`);
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys()) {
        if (!/\/(static\/|offline$)/.test(new URL(url).pathname)) left.push(`${url} is in ${name}`);
      }
    }
    for (const { name } of await indexedDB.databases()) left.push(`the database ${name}`);
    left.push(...Object.keys(sessionStorage));
    left.push(...Object.entries(localStorage).filter(([name]) => /draft|queue/.test(name)).map(String));
    return left;
  }, [...paths, image, "/"]);
  assert.deepEqual(left, []);
  assert.deepEqual(await alice.context.cookies(), []);
});

test("the cookie is the browser's own secret: no script, no other host, no other site sees it", async () => {
  await arrive();
  const [cookie, ...others] = await alice.context.cookies();
  assert.deepEqual(others, []);
  const { name, domain, path, httpOnly, sameSite, expires, value } = cookie;
  // A host-only cookie has no dot before its domain; -1 ends with the browser.
  assert.deepEqual(
    { name, domain, path, httpOnly, sameSite, expires },
    { name: "session", domain: "localhost", path: "/", httpOnly: true, sameSite: "Lax", expires: -1 },
  );
  assert.match(value, /^[\w-]{43}$/);
  assert.equal(await alice.page.evaluate(() => document.cookie), "");
  // Another one at each sign-in, and the one before is good for nothing.
  await alice.signOut();
  await alice.signIn(world.service);
  const [next] = await alice.context.cookies();
  assert.notEqual(next.value, value);
  const answer = await fetch(`${world.service.url}/sidebar`, { headers: { cookie: `session=${value}` } });
  assert.equal(answer.status, 401);
});
