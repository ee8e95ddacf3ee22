// A page under watch: whatever its console calls an error fails the test that caused it.
import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";

/** What browsers write for answers that a test provokes; each test names those it expects. */
export const EXPECTED = Object.freeze({
  unauthorized: /status of 401/,
  refused: /status of 4(00|03|04|09|10|13|22|29)/,
  unavailable: /status of 50[0-4]/,
  network: /net::ERR_|Failed to fetch|NetworkError/,
});

export class Watch {
  #seen = [];
  #expected = [];

  /** Watches every page that the context has or will have. */
  constructor(context) {
    context.on("page", (page) => this.#attach(page));
    for (const page of context.pages()) this.#attach(page);
  }

  /** From now on these are no failures. */
  expect(...patterns) {
    this.#expected.push(...patterns);
  }

  /** Throws what was seen and not expected. */
  check() {
    const bad = this.#seen.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
    this.#seen = [];
    assert.deepEqual(bad, [], "the page's console must be quiet");
  }

  #attach(page) {
    page.on("pageerror", (error) => this.#seen.push(`page error: ${error.stack ?? error}`));
    page.on("crash", () => this.#seen.push("the page crashed"));
    page.on("console", (message) => {
      // Refusals of the Content-Security-Policy are errors of the console too.
      if (message.type() === "error") {
        this.#seen.push(`${message.text()} (${message.location().url}, ${page.url()})`);
      }
    });
  }
}

/** How many times as long things take on a machine that has more to do than processors for it. */
export function busyness() {
  return Math.max(1, loadavg()[0] / availableParallelism());
}

/** Waits until `check` passes, longer on a busy machine, and says what it found when it never does. */
export async function eventually(check, { within = 5000, every = 20 } = {}) {
  const deadline = Date.now() + within * busyness();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((again) => setTimeout(again, every));
  }
}

/** In any page: makes it what a hidden or a shown tab is to scripts. Headless tabs are all shown. */
export async function setVisible(page, visible) {
  await page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    Object.defineProperty(document, "hidden", { value: state === "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, visible ? "visible" : "hidden");
}
