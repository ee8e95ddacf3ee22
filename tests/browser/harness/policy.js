// What the Content-Security-Policy refuses on any page of any browser is a defect: either a page of
// ours wants what it may not have, or somebody got something into it. No test can expect it away.
import assert from "node:assert/strict";

const REPORT = "reportPolicyViolation";

export class Policy {
  #violations = new Set();

  /** Watches a context from before its first page. */
  async watch(context) {
    await context.exposeBinding(REPORT, (_, violation) => this.#violations.add(violation));
    await context.addInitScript((report) => {
      addEventListener(
        "securitypolicyviolation",
        ({ effectiveDirective, blockedURI, sourceFile, sample }) => {
          const what = [effectiveDirective, blockedURI, sourceFile, sample].filter(Boolean).join(" ");
          window[report](`${what} (on ${location.href})`);
        },
        true,
      );
    }, REPORT);
    // Where no script runs, and in workers, the browser's own words are all there is.
    const said = (message) => {
      const text = message.text();
      if (/Content Security Policy/i.test(text)) this.#violations.add(text);
    };
    context.on("console", said);
    context.on("serviceworker", (worker) => worker.on("console", said));
  }

  /** What was refused since the last time: for a test in which that is what should happen. */
  take() {
    const violations = [...this.#violations];
    this.#violations.clear();
    return violations;
  }

  /** Throws what was refused since the last time. */
  check() {
    assert.deepEqual(this.take(), [], "the Content-Security-Policy must have nothing to refuse");
  }
}
