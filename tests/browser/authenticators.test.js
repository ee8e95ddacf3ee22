// The ground the other tests stand on: the software authenticators behave as the real kinds do.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Authenticator, CLASSES } from "./harness/authenticator.js";
import { launch } from "./harness/browser.js";

let browser;
let server;
let address;

before(async () => {
  server = createServer((_, response) => response.end("<!doctype html><title>blank</title>"));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  address = `http://localhost:${server.address().port}/`;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** In the page: creates a passkey with PRF, then uses it. */
async function createAndGet() {
  const salt = new Uint8Array(32).fill(7);
  const prf = (credential) => credential.getClientExtensionResults().prf?.results?.first?.byteLength;
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const outcome = {};
  try {
    const created = await navigator.credentials.create({
      publicKey: {
        challenge,
        rp: { name: "test", id: "localhost" },
        user: { id: new Uint8Array(32), name: "someone", displayName: "Someone" },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        extensions: { prf: { eval: { first: salt } } },
        timeout: 2000,
      },
    });
    outcome.create = prf(created) ?? 0;
    const got = await navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: "localhost",
        userVerification: "required",
        extensions: { prf: { eval: { first: salt } } },
        timeout: 2000,
      },
    });
    outcome.get = prf(got) ?? 0;
  } catch (error) {
    outcome.error = error.name;
  }
  return outcome;
}

const expected = {
  "PRF at create and get": { create: 32, get: 32 },
  "PRF only at get": { create: 0, get: 32 },
  "security key with PRF at both": { create: 32, get: 32 },
  "no PRF": { create: 0, get: 0 },
  "user verification fails": { error: "NotAllowedError" },
};

for (const kind of Object.keys(CLASSES)) {
  test(`authenticator: ${kind}`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    const authenticator = await Authenticator.plugInto(page, kind);
    assert.deepEqual(await page.evaluate(createAndGet), expected[kind]);
    await authenticator.unplug();
    await context.close();
  });
}
