// A person's authenticator, made of software: Chromium's, through the DevTools protocol.

/** The five kinds that exist in the field, as far as the PRF extension goes. */
export const CLASSES = Object.freeze({
  "PRF at create and get": {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "internal",
    hasPrf: true,
  },
  "PRF only at get": {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "usb",
    hasHmacSecret: true,
  },
  "security key with PRF at both": {
    protocol: "ctap2",
    ctap2Version: "ctap2_2",
    transport: "usb",
    hasHmacSecret: true,
    hasHmacSecretMc: true,
  },
  "no PRF": { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal" },
  "user verification fails": {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "internal",
    hasPrf: true,
    isUserVerified: false,
  },
});

/** One virtual authenticator, plugged into one page. */
export class Authenticator {
  #devtools;
  #id;

  static async plugInto(page, kind = "PRF at create and get") {
    const authenticator = new Authenticator();
    authenticator.#devtools = await page.context().newCDPSession(page);
    await authenticator.#send("enable", { enableUI: false });
    return authenticator.#plug(kind);
  }

  /** Another one, plugged in beside this one. */
  beside(kind) {
    const other = new Authenticator();
    other.#devtools = this.#devtools;
    return other.#plug(kind);
  }

  async #plug(kind) {
    const { authenticatorId } = await this.#send("addVirtualAuthenticator", {
      options: {
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        ...CLASSES[kind],
      },
    });
    this.#id = authenticatorId;
    return this;
  }

  /** The passkeys on it, with their private keys. */
  async credentials() {
    return (await this.#call("getCredentials")).credentials;
  }

  async add(credential) {
    await this.#call("addCredential", { credential });
  }

  async clear() {
    await this.#call("clearCredentials");
  }

  /** Whether it lets itself be used: with `false` a ceremony waits, as for a touch. */
  async touch(enabled) {
    await this.#call("setAutomaticPresenceSimulation", { enabled });
  }

  async verifyUser(isUserVerified) {
    await this.#call("setUserVerified", { isUserVerified });
  }

  /** Makes it lie: `isBogusSignature`, `isBadUV`, `isBadUP`. */
  async lie(bits) {
    await this.#call("setResponseOverrideBits", bits);
  }

  async unplug() {
    await this.#call("removeVirtualAuthenticator");
    await this.#send("disable");
  }

  #call(method, parameters = {}) {
    return this.#send(method, { authenticatorId: this.#id, ...parameters });
  }

  #send(method, parameters) {
    return this.#devtools.send(`WebAuthn.${method}`, parameters);
  }
}
