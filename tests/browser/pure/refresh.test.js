import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesce } from "../../../www/refresh.js";

test("a burst costs two runs, the second begun after the last call", async () => {
  const begun = [];
  const waiting = [];
  let calls = 0;
  const refresh = coalesce(async () => {
    begun.push(calls);
    await new Promise((go) => waiting.push(go));
  });
  const call = () => {
    calls += 1;
    return refresh();
  };
  const first = call();
  for (let n = 0; n < 9; n += 1) call();
  assert.deepEqual(begun, [1]);
  waiting.shift()();
  await new Promise(setImmediate);
  assert.deepEqual(begun, [1, 10]);
  waiting.shift()();
  await first;
  const later = call();
  assert.deepEqual(begun, [1, 10, 11]);
  waiting.shift()();
  await later;
});

test("a run that fails does not stop the next", async () => {
  let runs = 0;
  const refresh = coalesce(async () => {
    runs += 1;
    if (runs === 1) throw new Error("no");
  });
  await assert.rejects(refresh());
  await refresh();
  assert.equal(runs, 2);
  runs = 0;
  await Promise.all([refresh(), refresh()]);
  assert.equal(runs, 2, "nor the one asked for while it ran");
});
