// From an invite to an account: everything that must happen, and everything that must not.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { EXPECTED, busyness, eventually } from "./harness/page.js";
import { World } from "./harness/world.js";

let world;
let alice;
let bob;

before(async () => {
  world = await World.build();
  ({ Alice: alice, Bob: bob } = world.servers);
});
after(() => world?.end());
afterEach(() => world.goHome());

/** What an invite link shows, asked for from `address`. */
async function look(invite, address) {
  const response = await fetch(invite, { headers: { "x-forwarded-for": address } });
  return response.text();
}

/** The invite is good and nobody has been signed up. */
async function nothingHappened(person, invite, users) {
  const page = await look(invite, person.address);
  assert.match(page, /Paste your posta\+v1:\/\/ URI/, "the invite is still good");
  assert.equal((await world.service.users()).length, users, "nobody was stored");
}

async function usersNow() {
  return (await world.service.users()).length;
}

test("two people sign up, each with an invite and a pairing URI of their own", async () => {
  for (const name of ["Alice", "Bob"]) {
    const person = await world.visitor();
    const invite = await world.service.invite(name);
    await person.signUp(invite, await world.servers[name].pairingUri());
    assert.equal(new URL(person.page.url()).pathname, "/");
    assert.match(await look(invite, person.address), /This invite link is invalid/, "used up");
  }
  const names = (await world.service.users()).map((user) => user.name).sort();
  assert.deepEqual(names, ["Alice", "Bob"]);
});

test("wrong, used, expired and revoked invites all get the same page", async () => {
  const person = await world.visitor();
  person.watch.expect(EXPECTED.refused);
  const used = await world.service.invite("Used");
  const guest = await world.visitor();
  await guest.signUp(used, await alice.pairingUri());
  const expired = await world.service.invite("Late", "--ttl", "1s");
  const revoked = await world.service.invite("Revoked");
  await world.service.admin("invite", "revoke", new URL(revoked).searchParams.get("code").slice(0, 8));
  const invalid = { name: "This invite link is invalid" };
  await eventually(async () => {
    await person.page.goto(expired);
    await person.page.getByRole("heading", invalid).waitFor({ timeout: 200 * busyness() });
  });
  const said = await person.page.locator("#card").innerText();
  const wrong = `${world.service.url}/register?code=${"A".repeat(43)}`;
  for (const link of [wrong, used, revoked, `${world.service.url}/register`]) {
    await person.page.goto(link);
    await person.page.getByRole("heading", invalid).waitFor();
    assert.equal(await person.page.locator("#card").innerText(), said);
  }
});

describe("a pairing URI that does not work keeps what was typed and the invite", () => {
  for (const [what, uri, words] of [
    ["malformed", async () => "posta+v1://localhost", /URI/],
    ["something else", async () => "https://example.org/", /URI/],
    [
      "token rejected",
      async () => (await alice.pairingUri()).replace(/mst_.{6}/, "mst_AAAAAA"),
      /token rejected by your posta-server/i,
    ],
    [
      "token revoked",
      async () => {
        const pairing = await bob.pairingUri();
        await bob.tell({ revokeTokens: true });
        return pairing;
      },
      /token rejected by your posta-server/i,
    ],
    [
      "nobody there",
      async () => "posta+v1://localhost:1#token=mst_nobody-listens-on-this-port-at-all",
      /couldn.t reach your posta-server/i,
    ],
  ]) {
    test(what, async () => {
      const person = await world.visitor();
      person.watch.expect(EXPECTED.refused);
      const [invite, typed, users] = [await world.service.invite("X"), await uri(), await usersNow()];
      await person.connect(invite, typed);
      await person.page.locator("#uri-error").filter({ hasText: words }).waitFor();
      assert.equal(await person.page.getByLabel("Paste your posta+v1:// URI").inputValue(), typed);
      await nothingHappened(person, invite, users);
      // And the way on is open.
      await person.page.getByLabel("Paste your posta+v1:// URI").fill(await alice.pairingUri());
      await person.page.getByRole("button", { name: "Continue" }).click();
      await person.page.getByRole("button", { name: "Create passkey" }).waitFor();
    });
  }
});

test("cancelling the passkey leaves the invite usable, and the same page goes on", async () => {
  const person = await world.visitor();
  const [invite, users] = [await world.service.invite("Alice"), await usersNow()];
  await person.connect(invite, await alice.pairingUri());
  const button = person.page.getByRole("button", { name: "Create passkey" });
  await button.waitFor();
  await person.cancelNext("create");
  await button.click();
  await person.page.locator("#auth-error").filter({ hasText: "invite is still good" }).waitFor();
  await nothingHappened(person, invite, users);
  await button.click();
  await person.arrived();
});

test("cancelling the proof asks for it again, with a click of its own", async () => {
  const person = await world.visitor();
  const [invite, users] = [await world.service.invite("Alice"), await usersNow()];
  await person.connect(invite, await alice.pairingUri());
  const button = person.page.getByRole("button", { name: "Create passkey" });
  await button.waitFor();
  await person.cancelNext("get");
  await button.click();
  const confirm = person.page.getByRole("button", { name: "Confirm with your passkey" });
  await confirm.waitFor();
  await nothingHappened(person, invite, users);
  await confirm.click();
  await person.arrived();
});

test("leaving half way leaves the invite usable", async () => {
  const person = await world.visitor();
  const [invite, users] = [await world.service.invite("Alice"), await usersNow()];
  await person.connect(invite, await alice.pairingUri());
  await person.page.getByRole("button", { name: "Create passkey" }).waitFor();
  await person.page.goto("about:blank");
  await nothingHappened(person, invite, users);
});

describe("authenticators", () => {
  for (const kind of ["PRF at create and get", "PRF only at get", "security key with PRF at both"]) {
    test(`${kind}: signs up, out and in`, async () => {
      const person = await world.member("Alice", { kind });
      await person.signOut();
      await person.signIn(world.service);
    });
  }

  for (const [kind, words] of [
    ["no PRF", /PRF/],
    ["user verification fails", /could not verify you/],
  ]) {
    test(`${kind}: says why, and stores nothing`, async () => {
      const person = await world.visitor({ kind });
      person.watch.expect(EXPECTED.refused);
      const [invite, users] = [await world.service.invite("Alice"), await usersNow()];
      await person.connect(invite, await alice.pairingUri());
      await person.page.getByRole("button", { name: "Create passkey" }).click();
      await person.page.locator("#auth-error").filter({ hasText: words }).waitFor();
      await nothingHappened(person, invite, users);
    });
  }

  for (const [lie, bits] of [
    ["a bogus signature", { isBogusSignature: true }],
    ["no user verification", { isBadUV: true }],
    ["no user presence", { isBadUP: true }],
  ]) {
    test(`${lie}: is refused, and stores nothing`, async () => {
      const person = await world.visitor();
      person.watch.expect(EXPECTED.refused);
      const [invite, users] = [await world.service.invite("Alice"), await usersNow()];
      await person.connect(invite, await alice.pairingUri());
      await person.authenticator.lie(bits);
      await person.page.getByRole("button", { name: "Create passkey" }).click();
      await person.page.locator("#auth-error").filter({ hasText: /./ }).waitFor();
      await nothingHappened(person, invite, users);
      // That challenge is spent; the way on leads back to the invite.
      await person.authenticator.lie({ isBogusSignature: false, isBadUV: false, isBadUP: false });
      await person.page.getByRole("button", { name: "Start again" }).click();
      await person.page.getByLabel("Paste your posta+v1:// URI").fill(await alice.pairingUri());
      await person.page.getByRole("button", { name: "Continue" }).click();
      await person.page.getByRole("button", { name: "Create passkey" }).click();
      await person.arrived();
    });
  }
});

test("signing up again from the same posta-server replaces the account", async () => {
  const before = await world.member("Bob");
  before.watch.expect(EXPECTED.unauthorized, EXPECTED.network);
  const again = await world.member("Bob");
  await again.arrived();
  // The account that was replaced is gone, and so is its session.
  await before.page.waitForURL(/\/login/);
  assert.equal((await world.service.users()).filter((user) => user.name === "Bob").length, 1);
});
