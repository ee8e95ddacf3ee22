// Each case on standard input, one a line, to @simplewebauthn/server: "taken", or why not.
import { createInterface } from 'node:readline'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'))

async function verdict({ kind, challenge, rp_id, origin, credential, stored }) {
  const common = { response: credential, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rp_id, requireUserVerification: true }
  try {
    const { verified } = kind === 'create'
      ? await verifyRegistrationResponse({ ...common, supportedAlgorithmIDs: [-7] })
      : await verifyAuthenticationResponse({ ...common, credential: { id: stored.id, publicKey: bytes(stored.cose), counter: stored.count } })
    return verified ? 'taken' : 'not verified'
  } catch (e) {
    return `${e.name}: ${e.message}`
  }
}

const said = []
for await (const line of createInterface({ input: process.stdin })) said.push(JSON.stringify(await verdict(JSON.parse(line))))
process.stdout.write(said.join('\n') + '\n')
