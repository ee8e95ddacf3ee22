// Somebody with a browser and an authenticator: what they do, in the words that are on the page.
import { Authenticator } from "./authenticator.js";
import { Watch, busyness, eventually } from "./page.js";
import assert from "node:assert/strict";

const LOOKS = {
  viewport: { width: 1100, height: 800 },
  locale: "en-US",
  timezoneId: "Europe/Oslo",
};

/** How long to wait for what must come, in milliseconds. */
const PATIENCE = 10_000;

export class Person {
  context;
  page;
  authenticator;
  watch;
  address;

  /**
   * @param browser the real one
   * @param options `kind` of authenticator, `context` for playwright's `newContext`, `suggestions`:
   *   whether passkeys are offered unasked (the software authenticator takes every offer at once)
   */
  static async arrive(browser, { kind, context = {}, suggestions = false } = {}) {
    const person = new Person();
    // Everybody comes from an address of their own, as through a proxy: limits are for each.
    person.address = `198.51.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`;
    const extraHTTPHeaders = { "x-forwarded-for": person.address };
    person.context = await browser.newContext({ ...LOOKS, extraHTTPHeaders, ...context });
    person.context.setDefaultTimeout(PATIENCE * busyness());
    person.watch = new Watch(person.context);
    if (!suggestions) {
      await person.context.addInitScript(() => {
        if (!window.PublicKeyCredential) return;
        PublicKeyCredential.isConditionalMediationAvailable = async () => false;
      });
    }
    person.page = await person.context.newPage();
    person.authenticator = await Authenticator.plugInto(person.page, kind);
    return person;
  }

  /** Ends the visit; whatever their console called an error fails the test. */
  async leave() {
    await this.context.close();
    this.watch.check();
  }

  /** Opens an invite and pastes the pairing URI. */
  async connect(invite, pairingUri) {
    await this.page.goto(invite);
    await this.page.getByLabel("Paste your posta+v1:// URI").fill(pairingUri);
    await this.page.getByRole("button", { name: "Continue" }).click();
  }

  /** Signs up, from the invite to the list of conversations. */
  async signUp(invite, pairingUri) {
    await this.connect(invite, pairingUri);
    await this.page.getByRole("button", { name: "Create passkey" }).click();
    await this.arrived();
  }

  async signIn(service, path = "/login") {
    await this.page.goto(service.url + path);
    await this.page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await this.arrived();
  }

  async signOut(page = this.page) {
    await page.getByRole("button", { name: /^Your menu/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/login");
  }

  /** Cancels the browser's next question about a passkey, to `create` or to `get` one. */
  async cancelNext(name) {
    await this.page.evaluate((name) => {
      const real = CredentialsContainer.prototype[name];
      CredentialsContainer.prototype[name] = async () => {
        CredentialsContainer.prototype[name] = real;
        throw new DOMException("cancelled", "NotAllowedError");
      };
    }, name);
  }

  /** Waits for the list of conversations. */
  async arrived(page = this.page) {
    await page.getByRole("navigation", { name: "Conversations" }).waitFor();
  }

  /** Another tab of the same browser. */
  async newTab(url) {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  /** The line of a conversation in the list. */
  line(peer, page = this.page) {
    return page.locator(`#contacts [data-peer="${peer}"]`);
  }

  /** Opens a conversation from the list. */
  async open(peer, page = this.page) {
    const line = this.line(peer, page);
    // On a phone the list is a screen of its own.
    const back = page.getByRole("link", { name: "Back to conversations" });
    if (!(await line.isVisible()) && (await back.isVisible())) await back.click();
    await line.click();
    await page.locator(`#thread[data-peer="${peer}"]`).waitFor();
  }

  async write(text, page = this.page) {
    const field = page.getByRole("textbox", { name: "Message" });
    await field.fill(text);
    await field.press("Enter");
  }

  /** The bubble that says exactly this, the last one if several do. */
  bubble(text, page = this.page) {
    const words = page.locator(".words").filter({ hasText: exactly(text) });
    return page.locator("#scroll .msg").filter({ has: words }).last();
  }

  /** Waits for the server's own bubble with this text. */
  async hears(text, { page = this.page, within = 5000 } = {}) {
    const bubble = page.locator("#scroll .msg[data-row]").filter({ hasText: text }).last();
    await bubble.waitFor({ timeout: within * busyness() });
    return bubble;
  }

  /** `scrollTop`, `scrollHeight` and `clientHeight` of the thread. */
  place(page = this.page) {
    return page.locator("#scroll").evaluate(({ scrollTop, scrollHeight, clientHeight }) => ({
      scrollTop,
      scrollHeight,
      clientHeight,
    }));
  }

  async isAtBottom(page = this.page) {
    const { scrollTop, scrollHeight, clientHeight } = await this.place(page);
    return Math.abs(scrollTop + clientHeight - scrollHeight) <= 2;
  }

  /** Waits until the list says so many unread, 0 for no badge. */
  async badge(peer, count, page = this.page) {
    await eventually(async () => {
      const [text = "0"] = await this.line(peer, page).locator(".badge").allInnerTexts();
      assert.equal(Number.parseInt(text, 10), count, `the badge of ${peer}`);
    });
  }
}

function exactly(text) {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}
