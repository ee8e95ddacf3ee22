// Finding a conversation by a few letters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, fold, matches } from "../../../www/match.js";

const people = [
  ["Bob Dahl", "bob.example"],
  ["Book club", "letters.example/rooms/book-club"],
  ["Łukasz Ås", "lukasz.example"],
  ["Ana-Maria Bobek", "ana.example"],
  ["", "echo.example"],
  ["נועה לוי", "rtl.example"],
].map(([name, address]) => ({ name: fold(name), address: fold(address) }));

const found = (typed) => matches(typed, people).map(({ address }) => address.split(".")[0]);

test("names before addresses, beginnings before insides", () => {
  for (const [typed, expected] of [
    ["", ["bob", "letters", "lukasz", "ana", "echo", "rtl"]],
    ["bob", ["bob", "ana", "letters"]], // b-o-…-b is in “Book club” too, last
    ["BO", ["bob", "letters", "ana"]],
    ["club", ["letters"]],
    ["maria bob", ["ana"]],
    ["lukasz as", ["lukasz"]],
    ["ŁUK", ["lukasz"]],
    ["bkcl", ["letters"]],
    ["bdl", ["bob"]],
    ["echo", ["echo"]],
    ["https://echo.ex", ["echo"]],
    ["נועה", ["rtl"]],
    ["zzz", []],
    ["bob zzz", []],
    ["  ", ["bob", "letters", "lukasz", "ana", "echo", "rtl"]],
  ]) {
    assert.deepEqual(found(typed), expected, typed);
  }
});

test("what looks like an address starts a conversation", () => {
  for (const [typed, address] of [
    ["bob.example", "bob.example"],
    [" https://Bob.Example/ ", "bob.example"],
    ["example.org/users/Bob", "example.org/users/Bob"],
    ["localhost:9101", "localhost:9101"],
    ["bob", null],
    ["bob dahl", null],
    ["hello.", null],
    [".example", null],
    ["a@b.example", null],
    ["javascript:alert(1)", null],
    ["https://", null],
    ["bob.example?x", null],
    ["", null],
  ]) {
    assert.equal(addressOf(typed), address, typed);
  }
});
