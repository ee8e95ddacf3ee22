import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../../../www/passkey.js";

test("base64url without padding, both ways", () => {
  for (const [bytes, text] of [
    [[], ""],
    [[0], "AA"],
    [[255, 239], "_-8"],
    [[1, 2, 3], "AQID"],
    [[251, 255, 191, 254], "-_-__g"],
  ]) {
    assert.equal(encode(Uint8Array.from(bytes).buffer), text);
    assert.deepEqual([...decode(text)], bytes);
  }
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.deepEqual(decode(encode(all.buffer)), all);
});
