// Finds out whether words on a page became more than words: ran, asked a foreign host, or turned into
// elements or attributes that could.
import assert from "node:assert/strict";

export class Tripwire {
  #context;
  #home;
  #caught = [];

  /** Watches every page of the context; whatever does not go to `home`, an origin, is foreign. */
  constructor(context, home) {
    this.#context = context;
    this.#home = home;
    for (const page of context.pages()) this.#attach(page);
    context.on("page", (page) => this.#attach(page));
    context.on("request", (request) => {
      const url = new URL(request.url());
      const isOurs = url.origin === home || ["data:", "blob:", "about:"].includes(url.protocol);
      if (!isOurs) this.#caught.push(`a request to ${url}`);
    });
  }

  #attach(page) {
    page.on("dialog", (dialog) => {
      this.#caught.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {}); // the page may have gone
    });
  }

  /** Throws what has happened, or could happen on a page as it stands now. */
  async check(page, what) {
    assert.equal(new URL(page.url()).origin, this.#home, `${what}: the page was led away`);
    const found = await page.evaluate(look, this.#home);
    assert.deepEqual([...this.#caught, ...found], [], what);
  }
}

/** In the page: what should not be there. */
function look(home) {
  const found = window.pwned === undefined ? [] : ["a script ran"];
  const never = new Set(["IFRAME", "FRAME", "OBJECT", "EMBED", "BASE", "STYLE", "MATH", "ANIMATE", "SET"]);
  const leads = /^(href|src|srcset|action|formaction|data|poster|ping|background|xlink:href|hx-(get|post|put|patch|delete|push-url|replace-url))$/;
  const inspect = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const shown = element.outerHTML.slice(0, 120);
      const name = element.tagName.toUpperCase();
      const isOurScript = name !== "SCRIPT" || new URL(element.src || "x:", location).pathname.startsWith("/static/");
      const isMeta = name === "META" && element.httpEquiv !== "";
      if (never.has(name) || isMeta || !isOurScript) found.push(`an element: ${shown}`);
      for (const { name: attribute, value } of element.attributes) {
        if (/^(on|hx-on|srcdoc)/i.test(attribute)) found.push(`an attribute: ${shown}`);
        if (!leads.test(attribute) || value === "" || value.startsWith("#") || value === "true") continue;
        const target = URL.parse(value, location);
        const isOut = name === "A" && attribute === "href" && /^https?:$/.test(target?.protocol);
        if (target?.origin !== home && !isOut) found.push(`a target: ${shown}`);
      }
      if (element instanceof HTMLTemplateElement) inspect(element.content);
    }
  };
  inspect(document);
  return found;
}
