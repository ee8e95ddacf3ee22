import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts } from "../../../www/drafts.js";

class Storage {
  #items = new Map();
  get length() {
    return this.#items.size;
  }
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, text) {
    this.#items.set(name, text);
  }
  removeItem(name) {
    this.#items.delete(name);
  }
}

test("drafts are an account's own, and one for each conversation", () => {
  const storage = new Storage();
  const alice = new Drafts("alice", storage);
  const bob = new Drafts("bob", storage);
  assert.ok(alice.write("carol.example", "Dear C"));
  assert.ok(alice.write("dan.example", "Dear D"));
  assert.ok(bob.write("carol.example", "Hei"));
  assert.equal(alice.read("carol.example"), "Dear C");
  assert.equal(bob.read("dan.example"), "");
  alice.write("dan.example", "");
  assert.equal(storage.length, 2);
  alice.clear();
  assert.equal(alice.read("carol.example"), "");
  assert.equal(bob.read("carol.example"), "Hei");
  alice.write("dan.example", "too late");
  assert.equal(storage.length, 1, "what is cleared stays so");
});

test("without storage, nothing is kept and nothing breaks", () => {
  const storage = new Storage();
  assert.equal(storage.length, 0);
  const full = new Storage();
  full.setItem = () => {
    throw new Error("full");
  };
  assert.equal(new Drafts("alice", full).write("carol.example", "x"), false);
  assert.equal(new Drafts("alice", full).read("carol.example"), "");
});
