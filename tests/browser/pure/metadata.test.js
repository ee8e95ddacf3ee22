// What a picture file tells beside the picture is left out, and nothing of the picture with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { strip } from "../../../www/metadata.js";

const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
const segment = (marker, ...parts) => {
  const body = [...bytes(...parts)];
  return [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body];
};
const joined = (parts) => Buffer.concat(parts.map((part) => Buffer.from(part))).toString("latin1");

const SOI = [0xff, 0xd8];
const EOI = [0xff, 0xd9];
const JFIF = segment(0xe0, "JFIF\0", [1, 1, 0, 0, 1, 0, 1, 0, 0]);
const TABLES = segment(0xdb, [0, 1, 2, 3]);
const FRAME = segment(0xc2, [8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
const SCAN = [...segment(0xda, [1, 1, 0, 0, 63, 0]), 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4];

/** An Exif segment with an orientation and a position, in either byte order. */
function exif(orientation, isLittle) {
  const u16 = (n) => (isLittle ? [n & 255, n >> 8] : [n >> 8, n & 255]);
  const u32 = (n) => (isLittle ? [...u16(n & 0xffff), ...u16(n >>> 16)] : [...u16(n >>> 16), ...u16(n & 0xffff)]);
  const entry = (tag, kind, value) => [...u16(tag), ...u16(kind), ...u32(1), ...value];
  const tiff = [
    ...[...Buffer.from(isLittle ? "II" : "MM")],
    ...u16(42),
    ...u32(8),
    ...u16(2),
    ...entry(0x0112, 3, [...u16(orientation), 0, 0]),
    ...entry(0x8825, 4, u32(38)),
    ...u32(0),
  ];
  return segment(0xe1, "Exif\0\0", tiff, "GPS 59.91 N 10.75 E");
}

test("a JPEG keeps what draws it and how it is held, and nothing else", () => {
  for (const isLittle of [true, false]) {
    const file = bytes(
      SOI,
      JFIF,
      exif(6, isLittle),
      segment(0xe1, "http://ns.adobe.com/xap/1.0/\0<x>Home</x>"),
      segment(0xe2, "ICC_PROFILE\0", [1, 1, 9]),
      segment(0xe2, "MPF\0", [1, 2]),
      segment(0xed, "Photoshop 3.0\0city"),
      segment(0xee, "Adobe", [0, 100]),
      segment(0xfe, "a comment"),
      TABLES,
      FRAME,
      SCAN,
      TABLES,
      SCAN,
      EOI,
      "a motion picture with its own position",
    );
    const kept = joined(strip(file));
    for (const gone of ["GPS", "Home", "MPF", "city", "comment", "motion"]) assert.ok(!kept.includes(gone), gone);
    assert.ok(kept.includes("ICC_PROFILE") && kept.includes("Adobe"));
    const orientation = segment(0xe1, "Exif\0\0MM\0*\0\0\0\b\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    const rest = [...segment(0xe2, "ICC_PROFILE\0", [1, 1, 9]), ...segment(0xee, "Adobe", [0, 100])];
    const expected = bytes(SOI, JFIF, orientation, rest, TABLES, FRAME, SCAN, TABLES, SCAN, EOI);
    assert.equal(kept, Buffer.from(expected).toString("latin1"));
  }
});

test("an upright JPEG without metadata stays as it is, byte for byte", () => {
  const file = bytes(SOI, JFIF, TABLES, FRAME, SCAN, EOI);
  assert.equal(joined(strip(file)), Buffer.from(file).toString("latin1"));
  assert.ok(!joined(strip(bytes(SOI, exif(1, true), TABLES, SCAN, EOI))).includes("Exif"));
});

const chunk = (name, ...body) => {
  const content = [...bytes(...body)];
  return [0, 0, content.length >> 8, content.length & 255, ...bytes(name), ...content, 0, 0, 0, 0];
};
const PNG = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10];

test("a PNG keeps the chunks that draw", () => {
  const drawing = [chunk("IHDR", [0, 0]), chunk("iCCP", "x"), chunk("tRNS", [1]), chunk("IDAT", [1, 2]), chunk("IEND")];
  const [head, ...rest] = drawing;
  const telling = [chunk("tEXt", "Location\0Oslo"), chunk("iTXt", "XML:com.adobe.xmp\0Oslo"), chunk("tIME", [7])];
  const file = bytes(PNG, head, ...telling, ...rest, "what follows");
  assert.equal(joined(strip(file)), Buffer.from(bytes(PNG, ...drawing)).toString("latin1"));
  assert.equal(strip(bytes(PNG, head, chunk("eXIf", "MM"), ...rest)), null, "how it is held needs a drawing");
});

test("what cannot be told apart is drawn anew", () => {
  const whole = bytes(SOI, JFIF, exif(6, true), TABLES, FRAME, SCAN, EOI);
  for (let length = 0; length < whole.length; length += 1) assert.equal(strip(whole.slice(0, length)), null, length);
  const png = bytes(PNG, chunk("IHDR", [0]), chunk("IDAT", [1]), chunk("IEND"));
  for (let length = 0; length < png.length; length += 1) assert.equal(strip(png.slice(0, length)), null, length);
  for (const text of ["", "GIF89a", "RIFF....WEBP", "<svg/>"]) assert.equal(strip(bytes(text)), null, text);
  // Lengths that lie, and an Exif segment that points outside itself.
  assert.equal(strip(bytes(SOI, [0xff, 0xe0, 0, 0], EOI)), null);
  assert.equal(strip(bytes(SOI, segment(0xe1, "Exif\0\0II*\0\xff\xff\xff\x7f"), TABLES, SCAN, EOI)), null);
});
