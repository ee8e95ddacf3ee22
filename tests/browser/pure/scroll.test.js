import assert from "node:assert/strict";
import { test } from "node:test";
import { SLACK, Trigger, isAtBottom, place } from "../../../www/scroll.js";

const before = (scrollTop, scrollHeight = 2000, clientHeight = 500) => ({
  scrollTop,
  scrollHeight,
  clientHeight,
});
const after = (scrollHeight, clientHeight = 500) => ({ scrollHeight, clientHeight });

test("at the bottom means within 96 pixels of it", () => {
  assert.equal(SLACK, 96);
  for (const [scrollTop, expected] of [
    [1500, true],
    [1404, true],
    [1403, false],
    [1403.5, false],
    [0, false],
  ]) {
    assert.equal(isAtBottom(before(scrollTop)), expected, `scrollTop ${scrollTop}`);
  }
  assert.ok(isAtBottom(before(0, 300, 500)), "a thread that does not fill its box is at the bottom");
});

test("where the view goes", () => {
  const { OPENED, RESUMED, SENT, LIVE, OLDER, RESIZED } = Trigger;
  const { NEWER, FOUND } = Trigger;
  for (const [why, from, to, trigger, expected] of [
    ["something grows above a reader", { ...before(700), anchor: 690 }, { ...after(2080), anchor: 770 }, LIVE, 780],
    ["something shrinks above a reader", { ...before(700), anchor: 690 }, { ...after(1980), anchor: 670 }, RESIZED, 680],
    ["the first visible message is gone", { ...before(700), anchor: 690 }, after(2080), LIVE, 700],
    ["older pages come and the end is let go of", { ...before(700), anchor: 690 }, { ...after(2300), anchor: 1690 }, OLDER, 1700],
    ["newer pages do not pull", { ...before(1500), anchor: 1490 }, { ...after(3000), anchor: 1490 }, NEWER, 1500],
    ["newer pages come and the top is let go of", { ...before(1500), anchor: 1490 }, { ...after(2000), anchor: 490 }, NEWER, 500],
    ["a message that was jumped to stays", before(1500), after(2600), FOUND, 1500],
    ["first load goes to the bottom", before(0), after(2000), OPENED, 1500],
    ["back from sleep goes to the bottom", before(300), after(2600), RESUMED, 2100],
    ["what one sent is seen", before(300), after(2060), SENT, 1560],
    ["pinned stays pinned", before(1500), after(2060), LIVE, 1560],
    ["nearly at the bottom is pinned", before(1404), after(2060), LIVE, 1560],
    ["a reader stays", before(1403), after(2060), LIVE, 1403],
    ["a reader stays when lines go away below", before(700), after(1400), LIVE, 700],
    ["never past the end", before(1000), after(1400), LIVE, 900],
    ["older pages push what is visible down", before(12), after(3000), OLDER, 1012],
    ["older pages, also for one at the bottom", before(1500), after(3000), OLDER, 2500],
    ["nothing older", before(12), after(2000), OLDER, 12],
    ["the composer grows, pinned", before(1500), after(2000, 460), RESIZED, 1540],
    ["the composer grows under a reader", before(700), after(2000, 460), RESIZED, 700],
    ["the keyboard goes away, pinned", before(1700, 2000, 300), after(2000, 500), RESIZED, 1500],
    ["a picture loads late, pinned", before(1500), after(2300), RESIZED, 1800],
    ["an empty thread", before(0, 500, 500), after(500), LIVE, 0],
    ["an empty thread gets its first page", before(0, 500, 500), after(900), LIVE, 400],
  ]) {
    assert.equal(place(from, to, trigger), expected, why);
  }
});
