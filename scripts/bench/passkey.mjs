// A passkey made of software: signs a program up and in as a browser would, so that the benchmarks
// measure a real session of a real user.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (data) => createHash('sha256').update(data).digest();
const b64url = (bytes) => Buffer.from(bytes).toString('base64url');

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;

function authenticatorData(rpId, flags, signCount) {
  const rest = Buffer.alloc(5);
  rest[0] = flags;
  rest.writeUInt32BE(signCount, 1);
  return Buffer.concat([sha256(rpId), rest]);
}

function clientData(type, options, origin) {
  return Buffer.from(JSON.stringify({ type, challenge: options.challenge, origin, crossOrigin: false }));
}

export class Passkey {
  #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #id = randomBytes(32);
  #secret = randomBytes(32);
  #signCount = 0;
  #origin;
  #userHandle;

  constructor(origin) {
    this.#origin = origin;
  }

  /** Answers navigator.credentials.create(). */
  create(options) {
    this.#userHandle = options.user.id;
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    const cose = Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
      Buffer.from(x, 'base64url'),
      Buffer.from([0x22, 0x58, 0x20]),
      Buffer.from(y, 'base64url'),
    ]);
    const idLength = Buffer.alloc(2);
    idLength.writeUInt16BE(this.#id.length);
    const data = Buffer.concat([
      authenticatorData(options.rp.id, USER_PRESENT | USER_VERIFIED | ATTESTED, 0),
      Buffer.alloc(16),
      idLength,
      this.#id,
      cose,
    ]);
    const attestationObject = Buffer.concat([
      Buffer.from('\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58', 'latin1'),
      Buffer.from([data.length]),
      data,
    ]);
    return this.#credential({
      clientDataJSON: b64url(clientData('webauthn.create', options, this.#origin)),
      attestationObject: b64url(attestationObject),
      transports: ['internal'],
    });
  }

  /** Answers navigator.credentials.get(): the credential and the PRF output. */
  get(options) {
    this.#signCount += 1;
    const data = authenticatorData(options.rpId, USER_PRESENT | USER_VERIFIED, this.#signCount);
    const client = clientData('webauthn.get', options, this.#origin);
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.#keys.privateKey);
    const credential = this.#credential({
      clientDataJSON: b64url(client),
      authenticatorData: b64url(data),
      signature: b64url(signature),
      userHandle: this.#userHandle,
    });
    const prf = b64url(sha256(Buffer.concat([this.#secret, Buffer.from(options.extensions.prf.eval.first)])));
    return { credential, prf };
  }

  #credential(response) {
    const id = b64url(this.#id);
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      response,
      clientExtensionResults: {},
    };
  }
}

/** Signs up with an invite link and a pairing URI; gives the session cookie. */
export async function signUp(origin, invite, pairing) {
  const post = (path, headers, body) =>
    fetch(origin + path, { method: 'POST', headers: { origin, ...headers }, body, redirect: 'manual' });
  const code = new URL(invite).searchParams.get('code');
  const page = await post('/register', {}, new URLSearchParams({ code, uri: pairing }));
  const html = await page.text();
  const attribute = /data-options="([^"]*)"/.exec(html);
  if (!attribute) throw new Error(`sign-up did not reach its second step: ${page.status}`);
  const begun = JSON.parse(attribute[1].replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'));
  const passkey = new Passkey(origin);
  const step = async (body) => {
    const answer = await post('/register/passkey', { 'content-type': 'application/json' }, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const created = await step({ ceremony: begun.ceremony, credential: passkey.create(begun.publicKey), prf: null });
  const proof = await created.json();
  const signedUp = await step({ ceremony: proof.ceremony, ...passkey.get(proof.publicKey) });
  return signedUp.headers.get('set-cookie').split(';')[0];
}
