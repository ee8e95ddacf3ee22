// The real browser: one for a test file, one fresh profile for each person.
import { chromium } from "playwright-core";

/**
 * @param extra further command-line arguments
 * @param without playwright's own arguments to leave out
 */
export function launch({ extra = [], without = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // As root, and in containers, Chromium's sandbox cannot start; only our own pages are opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...extra],
    ignoreDefaultArgs: without,
  });
}
