// Entry of the chat pages: puts the parts together, once.
import { Actions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { Contacts } from "./contacts.js";
import { Conversation } from "./conversation.js";
import { startCopying } from "./copy.js";
import { Drafts } from "./drafts.js";
import { Focus } from "./focus.js";
import { Health } from "./health.js";
import { Jump } from "./jump.js";
import { Keys } from "./keys.js";
import { Live } from "./live.js";
import { LocalTime, untilMidnight, writeTimes } from "./local-time.js";
import { Navigation } from "./navigation.js";
import { NewConversation } from "./new.js";
import { watchPairing } from "./pairing.js";
import { Pictures } from "./pictures.js";
import { watchPortrait } from "./portrait.js";
import { Preferences } from "./preferences.js";
import { Queue } from "./queue.js";
import { SignedOut, coalesce, fetchFragment, swap } from "./refresh.js";
import { Session, account } from "./session.js";
import { Settings } from "./settings.js";
import { Thread } from "./thread.js";
import { Told } from "./told.js";
import { Version } from "./version.js";
import { showWaiting } from "./waiting.js";

const local = new LocalTime();
const drafts = new Drafts(account);
const queue = new Queue(account, { changed: queued, signedOut });
const pictures = new Pictures(account, {
  changed: (peer) => peer === thread?.peer && thread.pictured(),
  sent: (peer) => peer === thread?.peer && thread.pictureSent(),
  signedOut,
});
const announcer = new Announcer();
const focus = new Focus();
const health = new Health({ say: (words) => announcer.say(words), retry: () => live.now() });
const broken = new Set();
let thread = null;
/** What is said once an open conversation has been closed. */
let farewell = "";
const REMOVED = "The conversation was removed from your list. It comes back when one of you writes again.";

const preferences = new Preferences();
const told = new Told(account, preferences, { go: (peer) => go({ peer, link: lineOf(peer) }) });
const version = new Version();
const navigation = new Navigation({ incoming, leaving, arrived, isOld: () => version.isOld });
const session = new Session({
  kept: [drafts, queue, pictures, told],
  save: () => (thread?.save() ?? true) && queue.isKept && pictures.isKept,
  notice: (words) => navigation.notice(words),
});
const settings = new Settings({
  signedOut,
  drawn: () => preferences.show(),
  leaving: () => session.leaving(),
  stayed: () => session.stayed(),
  left(path) {
    live.stop();
    session.left(path);
  },
});
watchPortrait({ drawn: (form) => settings.redraw(form), signedOut });
const contacts = new Contacts(local);
const newConversation = new NewConversation({ signedOut });
new Conversation({ left: () => thread?.refresh(), removed: () => close(REMOVED), signedOut });
startCopying();
const live = new Live({ view, told: viewed, trigger, connected, lost: (how) => health.lost(how), signedOut });
const keys = new Keys({
  jump: new Jump(go),
  actions: new Actions((words) => announcer.say(words)),
  peer: () => thread?.peer ?? null,
  go,
});

const refreshContacts = coalesce(async () => {
  const url = `/sidebar?${new URLSearchParams({ open: thread?.peer ?? "" })}`;
  try {
    const text = await fetchFragment(url);
    swap(document.getElementById("contacts"), text, "innerMorph");
    mark();
    announcer.listed(thread?.peer);
    told.listed();
  } catch (error) {
    if (error instanceof SignedOut) signedOut();
    // Otherwise the next trigger asks again.
  }
});

function signedOut() {
  live.stop();
  session.signedOut();
}

/** What this tab shows. */
function view() {
  return { peer: thread?.peer ?? null, visible: document.visibilityState === "visible" };
}

function refreshAll() {
  thread?.refresh();
  refreshContacts();
}

function trigger(name, data) {
  switch (name) {
    case "thread-updated":
      if (!data.peer || data.peer === thread?.peer) thread?.told(data.rowId);
      refreshContacts();
      break;
    case "contact-removed":
      if (data.peer === thread?.peer) close(REMOVED);
      refreshContacts();
      break;
    case "contact-changed":
      refreshContacts();
      break;
    case "health":
      health.server = data.state;
      settings.refresh();
      writeTimes(document.getElementById("banners"), local);
      if (data.state === "ok") {
        refreshAll();
        queue.hurry();
      }
      break;
    case "session-ending":
      session.ending(true);
      break;
    case "signed-out":
      signedOut();
      break;
    default:
      refreshAll();
  }
}

function connected({ slept }) {
  health.connected();
  version.look();
  queue.hurry();
  if (slept) thread?.resume();
  else thread?.refresh();
  refreshContacts();
}

/** Whatever is about to be swapped in is made this reader's. */
function incoming(fragment) {
  writeTimes(fragment, local);
  for (const image of fragment.querySelectorAll("img")) image.hidden = broken.has(image.getAttribute("src"));
}

function lineOf(peer) {
  return document.querySelector(`#contacts [data-peer="${CSS.escape(peer)}"]`);
}

/** To a conversation of the list, or to a new one. */
function go({ peer, link }) {
  if (peer === thread?.peer) document.getElementById("text").focus();
  else if (link?.isConnected) link.click();
  else location.assign(`/c/${encodeURIComponent(peer)}`);
}

let left = null;

function leaving() {
  left = thread?.peer ?? null;
  thread?.stop();
  thread = null;
}

function arrived() {
  open();
  newConversation.arrived();
  preferences.show();
  if (farewell !== "") {
    navigation.notice(farewell);
    farewell = "";
    document.querySelector("#contacts .contact")?.focus({ preventScroll: true });
  }
  mark();
  keys.arrived();
  focus.arrived(left);
  live.tell();
  refreshContacts();
}

/** What waits to be sent is another, in this tab or in another one. */
function queued() {
  thread?.queued();
  showWaiting({ drafts, queue, open: thread?.peer });
}

/** Leaves the open conversation for the list. */
function close(words) {
  if (!thread || farewell !== "") return; // or on its way already
  farewell = words;
  document.querySelector("#thread .back").click();
}

function open() {
  const section = document.getElementById("thread");
  thread = section && new Thread(section, { local, drafts, queue, pictures, signedOut });
  announcer.follow(section);
}

/** Which conversation is open, until the list is drawn anew. */
function mark() {
  for (const link of document.querySelectorAll("#contacts [data-peer]")) {
    if (link.dataset.peer === thread?.peer) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  showWaiting({ drafts, queue, open: thread?.peer });
}

function atMidnight() {
  setTimeout(() => {
    writeTimes(document, local);
    contacts.tell();
    thread?.tellDays();
    atMidnight();
  }, untilMidnight(local) + 1000);
}

function viewed({ visible }) {
  if (visible) session.ending(false);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") thread?.save();
  else thread?.seen();
});
document.getElementById("stay").addEventListener("click", () => live.tell());

// A picture that cannot be shown leaves its caption; errors of loading do not bubble.
document.addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLImageElement)) return;
    broken.add(target.getAttribute("src"));
    target.hidden = true;
  },
  true,
);

window.addEventListener("pagehide", () => {
  thread?.save();
  session.stop();
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted || session.leaveIfOver()) return;
  session.start();
  live.start({ slept: true });
  queue.hurry();
});

writeTimes(document, local);
open();
announcer.listed(thread?.peer);
told.listed();
preferences.show();
atMidnight();
watchPairing();
session.start();
live.start();
mark();
queue.hurry();
window.addEventListener("storage", ({ key }) => {
  if (key === null || key.startsWith("draft ")) mark();
});
