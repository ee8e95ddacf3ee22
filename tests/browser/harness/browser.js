// The real browser: one for a test file, one fresh profile for each person.
import { chromium } from "playwright-core";
import { Policy } from "./policy.js";

/**
 * Every context of it is under watch; `browser.policy` tells what was refused, and closing the browser
 * fails when nobody asked before.
 *
 * @param extra further command-line arguments
 * @param without playwright's own arguments to leave out
 */
export async function launch({ extra = [], without = [] } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // As root, and in containers, Chromium's sandbox cannot start; only our own pages are opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...extra],
    ignoreDefaultArgs: without,
  });
  const policy = new Policy();
  const { newContext, close } = browser;
  return Object.assign(browser, {
    policy,
    async newContext(options) {
      const context = await newContext.call(browser, options);
      await policy.watch(context);
      return context;
    },
    async close(options) {
      await close.call(browser, options);
      policy.check();
    },
  });
}
