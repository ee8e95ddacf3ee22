// What is dropped or scanned may say other things beside the URI.
import assert from "node:assert/strict";
import { test } from "node:test";

// The module touches the page only when it is told to watch it.
const { findUri } = await import("../../../www/pairing.js");

test("the URI is found among other words", () => {
  const uri = "posta+v1://alice.example#token=mst_abc";
  for (const [text, found] of [
    [uri, uri],
    [`\ufeff${uri}\n`, uri],
    [`Token created.\n\n${uri}\n\nKeep it secret.\n`, uri],
    [`Pairing URI: ${uri.toUpperCase()}`, uri.toUpperCase()],
    ["posta+v1://alice.example#token=\nmst_abc\r\n\r\nbye", "posta+v1://alice.example#token=\nmst_abc"],
    ["see posta://pair?token=x&url=y", "posta://pair?token=x&url=y"],
    ["go to https://alice.example/setup#invite=pinv_x now", "https://alice.example/setup#invite=pinv_x now"],
    ["http://localhost:9101/setup#invite=pinv_x", "http://localhost:9101/setup#invite=pinv_x"],
    ["https://alice.example/", null],
    ["", null],
  ]) {
    assert.equal(findUri(text), found, JSON.stringify(text));
  }
});
