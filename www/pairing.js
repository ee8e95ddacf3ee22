// Bringing a pairing URI into its field without typing: text or a file that is dropped or pasted, a
// picture of a QR code, or the camera. Works on whatever `.pairing` the page has, now or later.

/** How each of the forms begins; a set-up link's beginning is any https address. */
const FORMS = /posta\+v1:\/\/|posta:\/\/pair|https?:\/\/[^\s#]+\/setup\/?[^\s#]*#invite=/i;
/** A page of text has no URI a person would drop, in bytes. */
const MOST_TEXT = 64 * 1024;
/** A photo of a screen, in bytes. */
const MOST_PICTURE = 20 * 1024 * 1024;
/** Between two looks at what the camera sees, in milliseconds. */
const LOOK_EVERY = 200;
/** A camera nobody holds anything before is switched off after this, in milliseconds. */
const LOOK_FOR = 120_000;

/** The URI in a text that may say other things before and, after an empty line, behind it. */
export function findUri(text) {
  const at = text.search(FORMS);
  return at < 0 ? null : text.slice(at).split(/\r?\n[ \t]*\r?\n/)[0].trim();
}

/** Watches the page from now on. */
export function watchPairing() {
  const camera = new Camera();
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => over(event, false));
  document.addEventListener("drop", (event) => {
    const pairing = over(event, false);
    if (pairing) take(pairing, event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    const pairing = event.target.closest?.(".pairing");
    if (!pairing || event.clipboardData.files.length === 0) return;
    event.preventDefault();
    take(pairing, event.clipboardData);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".pairing .scan, .pairing .stop");
    if (!button) return;
    const pairing = button.closest(".pairing");
    if (button.matches(".stop")) camera.stop({ focus: true });
    else if (mayUseCamera()) camera.start(pairing);
    // The page was loaded without leave to use it: loaded anew it has that.
    else location.assign("/settings?scan#pairing");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") camera.stop({ focus: true });
  });
  document.addEventListener("visibilitychange", () => document.hidden && camera.stop());
  window.addEventListener("pagehide", () => camera.stop());
  canScan().then((can) => {
    if (!can) return;
    document.documentElement.dataset.scans = "";
    if (new URLSearchParams(location.search).has("scan")) begin(camera);
  });
}

/** The settings, loaded anew to scan. */
function begin(camera) {
  const pairing = document.querySelector("#pairing .pairing");
  if (!pairing) return;
  history.replaceState(history.state, "", "/settings#pairing");
  pairing.closest("details").open = true;
  if (mayUseCamera()) camera.start(pairing);
}

async function canScan() {
  try {
    const formats = (await globalThis.BarcodeDetector?.getSupportedFormats()) ?? [];
    return formats.includes("qr_code") && Boolean(navigator.mediaDevices?.getUserMedia);
  } catch {
    return false;
  }
}

function mayUseCamera() {
  return document.featurePolicy?.allowsFeature("camera") ?? true;
}

/** Whether something is over a field that can take it; that field. */
function over(event, is) {
  const pairing = event.target.closest?.(".pairing");
  if (!pairing || !event.dataTransfer) return null;
  event.preventDefault();
  pairing.classList.toggle("over", is);
  return pairing;
}

async function take(pairing, data) {
  const [file] = data.files;
  const text = file ? await read(file) : { uri: findUri(data.getData("text")) ?? data.getData("text").trim() };
  if (text.uri) put(pairing, text.uri);
  else complain(pairing, text.why ?? "There is nothing to read in that.");
}

async function read(file) {
  if (file.type.startsWith("image/")) return readPicture(file);
  if (file.size > MOST_TEXT) return { why: "That file is too large to be a pairing URI." };
  const uri = findUri(await file.text());
  return uri ? { uri } : { why: "There is no pairing URI or set-up link in that file." };
}

async function readPicture(file) {
  if (!("scans" in document.documentElement.dataset)) {
    return { why: "This browser can't read QR codes. Paste the text of the link instead." };
  }
  if (file.size > MOST_PICTURE) return { why: "That picture is too large to be read." };
  try {
    const picture = await createImageBitmap(file);
    const [code] = await detector().detect(picture).finally(() => picture.close());
    return code ? { uri: findUri(code.rawValue) ?? code.rawValue } : { why: NO_CODE };
  } catch {
    return { why: "That picture could not be read." };
  }
}

const NO_CODE = "No QR code was found in that picture. Try one that is sharper and straight.";

function detector() {
  return new BarcodeDetector({ formats: ["qr_code"] });
}

/** What was found goes where one would have pasted it, for eyes to see before it is used. */
function put(pairing, uri) {
  const field = pairing.querySelector("textarea");
  field.value = uri;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  complain(pairing, "");
  pairing.closest("form").querySelector("button[type=submit]").focus();
}

function complain(pairing, words) {
  pairing.closest("form").querySelector(".error").textContent = words;
}

const REFUSED = {
  NotAllowedError: "The camera may not be used here. Allow it in your browser, or paste the link.",
  NotFoundError: "No camera was found. Paste the link instead.",
  NotReadableError: "The camera is in use by something else. Close that, or paste the link.",
};

/** Open only while somebody scans; whatever ends that, its light goes out. */
class Camera {
  #stream = null;
  #pairing = null;
  /** Which try this is: one that was ended meanwhile switches off what it was given. */
  #try = 0;

  async start(pairing) {
    this.stop();
    const attempt = ++this.#try;
    complain(pairing, "");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      complain(pairing, REFUSED[error?.name] ?? "The camera could not be used. Paste the link instead.");
      return;
    }
    if (attempt !== this.#try || !pairing.isConnected || document.hidden) {
      off(stream);
      return;
    }
    this.#stream = stream;
    this.#pairing = pairing;
    const place = pairing.querySelector(".viewfinder");
    place.hidden = false;
    place.querySelector(".stop").focus();
    const video = place.querySelector("video");
    video.muted = true;
    video.srcObject = stream;
    video.play().catch(() => {}); // ended before it began
    await this.#look(video, attempt);
  }

  stop({ focus = false } = {}) {
    this.#try++;
    if (!this.#stream) return;
    off(this.#stream);
    this.#stream = null;
    const place = this.#pairing.querySelector(".viewfinder");
    place.querySelector("video").srcObject = null;
    place.hidden = true;
    if (focus) this.#pairing.querySelector(".scan").focus();
  }

  async #look(video, attempt) {
    const codes = detector();
    const until = Date.now() + LOOK_FOR;
    while (attempt === this.#try) {
      const found = video.readyState < 2 ? [] : await codes.detect(video).catch(() => []);
      if (attempt !== this.#try) return;
      const uri = found.map(({ rawValue }) => findUri(rawValue)).find(Boolean);
      if (uri) {
        const pairing = this.#pairing;
        this.stop();
        put(pairing, uri);
        return;
      }
      if (Date.now() > until || !video.isConnected) {
        this.stop();
        return;
      }
      await new Promise((next) => setTimeout(next, LOOK_EVERY));
    }
  }
}

function off(stream) {
  for (const track of stream.getTracks()) track.stop();
}
