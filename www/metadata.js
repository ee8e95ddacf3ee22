// What a picture file says beside the picture: where it was taken, when, with what. It is left out
// without decoding the picture, so that nothing of its quality is lost.

/** Not the file it seems to be. */
class Malformed extends Error {}

/**
 * The parts of a JPEG or PNG file that draw the picture, as a list of byte arrays; null when they
 * cannot be told from the rest, and the picture has to be drawn anew.
 *
 * @param bytes the whole file
 */
export function strip(bytes) {
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return stripJpeg(bytes);
    return bytes[0] === 0x89 && bytes[1] === 0x50 ? stripPng(bytes) : null;
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return null;
    throw error;
  }
}

/** Kept of JPEG's application segments (ITU-T T.81 §B.1.1.3): JFIF, ICC profile, Adobe's colours. */
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const COMMENT = 0xfe;
const SOS = 0xda;
const EOI = 0xd9;

function stripJpeg(bytes) {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  let orientation = 1;
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1; // fill bytes
    if (bytes[at] !== 0xff) throw new Malformed();
    const marker = bytes[at + 1];
    if (marker === EOI) {
      parts.push(bytes.subarray(at, at + 2));
      break; // what follows is another picture, or worse
    }
    const end = at + 2 + u16(bytes, at + 2);
    if (end > bytes.length || end < at + 4) throw new Malformed();
    const segment = bytes.subarray(at, end);
    if (marker === APP1) orientation = orientationOf(segment) ?? orientation;
    if (isKept(marker, segment)) parts.push(segment);
    at = end;
    if (marker !== SOS) continue;
    while (!(bytes[at] === 0xff && isMarker(bytes[at + 1]))) {
      if (at >= bytes.length) throw new Malformed();
      at += 1;
    }
    parts.push(bytes.subarray(end, at));
  }
  if (orientation > 1) parts.splice(startsWith(parts[1], [0xff, APP0]) ? 2 : 1, 0, exif(orientation));
  return parts;
}

function isKept(marker, segment) {
  if (marker === APP2) return text(segment, 4, 12) === "ICC_PROFILE\0";
  if (marker === APP0) return text(segment, 4, 5) === "JFIF\0";
  return marker === APP14 || !((marker > APP0 && marker <= 0xef) || marker === COMMENT);
}

/** Whether a byte after 0xff ends the coded data: neither a stuffed zero nor a restart. */
function isMarker(byte) {
  return byte !== undefined && byte !== 0 && byte !== 0xff && !(byte >= 0xd0 && byte <= 0xd7);
}

const ORIENTATION = 0x0112;

/** The orientation that an Exif segment tells (Exif 2.32 §4.6.4), 1 to 8. */
function orientationOf(segment) {
  if (text(segment, 4, 6) !== "Exif\0\0") return undefined;
  const tiff = segment.subarray(10);
  const isLittle = text(tiff, 0, 2) === "II";
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const first = view.getUint32(4, isLittle);
  const count = view.getUint16(first, isLittle);
  for (let entry = first + 2; entry < first + 2 + count * 12; entry += 12) {
    if (view.getUint16(entry, isLittle) !== ORIENTATION) continue;
    const value = view.getUint16(entry + 8, isLittle);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** An Exif segment that says nothing but how the picture is held. */
function exif(orientation) {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
  return Uint8Array.from([0xff, APP1, 0, body.length + 2, ...body]);
}

/** PNG's chunks that draw (PNG 3rd edition §11), and those of its animations. */
const DRAWING = new Set(
  "IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL fcTL fdAT".split(" "),
);

function stripPng(bytes) {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; ; ) {
    const end = at + 12 + u32(bytes, at);
    if (end > bytes.length) throw new Malformed();
    const name = text(bytes, at + 4, 4);
    // It may say how the picture is held, which only a drawing can follow.
    if (name === "eXIf") return null;
    if (DRAWING.has(name)) parts.push(bytes.subarray(at, end));
    if (name === "IEND") return parts;
    at = end;
  }
}

function u16(bytes, at) {
  if (at + 2 > bytes.length) throw new Malformed();
  return bytes[at] * 256 + bytes[at + 1];
}

function u32(bytes, at) {
  return u16(bytes, at) * 65536 + u16(bytes, at + 2);
}

function text(bytes, at, length) {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function startsWith(bytes, start) {
  return start.every((byte, index) => bytes[index] === byte);
}
