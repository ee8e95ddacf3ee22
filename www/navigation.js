// Moving between conversations inside one page: the last click wins, Back asks the server again,
// and an error is a sentence, never a page inside the page.

/** A notice goes away by itself after this, in milliseconds. */
const NOTICE_LASTS = 12_000;

const NO_ANSWER = "That could not be loaded: the service can't be reached. Try again in a moment.";

export class Navigation {
  #handlers;
  #current = null;
  #notice = null;
  #timer = 0;

  /**
   * @param handlers `leaving()` before the main pane changes, `arrived()` in the same task after;
   *   `incoming(fragment)` for whatever is about to be swapped in; `isOld()`: whether this page is of
   *   another version than the service
   */
  constructor(handlers) {
    this.#handlers = handlers;
    htmx.on("htmx:before:request", (event) => this.#requested(event));
    htmx.on("htmx:finally:request", (event) => this.#finished(event.detail.ctx));
    htmx.on("htmx:response:error", (event) => this.#refused(event.detail.ctx));
    htmx.on("htmx:error", (event) => this.#failed(event.detail));
    htmx.on("htmx:before:swap", (event) => this.#swapping(event));
    htmx.on("htmx:before:settle", (event) => this.#swapped(event.detail.task));
    htmx.on("htmx:before:history:restore", (event) => this.#restore(event));
  }

  /** Says a sentence above the page, until the next success or a while has passed. */
  notice(words) {
    clearTimeout(this.#timer);
    this.#notice?.remove();
    this.#notice = null;
    if (words === "") return;
    this.#notice = document.createElement("div");
    this.#notice.id = "notice";
    this.#notice.className = "banner";
    this.#notice.setAttribute("role", "alert");
    this.#notice.append(Object.assign(document.createElement("p"), { textContent: words }));
    document.getElementById("banners").append(this.#notice);
    this.#timer = setTimeout(() => this.notice(""), NOTICE_LASTS);
  }

  #requested(event) {
    const { ctx } = event.detail;
    if (!isNavigation(ctx)) return;
    if (this.#handlers.isOld()) {
      event.preventDefault();
      location.assign(ctx.request.action);
      return;
    }
    // A click overtakes the one before it, however slow that one's answer is.
    if (this.#current && this.#current !== ctx) this.#current.request.abort?.();
    this.#current = ctx;
  }

  #finished(ctx) {
    if (this.#current === ctx) this.#current = null;
  }

  #refused(ctx) {
    const isPlain = ctx.response.headers.get("content-type")?.startsWith("text/plain");
    this.notice((isPlain && ctx.text.trim()) || `That did not work (${ctx.response.status}). Try again in a moment.`);
    // It may quote somebody's posta-server, and htmx would read it as markup, if only to drop it.
    ctx.text = "";
  }

  #failed({ ctx, error }) {
    if (ctx && (error instanceof TypeError || ctx.request?.signal?.reason === "timeout")) this.notice(NO_ANSWER);
  }

  #swapping(event) {
    const { ctx, tasks } = event.detail;
    // Neither its text nor its address becomes the page's.
    if (ctx.response?.status >= 400) {
      event.preventDefault();
      return;
    }
    for (const { fragment } of tasks) {
      this.#handlers.incoming(fragment);
      if (ctx.prepare?.(fragment) === false) event.preventDefault();
    }
    if (isNavigation(ctx) && !event.defaultPrevented) {
      this.notice("");
      this.#handlers.leaving();
    }
  }

  /** The new pane stands, and nothing has been painted yet. */
  #swapped(task) {
    if (task.target?.id === "main") this.#handlers.arrived();
  }

  /** Back and forward: the same request that a click makes. */
  #restore(event) {
    event.preventDefault();
    const { path } = event.detail;
    htmx.ajax("GET", path, { source: "#main", target: "#main", swap: "innerHTML" });
  }
}

function isNavigation(ctx) {
  return ctx?.target?.id === "main";
}
