// Which keys ask for what, and that none is taken from who writes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { command } from "../../../www/keys.js";

const NONE = { isTyping: false, isEmpty: false, isMessage: false, isApple: false };
const EMPTY = { isTyping: true, isEmpty: true, isMessage: true, isApple: false };
const FULL = { ...EMPTY, isEmpty: false };

function asked(keys, where = NONE, more = {}) {
  const parts = keys.split("+");
  const key = parts.pop() || "+";
  const held = (name) => parts.includes(name);
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : "";
  return command(
    {
      key,
      code,
      keyCode: 0,
      isComposing: false,
      ctrlKey: held("Ctrl"),
      metaKey: held("Cmd"),
      altKey: held("Alt"),
      shiftKey: held("Shift"),
      ...more,
    },
    where,
  );
}

test("each key asks for its own, and only alone", () => {
  for (const [keys, what] of [
    ["Ctrl+k", "jump"],
    ["Ctrl+K", "jump"],
    ["Ctrl+Shift+K", null],
    ["Ctrl+Alt+k", null],
    ["Cmd+k", null],
    ["Ctrl+l", null],
    ["k", null],
    ["/", "search"],
    ["Shift+/", "search"], // where it is on the 7
    ["Ctrl+/", null],
    ["Shift+?", "help"],
    ["？", "help"],
    ["؟", "help"],
    ["Escape", "back"],
    ["Alt+ArrowUp", "above"],
    ["Alt+ArrowDown", "below"],
    ["Alt+Shift+ArrowDown", null],
    ["Alt+ArrowLeft", null],
    ["ArrowUp", null],
    ["a", null],
  ]) {
    assert.equal(asked(keys), what, keys);
  }
});

test("who writes keeps every key that writes or moves", () => {
  for (const keys of ["/", "Shift+?", "？", "k", "ArrowDown", "Enter", "Shift+ArrowUp"]) {
    assert.equal(asked(keys, EMPTY), null, keys);
    assert.equal(asked(keys, FULL), null, keys);
  }
  assert.equal(asked("ArrowUp", FULL), null);
  assert.equal(asked("ArrowUp", EMPTY), "last-own");
  assert.equal(asked("ArrowUp", { ...EMPTY, isMessage: false }), null);
  assert.equal(asked("Escape", FULL), null);
  assert.equal(asked("Escape", EMPTY), "back");
  // Chords write nothing, and work everywhere.
  assert.equal(asked("Ctrl+k", FULL), "jump");
  assert.equal(asked("Alt+ArrowDown", FULL), "below");
});

test("an input method's keys are its own", () => {
  for (const more of [{ isComposing: true }, { keyCode: 229 }]) {
    for (const keys of ["Ctrl+k", "Escape", "ArrowUp", "/", "Alt+ArrowUp"]) {
      assert.equal(asked(keys, EMPTY, more), null, keys);
    }
  }
});

test("a Mac has Cmd, and moves by paragraph with Option", () => {
  const mac = { ...NONE, isApple: true };
  assert.equal(asked("Cmd+k", mac), "jump");
  assert.equal(asked("Ctrl+k", mac), null); // deletes to the end of the line there
  assert.equal(asked("Alt+ArrowUp", mac), "above");
  assert.equal(asked("Alt+ArrowUp", { ...FULL, isApple: true }), null);
  assert.equal(asked("Alt+ArrowUp", { ...EMPTY, isApple: true }), "above");
});

test("layouts of other scripts and orders", () => {
  const press = (key, code) => asked(`Ctrl+${key}`, NONE, { code });
  assert.equal(press("л", "KeyK"), "jump"); // Russian
  assert.equal(press("κ", "KeyK"), "jump"); // Greek
  assert.equal(press("k", "KeyV"), "jump"); // Dvorak: where it says K
  assert.equal(press("t", "KeyK"), null); // and not where K would be elsewhere
});
