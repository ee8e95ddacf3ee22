import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, ahead, excess } from "../../../www/history.js";

test("what is too much goes at the end further from the view", () => {
  const box = (scrollTop) => ({ scrollTop, scrollHeight: 12_000, clientHeight: 800 });
  assert.equal(MOST, 300);
  for (const [count, scrollTop, expected] of [
    [300, 0, { count: 0, end: "bottom" }],
    [12, 0, { count: 0, end: "bottom" }],
    [350, 900, { count: 50, end: "bottom" }],
    [350, 11_200, { count: 50, end: "top" }],
    [301, 5_600, { count: 1, end: "top" }],
  ]) {
    assert.deepEqual(excess(count, box(scrollTop)), expected);
  }
});

test("what is fetched ahead always fits beside the view", () => {
  assert.equal(ahead(800), 1600);
  // A line of text is 38 px high: on the tallest screen both ends still fit into a full page.
  for (const height of [200, 800, 1440, 2560]) assert.ok(2 * ahead(height) + height < MOST * 38 - 50 * 38);
});
