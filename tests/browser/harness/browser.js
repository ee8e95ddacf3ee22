// The real browser: one for a test file, one fresh profile for each person.
import { chromium } from "playwright-core";
import { trust } from "./caddy.js";

/**
 * @param extra further command-line arguments
 * @param without playwright's own arguments to leave out
 */
export async function launch({ extra = [], without = [] } = {}) {
  const trusted = await trust();
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // As root, and in containers, Chromium's sandbox cannot start; only our own pages are opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...trusted, ...extra],
    ignoreDefaultArgs: without,
  });
}
