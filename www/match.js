// Finding a conversation by a few letters. Pure.

/** Letters that no decomposition takes apart. */
const PLAIN = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ß: "ss", æ: "ae", œ: "oe", ı: "i" };

/** Without case and accents, so that “lukasz” finds Łukasz. */
export function fold(text) {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return bare.replace(/[øłđðþßæœı]/gu, (letter) => PLAIN[letter]);
}

/**
 * How well a conversation fits what was typed, larger for better; null when it does not. Each word
 * must be found: at the beginning, at that of a word, inside, or letter by letter.
 *
 * @param contact `{name, address}`, both folded
 */
export function score(typed, { name, address }) {
  let sum = 0;
  for (const word of fold(typed).replace(/^https?:\/\//, "").split(/\s+/).filter(Boolean)) {
    const best = Math.max(
      place(word, name, [100, 80, 60]),
      place(word, address, [70, 50, 40]),
      word.length > 1 && isSpread(word, name) ? 20 : -1,
    );
    if (best < 0) return null;
    sum += best;
  }
  return sum;
}

/** The contacts that fit, best first; among equals the order they came in. */
export function matches(typed, contacts) {
  return contacts
    .map((contact) => ({ contact, score: score(typed, contact) }))
    .filter((found) => found.score !== null)
    .sort((a, b) => b.score - a.score)
    .map((found) => found.contact);
}

/** The address that somebody typed, in display form (no scheme), or null when it is none. */
export function addressOf(typed) {
  const text = typed.trim();
  if (text === "" || /\s/.test(text)) return null;
  let url;
  try {
    url = new URL(/^https?:\/\//i.test(text) ? text : `https://${text}`);
  } catch {
    return null;
  }
  const isHost = /^([^.]+\.)+[^.]+$/.test(url.hostname) || url.hostname === "localhost";
  if (!isHost || url.username || url.password || url.hash || url.search) return null;
  return url.host + url.pathname.replace(/\/$/, "");
}

function place(word, text, [start, wordStart, inside]) {
  if (text.startsWith(word)) return start;
  let at = text.indexOf(word);
  if (at < 0) return -1;
  for (; at >= 0; at = text.indexOf(word, at + 1)) {
    if (/[^\p{L}\p{N}]/u.test(text[at - 1])) return wordStart;
  }
  return inside;
}

/** Whether the letters of `word` come in `text` in their order, the first one beginning a word. */
function isSpread(word, text) {
  return text.split(/[^\p{L}\p{N}]+/u).some((_, index, parts) => {
    const rest = parts.slice(index).join("");
    if (rest[0] !== word[0]) return false;
    let at = 0;
    for (const letter of rest) if (letter === word[at]) at += 1;
    return at >= word.length;
  });
}
