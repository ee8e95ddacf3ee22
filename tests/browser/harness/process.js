// Programs under test, each its own process: started, watched, and ended with the test.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The binary under test, built with the `demo` feature. */
export const BINARY = resolve(
  process.env.CHAT_POSTA ?? join(import.meta.dirname, "../../../target/debug/chat-posta"),
);

/** How much of a program's output is kept to explain a failure, in characters. */
const KEPT = 20_000;
/** A program that takes longer to stop is killed, in milliseconds. */
const PATIENCE = 5000;

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program that runs until it is told to stop. */
export class Program {
  #child;
  #ended;
  #how = null;
  #isStopping = false;
  output = "";

  constructor(args, env = {}) {
    this.#child = spawn(BINARY, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => (this.output = (this.output + text).slice(-KEPT)));
    }
    this.#ended = new Promise((ended) => {
      this.#child.on("error", (error) => ended(`could not be started: ${error.message}`));
      this.#child.on("exit", (code, signal) => {
        running.delete(this.#child);
        ended(`ended with ${signal ?? code}`);
      });
    });
    this.#ended.then((how) => (this.#how = how));
  }

  /** Throws when it has ended by itself. */
  check(what) {
    if (this.#how && !this.#isStopping) throw new Error(`${what} ${this.#how}\n${this.output}`);
  }

  /** Waits until `probe` answers something true; a program that ends before has failed. */
  async until(probe, what, within = 60_000) {
    const deadline = Date.now() + within;
    for (;;) {
      const answer = await probe().catch(() => null);
      if (answer) return answer;
      this.check(`${what}: the program`);
      if (Date.now() > deadline) throw new Error(`${what}: not within ${within} ms\n${this.output}`);
      await new Promise((again) => setTimeout(again, 25));
    }
  }

  async stop(signal = "SIGTERM") {
    this.#isStopping = true;
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    await this.#ended;
    clearTimeout(late);
  }
}

/** Runs a command to its end. */
export async function run(args) {
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text) => (said[name] += text));
  }
  const code = await new Promise((ended, failed) => child.on("error", failed).on("close", ended));
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${said.stderr}`);
  return said.stdout;
}

/** A port that was free just now. */
export function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** A folder that goes with the test. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "chat-posta-browser-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
