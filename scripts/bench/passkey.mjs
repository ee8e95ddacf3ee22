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

/** Posts as a page of `origin` does. */
const poster = (origin, fields) => (path, headers, body) =>
  fetch(origin + path, { method: 'POST', headers: { origin, ...fields, ...headers }, body, redirect: 'manual' });

/** Posts one step of a ceremony as JSON; throws unless it is taken. */
async function step(post, path, body) {
  const answer = await post(path, { 'content-type': 'application/json' }, JSON.stringify(body));
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

const cookieOf = (answer) => answer.headers.get('set-cookie').split(';')[0];

/**
 * Signs up with an invite link and a pairing URI; gives the session cookie.
 *
 * @param fields further request fields, such as the address a proxy would tell
 */
export async function signUp(origin, invite, pairing, passkey = new Passkey(origin), fields = {}) {
  const post = poster(origin, fields);
  const code = new URL(invite).searchParams.get('code');
  const page = await post('/register', {}, new URLSearchParams({ code, uri: pairing }));
  const html = await page.text();
  const attribute = /data-options="([^"]*)"/.exec(html);
  if (!attribute) throw new Error(`sign-up did not reach its second step: ${page.status}`);
  const begun = JSON.parse(attribute[1].replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'));
  const credential = passkey.create(begun.publicKey);
  const created = await step(post, '/register/passkey', { ceremony: begun.ceremony, credential, prf: null });
  const proof = await created.json();
  return cookieOf(await step(post, '/register/passkey', { ceremony: proof.ceremony, ...passkey.get(proof.publicKey) }));
}

/** Signs in with a passkey that has signed up; gives the session cookie. */
export async function signIn(origin, passkey, fields = {}) {
  const post = poster(origin, fields);
  const begun = await (await step(post, '/login/options', {})).json();
  return cookieOf(await step(post, '/login', { ceremony: begun.ceremony, ...passkey.get(begun.publicKey) }));
}
