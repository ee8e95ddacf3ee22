// Pictures of a page for eyes, under target/screens/, in both sizes and themes; what can be judged
// without eyes is that nothing overflows, down to 320 px.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

export const FOLDER = join(import.meta.dirname, "../../../target/screens");
export const PHONE = { width: 375, height: 812 };
export const DESKTOP = { width: 1280, height: 800 };
/** For a test that is run on both. */
export const SIZES = Object.entries({ phone: PHONE, desktop: DESKTOP });
const NARROW = { width: 320, height: 640 };

export async function screens(page, name) {
  mkdirSync(FOLDER, { recursive: true });
  const was = page.viewportSize();
  for (const size of [PHONE, DESKTOP]) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: join(FOLDER, `${name}-${size.width}-${colorScheme}.png`) });
    }
    await fits(page, `${name} at ${size.width} px`);
  }
  await page.setViewportSize(NARROW);
  await page.screenshot({ path: join(FOLDER, `${name}-320.png`) });
  await fits(page, `${name} at 320 px`);
  await page.setViewportSize(was);
}

async function fits(page, what) {
  const over = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    // A chat page fills the window; what is longer scrolls inside it.
    return [scrollWidth - innerWidth, document.getElementById("app") ? scrollHeight - innerHeight : 0];
  });
  assert.ok(over.every((px) => px <= 0), `${what} overflows by ${over} px`);
}
