// In the list of conversations: what is half written there, and what could not be sent yet.

/** How much of it one line can show, in characters. */
const SHOWN = 120;

/**
 * Writes it into the list, in place of the preview.
 *
 * @param open the peer of the conversation that is open, whose draft is in sight
 */
export function showWaiting({ drafts, queue, open }) {
  const unsent = new Map(queue.isStuck ? queue.all().map(({ peer, text }) => [peer, text]) : []);
  for (const { peer, state, text } of queue.all()) if (state === "refused") unsent.set(peer, text);
  for (const line of document.querySelectorAll("#contacts [data-peer]")) {
    const { peer } = line.dataset;
    const draft = peer === open ? "" : drafts.read(peer);
    if (unsent.has(peer)) write(line, "Not sent: ", unsent.get(peer));
    else if (draft !== "") write(line, "Draft: ", draft);
    else line.querySelector(".waiting")?.remove();
  }
}

function write(line, label, text) {
  let place = line.querySelector(".waiting");
  if (!place) {
    place = document.createElement("span");
    place.className = "waiting";
    place.append(document.createElement("b"), document.createElement("bdi"));
    line.querySelector(".preview").after(place);
  }
  const [name, words] = place.children;
  const shown = text.trim().replace(/\s+/g, " ").slice(0, SHOWN);
  if (name.textContent !== label) name.textContent = label;
  if (words.textContent !== shown) words.textContent = shown;
}
