// From “something changed” to what the server draws now: the same requests that first paint makes,
// morphed in, so that selection, focus, what is half written and the place one reads at survive.

/** The session is over: nothing can be asked any more. */
export class SignedOut extends Error {}

/** The server's answer was no; the message is a sentence for the person. */
export class Refused extends Error {
  /** @param response its `status` and, in seconds, `Retry-After` */
  constructor(text, response) {
    super(text);
    this.status = response.status;
    this.retryAfter = Number(response.headers.get("retry-after")) || 0;
  }
}

/** Asks for a fragment of ours; throws `SignedOut`, `Refused`, or what `fetch` throws. */
export async function fetchFragment(url, { signal } = {}) {
  const response = await fetch(url, { headers: { accept: "text/html" }, signal });
  if (response.status === 401) throw new SignedOut();
  const text = await response.text();
  if (!response.ok) throw new Refused(text, response);
  return text;
}

/** POSTs a form, answers the response; throws like `fetchFragment`. */
export async function postForm(url, fields, { keepalive = false, signal } = {}) {
  const body = new URLSearchParams(fields);
  const response = await fetch(url, { method: "POST", body, keepalive, signal });
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) throw new Refused(await response.text(), response);
  return response;
}

/**
 * Puts `text` into the page at once: when this returns, it stands.
 *
 * @param style `innerMorph`, `outerMorph` or `afterbegin`: in these htmx awaits nothing before it is
 *   done; what it does after (processing new links) may wait
 * @param prepare sees the fragment before it goes in, and keeps it out by answering false
 */
export function swap(target, text, style, prepare = () => {}) {
  return htmx.swap({ text, target, swap: style, sourceElement: target, prepare });
}

/**
 * One run at a time, and one more after it when asked meanwhile: a burst of triggers costs two
 * requests, and what was asked last is always answered by a request that began later.
 */
export function coalesce(work) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        if (!again) throw error;
      }
    } while (again);
  };
  return () => {
    if (running) again = true;
    else running = run().finally(() => (running = null));
    return running;
  };
}
