// What is shown of the connection: nothing that passes within a moment.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OFFLINE_AFTER, PATIENCE, RESTART_LASTS, stateAt } from "../../../www/health.js";

const WELL = { server: "ok", lostAt: null, isRestart: false, online: true };

test("while the connection stands, the posta-server's state shows", () => {
  for (const server of ["ok", "unreachable", "refused"]) {
    assert.deepEqual(stateAt(0, { ...WELL, server }), { state: server, again: 0 });
    assert.deepEqual(stateAt(0, { ...WELL, server, online: false }), { state: server, again: 0 });
  }
});

test("a lost connection shows after a grace, and says why", () => {
  const lost = { ...WELL, server: "unreachable", lostAt: 1000 };
  const at = (after, more = {}) => stateAt(1000 + after, { ...lost, ...more });
  assert.deepEqual(at(0), { state: "unreachable", again: PATIENCE });
  assert.deepEqual(at(PATIENCE - 1), { state: "unreachable", again: 1 });
  assert.deepEqual(at(PATIENCE), { state: "reconnecting", again: 0 });
  assert.deepEqual(at(OFFLINE_AFTER - 1, { online: false }), { state: "unreachable", again: 1 });
  assert.deepEqual(at(OFFLINE_AFTER, { online: false }), { state: "offline", again: 0 });
  const restart = { isRestart: true };
  assert.deepEqual(at(0, restart), { state: "unreachable", again: PATIENCE });
  assert.deepEqual(at(PATIENCE, restart), { state: "restarting", again: RESTART_LASTS - PATIENCE });
  assert.deepEqual(at(RESTART_LASTS, restart), { state: "reconnecting", again: 0 });
  assert.deepEqual(at(PATIENCE, { ...restart, online: false }), { state: "offline", again: 0 });
});
