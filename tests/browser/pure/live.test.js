import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfter } from "../../../www/live.js";

test("reopening backs off with jitter, from a quarter of a second to half a minute", () => {
  assert.equal(retryAfter(0, 0), 250);
  assert.equal(retryAfter(0, 1), 500);
  assert.equal(retryAfter(3, 0), 2000);
  assert.equal(retryAfter(3, 0.5), 3000);
  assert.equal(retryAfter(30, 1), 30_000);
  assert.equal(retryAfter(2000, 0), 15_000);
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const wait = retryAfter(attempt);
    assert.ok(wait >= retryAfter(attempt, 0) && wait <= retryAfter(attempt, 1));
  }
});
