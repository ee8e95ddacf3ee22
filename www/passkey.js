// Passkeys: between the JSON that the server speaks and the objects that the browser takes.
//
// Decoding is done by hand for every browser: some native parsers are older than the PRF extension
// and drop its input without a word.

/** A ceremony that did not come to its end, in words for the person. */
export class PasskeyError extends Error {
  /**
   * @param cause the browser's DOMException
   * @param words one or two plain sentences
   */
  constructor(cause, words) {
    super(words, { cause });
    this.name = "PasskeyError";
  }

  /** Cancelled, timed out, or refused for want of a click: trying again is all there is to do. */
  get wasCancelled() {
    return this.cause?.name === "NotAllowedError";
  }

  /** Ended by ourselves. */
  get wasAborted() {
    return this.cause?.name === "AbortError";
  }
}

/** Whether this browser has passkeys at all. */
export function areSupported() {
  return typeof PublicKeyCredential === "function" && Boolean(navigator.credentials?.get);
}

/** Whether passkeys can be offered among the browser's own suggestions. */
export async function areSuggested() {
  try {
    return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
  } catch {
    return false;
  }
}

/**
 * Creates a passkey.
 *
 * @param options PublicKeyCredentialCreationOptionsJSON
 * @param words sentences by the name of the DOMException, where others fit better than ours
 * @returns `{credential, prf}`: the RegistrationResponseJSON without the PRF output, and that output
 */
export async function create(options, { signal, words } = {}) {
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
    extensions: extensions(options.extensions),
  };
  return perform(() => navigator.credentials.create({ publicKey, signal }), { ...WORDS.create, ...words });
}

/**
 * Uses a passkey.
 *
 * @param options PublicKeyCredentialRequestOptionsJSON
 * @returns `{credential, prf}`: the AuthenticationResponseJSON without the PRF output, and that output
 */
export async function get(options, { signal, mediation } = {}) {
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
    extensions: extensions(options.extensions),
  };
  return perform(() => navigator.credentials.get({ publicKey, signal, mediation }), WORDS.get);
}

/** Tells the browser's passkey keeper that this passkey opens nothing here any more. */
export async function forget(rpId, credentialId) {
  try {
    await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId });
  } catch {
    // A courtesy: what keeps the passkeys need not listen.
  }
}

/**
 * Tells it which passkeys the account has now, so that it lets go of others.
 *
 * @param accepted `{rpId, userId, allAcceptedCredentialIds}`
 */
export async function keepOnly(accepted) {
  try {
    await PublicKeyCredential.signalAllAcceptedCredentials?.(accepted);
  } catch {
    // As above.
  }
}

async function perform(ceremony, words) {
  let credential;
  try {
    credential = await ceremony();
  } catch (error) {
    throw new PasskeyError(error, words[error?.name] ?? OTHERWISE);
  }
  if (!credential) throw new PasskeyError(null, words.NotAllowedError);
  const results = credential.getClientExtensionResults().prf?.results;
  return { credential: toJson(credential), prf: results?.first ? encode(results.first) : null };
}

/** WebAuthn Level 3 §5.1 `toJSON()`, less the PRF output: that one travels by itself. */
function toJson(credential) {
  const { response } = credential;
  const { prf, ...others } = credential.getClientExtensionResults();
  const json = {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: plain(prf ? { ...others, prf: { enabled: prf.enabled } } : others),
    response: { clientDataJSON: encode(response.clientDataJSON) },
  };
  if (response.attestationObject) {
    json.response.attestationObject = encode(response.attestationObject);
    json.response.transports = response.getTransports?.() ?? [];
  } else {
    json.response.authenticatorData = encode(response.authenticatorData);
    json.response.signature = encode(response.signature);
    if (response.userHandle) json.response.userHandle = encode(response.userHandle);
  }
  return json;
}

/** Extension outputs may hold bytes; the server reads none of those, so they are left out. */
function plain(value) {
  const isBytes = (item) => item instanceof ArrayBuffer || ArrayBuffer.isView(item);
  return JSON.parse(JSON.stringify(value, (_, item) => (isBytes(item) ? undefined : item)));
}

function descriptors(list = []) {
  return list.map((descriptor) => ({ ...descriptor, id: decode(descriptor.id) }));
}

function extensions({ prf, ...others } = {}) {
  if (!prf?.eval) return others;
  return { ...others, prf: { eval: { first: decode(prf.eval.first) } } };
}

/** base64url without padding, as bytes. */
export function decode(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Bytes as base64url without padding. */
export function encode(bytes) {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const WORDS = {
  create: {
    NotAllowedError:
      "No passkey was made: it was cancelled, took too long, or your device could not verify you. " +
      "Your invite is still good; try again.",
    InvalidStateError: "This device has a passkey for this account already. Sign in with it.",
    NotSupportedError: "This authenticator can't make the kind of passkey that is needed here.",
    ConstraintError:
      "This authenticator can't verify that it is you. Set a PIN, a fingerprint or your face on it first.",
    SecurityError: "Passkeys can't be made at this address. Open chat-posta at its own address.",
  },
  get: {
    NotAllowedError: "That was cancelled, took too long, or no passkey for this place was found. Try again.",
    NotSupportedError: "This authenticator can't be used here.",
    SecurityError: "Passkeys can't be used at this address. Open chat-posta at its own address.",
  },
};

const OTHERWISE = "The passkey could not be used. Try again, or use another device.";
