// Asking the server something that it answers with JSON, or with a sentence against it.

/** What the server or the network says against it, in words. */
export class Refusal extends Error {
  /**
   * @param words for the person
   * @param status of the answer, or 0 when there was none
   * @param answer what else it says: `unknown`, the passkey opens nothing; `next`, the question with
   *   which it goes on
   */
  constructor(words, status = 0, { unknown = false, next = null } = {}) {
    super(words);
    this.status = status;
    this.isUnknown = unknown === true;
    this.next = next;
  }

  /** Whether the server has judged, rather than been busy or away. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 429].includes(this.status);
  }
}

/** POSTs JSON, or a form's fields (`URLSearchParams`), and answers the JSON that comes back. */
export async function post(path, body = {}) {
  const isForm = body instanceof URLSearchParams;
  const response = await (isForm ? ask(path, body) : ask(path, JSON.stringify(body), "application/json"));
  const text = await response.text();
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    // A plain sentence, from a limit; or a page, from a proxy in front.
    if (!isHtml(response)) answer.error = text;
  }
  if (response.ok) return answer;
  throw new Refusal(answer.error || tryLater(response), response.status, answer);
}

export async function ask(path, body, type) {
  try {
    return await fetch(path, { method: "POST", body, headers: type ? { "content-type": type } : {} });
  } catch {
    throw new Refusal("The service can't be reached. Check your connection and try again.");
  }
}

export function isHtml(response) {
  return response.headers.get("content-type")?.startsWith("text/html");
}

export function tryLater(response) {
  return `That did not work (${response.status}). Try again in a moment.`;
}
