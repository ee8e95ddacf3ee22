import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalTime, untilMidnight } from "../../../www/local-time.js";

const at = (text) => Date.parse(text);
const now = at("2026-05-14T21:30:00Z");

test("days are the reader's own", () => {
  const oslo = new LocalTime("en-US", "Europe/Oslo");
  const auckland = new LocalTime("en-US", "Pacific/Auckland");
  assert.equal(oslo.day(now), "2026-05-14");
  assert.equal(auckland.day(now), "2026-05-15");
  for (const [moment, expected] of [
    ["2026-05-14T00:00:00Z", "Today"],
    ["2026-05-13T23:00:00Z", "Today"],
    ["2026-05-13T21:00:00Z", "Yesterday"],
    ["2026-05-12T10:00:00Z", "May 12"],
    ["2025-12-31T10:00:00Z", "December 31, 2025"],
    ["2026-05-14T23:00:00Z", "May 15"],
  ]) {
    assert.equal(oslo.dayName(at(moment), now), expected, moment);
  }
});

test("days in other languages", () => {
  const norwegian = new LocalTime("nb", "Europe/Oslo");
  assert.equal(norwegian.dayName(at("2026-05-14T08:00:00Z"), now), "I dag");
  assert.equal(norwegian.dayName(at("2026-05-13T08:00:00Z"), now), "I går");
  assert.equal(norwegian.dayName(at("2026-05-12T08:00:00Z"), now), "12. mai");
});

test("times", () => {
  const oslo = new LocalTime("en-GB", "Europe/Oslo");
  const plain = (text) => text.replace(/[\u202f\u00a0]/g, " ");
  for (const [form, moment, expected] of [
    ["clock", "2026-05-12T07:05:00Z", "9:05"],
    ["short", "2026-05-14T07:05:00Z", "9:05"],
    ["short", "2026-05-14T21:31:30Z", "Now"],
    ["short", "2026-05-14T21:29:01Z", "Now"],
    ["short", "2026-05-14T21:29:00Z", "1 min"],
    ["short", "2026-05-14T20:30:01Z", "59 mins"],
    ["short", "2026-05-14T20:30:00Z", "22:30"],
    ["short", "2026-05-13T22:00:00Z", ":00"],
    ["short", "2026-05-13T21:59:00Z", "Yesterday"],
    ["short", "2026-05-12T07:05:00Z", "Tue"],
    ["short", "2026-05-08T07:05:00Z", "Fri"],
    ["short", "2026-05-07T07:05:00Z", "7 May"],
    ["short", "2024-05-12T07:05:00Z", "12 May 2024"],
    ["inline", "2026-05-14T21:29:30Z", "now"],
    ["inline", "2026-05-14T21:25:00Z", "5 minutes ago"],
    ["inline", "2026-05-14T07:05:00Z", "9:05"],
    ["inline", "2026-05-13T07:05:00Z", "yesterday"],
    ["inline", "2026-05-12T07:05:00Z", "12 May"],
    ["inline", "2024-05-12T07:05:00Z", "12 May 2024"],
    ["full", "2026-05-12T07:05:00Z", "12 May 2026 at 09:05"],
  ]) {
    assert.equal(plain(oslo.text(form, at(moment), now)).replace(/^0/, ""), expected, form);
  }
});

test("midnight comes when the reader's day ends", () => {
  const near = (actual, expected) => assert.ok(Math.abs(actual - expected) <= 1000, `${actual}`);
  near(untilMidnight(new LocalTime("en", "UTC"), now), 2.5 * 3_600_000);
  near(untilMidnight(new LocalTime("en", "Europe/Oslo"), now), 0.5 * 3_600_000);
  // The night in which Oslo sets its clocks back: the day has 25 hours.
  near(untilMidnight(new LocalTime("en", "Europe/Oslo"), at("2026-10-24T22:00:00Z")), 25 * 3_600_000);
});
