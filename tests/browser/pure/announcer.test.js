// What screen readers are told of messages: one line, whoever wrote.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inWords } from "../../../www/announcer.js";

test("one message with its words, several as a number and names", () => {
  const from = (...names) => names.map((name) => ({ name, text: `words of ${name}` }));
  for (const [heard, words] of [
    [from("Bob"), "Bob: words of Bob"],
    [[{ name: "Bob", text: "" }], "New message from Bob"],
    [from("Bob", "Bob"), "2 new messages from Bob"],
    [from("Bob", "Cara", "Bob"), "3 new messages from Bob and Cara"],
    [from("A", "B", "C"), "3 new messages from A, B and C"],
    [from("A", "B", "C", "D", "E"), "5 new messages from A, B and 3 others"],
  ]) {
    assert.equal(inWords(heard), words);
  }
});
