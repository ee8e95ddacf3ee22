// A picture file made ready to be sent: of a kind that posta-servers take, saying nothing but what
// can be seen on it, and small enough.
import { strip } from "./metadata.js";

/** What a posta-server takes at most, in bytes. */
export const MAX_BYTES = 10 * 1024 * 1024;
/** More is not read into memory. */
const MAX_FILE = 200 * 1024 * 1024;
/** The longest side of a picture that is drawn anew: more, phones cannot draw. */
const MAX_SIDE = 4096;
/** Sides tried, one after another, for a picture that is too large. */
const SMALLER = [3072, 2048, 1536, 1024];
const QUALITY = 0.9;

/** It cannot be sent; the message is a sentence for the person. */
export class Unusable extends Error {}

const UNREADABLE = "This browser can't read that kind of picture. Choose a JPEG or PNG file.";

/** Answers `{blob, bitmap}`; throws `Unusable`. The blob may still be too large. */
export async function prepare(file) {
  if (file.size > MAX_FILE) throw new Unusable("That file is too large to be a picture.");
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Unusable("That file can't be read any more. Choose it again.");
  }
  const parts = strip(bytes);
  if (parts) {
    const type = bytes[0] === 0xff ? "image/jpeg" : "image/png";
    const blob = new Blob(parts, { type });
    return { blob, bitmap: await decode(blob) };
  }
  const bitmap = await decode(file);
  return { blob: await draw(bitmap, MAX_SIDE, hasHoles(bitmap) ? "image/png" : "image/jpeg"), bitmap };
}

/** The same picture, small enough to be sent. */
export async function shrink({ bitmap }) {
  for (const side of SMALLER) {
    const blob = await draw(bitmap, side, "image/jpeg");
    if (blob.size <= MAX_BYTES) return { blob, bitmap };
  }
  throw new Unusable("This picture could not be made small enough.");
}

/** The middle of it as a square of that side, for a person's own picture. */
export async function square({ bitmap }, side) {
  const edge = Math.min(bitmap.width, bitmap.height);
  const from = [(bitmap.width - edge) / 2, (bitmap.height - edge) / 2, edge, edge];
  const size = Math.min(edge, side);
  return toBlob(canvas(size, size, (pen) => pen.drawImage(bitmap, ...from, 0, 0, size, size)), "image/jpeg");
}

/** Draws it into a canvas on the page, within `side` CSS pixels each way. */
export function preview(target, bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  const density = Math.min(globalThis.devicePixelRatio || 1, 3);
  target.width = width * density;
  target.height = height * density;
  target.style.width = `${width}px`;
  target.style.height = `${height}px`;
  target.getContext("2d").drawImage(bitmap, 0, 0, target.width, target.height);
}

/** Upright, as its metadata says. */
async function decode(blob) {
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    throw new Unusable(UNREADABLE);
  }
}

function draw(bitmap, side, type) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const drawn = canvas(width, height, (pen) => {
    if (type === "image/jpeg") {
      pen.fillStyle = "white"; // a JPEG has no holes
      pen.fillRect(0, 0, width, height);
    }
    pen.drawImage(bitmap, 0, 0, width, height);
  });
  return toBlob(drawn, type);
}

/** Whether something shines through it: looked at small, for memory's sake. */
function hasHoles(bitmap) {
  const side = 256;
  const small = canvas(side, side, (pen) => pen.drawImage(bitmap, 0, 0, side, side));
  const { data } = small.getContext("2d").getImageData(0, 0, side, side);
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return true;
  return false;
}

function canvas(width, height, paint) {
  const made = Object.assign(document.createElement("canvas"), { width, height });
  paint(made.getContext("2d"));
  return made;
}

function toBlob(drawn, type) {
  return new Promise((resolve, reject) => {
    const done = (blob) => (blob ? resolve(blob) : reject(new Unusable("This picture could not be drawn.")));
    drawn.toBlob(done, type, QUALITY);
  });
}
