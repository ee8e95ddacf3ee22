// The service worker: an honest page when nothing can be reached, and our own files from this
// device. It never sees a message: pages and fragments go to the network, and nothing of them is
// kept. `/sw.js` says before it runs which version's files these are, in `self.assets`.
/* global self, caches, clients, fetch */

const CACHE = `files ${self.assets}`;
const OFFLINE = "/offline";
/** What the offline page is made of. */
const KEPT = ["tokens.css", "base.css", "card.css", "pairing.css", "night.css", "theme.js", "offline.js", "icon.svg"];

self.addEventListener("install", (event) => {
  const files = [OFFLINE, ...KEPT.map((name) => self.assets + name)];
  // Whatever runs now keeps its files by their own names: nothing speaks for waiting.
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
      await self.registration.navigationPreload?.enable();
      await clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (request.url.startsWith(location.origin + self.assets)) event.respondWith(file(request));
});

async function page(event) {
  let answer = null;
  try {
    answer = (await event.preloadResponse) ?? (await fetch(event.request));
    if (!isInOurPlace(answer)) return answer;
  } catch {
    // Nothing can be reached at all.
  }
  return (await caches.match(OFFLINE, { cacheName: CACHE })) ?? answer ?? Response.error();
}

/** A proxy's word that we are away: pages of ours carry their policy, whatever their status. */
function isInOurPlace(answer) {
  return [502, 503, 504].includes(answer.status) && !answer.headers.has("content-security-policy");
}

async function file(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) {
    const copy = answer.clone();
    cache.put(request, copy).catch(() => {}); // a full disk is no reason not to go on
  }
  return answer;
}
