// A real Caddy in front of the service, with the file that is deployed. CHAT_POSTA_THROUGH says
// whether and how: `caddy-h2` as browsers speak to it by themselves, `caddy-h1` with HTTP/1.1 only,
// where six connections are all a browser opens.
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program, freePort, temporaryFolder } from "./process.js";

const PROTOCOLS = { "caddy-h2": "h1 h2", "caddy-h1": "h1" };
const THROUGH = process.env.CHAT_POSTA_THROUGH ?? "";
if (THROUGH && !PROTOCOLS[THROUGH]) throw new Error(`CHAT_POSTA_THROUGH: ${THROUGH} is unknown`);

/** Whether a Caddy stands in front, and which protocol browsers speak to it. */
export const isProxied = THROUGH !== "";
export const protocol = { "": "http/1.1", "caddy-h1": "http/1.1", "caddy-h2": "h2" }[THROUGH];

const DEPLOYED = join(import.meta.dirname, "../../../scripts/service/Caddyfile");
/** Where every Caddy of this process has its keys, so that a browser trusts them all. */
const data = isProxied ? temporaryFolder() : "";

/** The deployed file with other addresses, and with certificates that no one else has to sign. */
function configured(port, upstream) {
  const site = readFileSync(DEPLOYED, "utf8")
    .replace(/^chat\.example \{$/m, `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls internal`)
    // Everybody in these tests comes from an address of their own, as through one more proxy.
    .replace(/^\treverse_proxy 127\.0\.0\.1:8080 \{$/m, `\treverse_proxy 127.0.0.1:${upstream} {\n\t\ttrusted_proxies 127.0.0.0/8`);
  if (!site.includes(`:${port} {`) || !site.includes(`:${upstream} {`)) throw new Error("the Caddyfile has changed");
  return `{
	admin off
	skip_install_trust
	auto_https disable_redirects
	servers {
		protocols ${PROTOCOLS[THROUGH]}
	}
}
${site}`;
}

export class Caddy {
  #program = null;
  #config = join(temporaryFolder(), "Caddyfile");
  port;

  /** In front of what listens on `upstream`; at the same address again when given. */
  static async start(upstream) {
    const caddy = new Caddy();
    caddy.port = await freePort();
    writeFileSync(caddy.#config, configured(caddy.port, upstream));
    const env = { XDG_DATA_HOME: data, XDG_CONFIG_HOME: data, HOME: data };
    const args = ["run", "--adapter", "caddyfile", "--config", caddy.#config];
    caddy.#program = new Program(args, { env, binary: "caddy" });
    await caddy.#program.until(async () => existsSync(INTERMEDIATE) && (await caddy.#answers()), "Caddy starts");
    return caddy;
  }

  async #answers() {
    // Its certificate is nobody's; that it says anything is enough.
    const error = await fetch(`https://localhost:${this.port}/`).catch((error) => error.cause ?? error);
    return error.code !== "ECONNREFUSED";
  }

  check() {
    this.#program?.check("Caddy");
  }

  async stop() {
    await this.#program?.stop();
    this.#program = null;
  }
}

const INTERMEDIATE = join(data, "caddy/pki/authorities/local/intermediate.crt");
let trusted = null;

/** Arguments that make a browser trust every Caddy of this process, as if it had been signed. */
export async function trust() {
  if (!isProxied) return [];
  trusted ??= (async () => {
    if (!existsSync(INTERMEDIATE)) await (await Caddy.start(await freePort())).stop();
    const { publicKey } = new X509Certificate(readFileSync(INTERMEDIATE));
    const hash = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("base64");
    return [`--ignore-certificate-errors-spki-list=${hash}`];
  })();
  return trusted;
}
