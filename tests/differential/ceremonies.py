"""Registrations and assertions, mutated, to our verifier, to PyPI `webauthn` and to npm
`@simplewebauthn/server`: the same verdict, except where STRICTER and LAXER say why not.

usage: ceremonies.py VERDICTS NODE_DRIVER COUNT
"""

import base64
import hashlib
import json
import random
import re
import struct
import subprocess
import sys
from collections import Counter

import webauthn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from webauthn.helpers.cose import COSEAlgorithmIdentifier

RP, ORIGIN, HANDLE = "chat.example", "https://chat.example", b"\x09" * 32
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80

# Where verdicts may differ, and why. Ours refuses, and one of theirs does not: how our error reads.
STRICTER = [
    ("step 5: the answer is of another", "theirs leave finding the credential to the caller"),
    ("step 6: .*(credential is another|does not say whose)", "theirs leave the user handle to the caller"),
    ("is not base64url|is too long|is missing|id and rawId differ|not a public key|^JSON$",
     "answers are typed as §5.1.8 has them, in one spelling of base64url, and bounded"),
    ("the client data is longer", "answers are typed as §5.1.8 has them, in one spelling of base64url, and bounded"),
    ("the client data is not UTF-8", "what is not UTF-8 is refused, not mended"),
    ("the client data is not JSON", "a member that counts is there once, and of its type"),
    ("in a frame of another origin|below a page of an unexpected", "crossOrigin and topOrigin are judged"),
    ("the attestation object is malformed|is not CBOR|the extension data|longer than its flags|is cut off|is too short",
     "CBOR as CTAP2 has it: definite, untagged, no doubles, nothing left over"),
    ("holds no credential|of an assertion holds a key", "credentials are where they belong, and only there (§6.3.3)"),
    ("step 20: ", "keys are examined when they are registered: ES256, five members, a point of P-256"),
    ("attestation format is no identifier|of format none makes a statement", "formats are identifiers, none states nothing (§8.1, §8.7)"),
    ("the credential id's length", "an id has 1 to 1023 bytes (§7.1 step 25)"),
    ("the id beside the answer", "the id beside the answer is the one inside"),
    ("backup eligibility changed", "eligibility never changes (§7.2 step 19)"),
    ("not ECDSA's in DER", "a signature is DER and nothing but DER"),
]
# Ours takes it, and one of theirs does not: how their error reads.
LAXER = [
    ("(?i)attestation (statement|type|format|signature|certificate)|End of input reached",
     "statements are parsed and trusted as little as none (§7.1 steps 22 to 24)"),
    ("(?i)token.?binding", "tokenBinding has left the specification and is passed over like any member"),
    ("Length not supported or not well formed|attestationObject was malformed",
     "the shortest form of numbers is not asked for, nor the order of keys"),
]


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    if value < 256:
        return bytes([major << 5 | 24, value])
    return bytes([major << 5 | 25]) + struct.pack(">H", value)


def text(value):
    return head(3, len(value.encode())) + value.encode()


def blob(value):
    return head(2, len(value)) + value


class Answer:
    """An answer, each part of which can be bent alone."""

    def __init__(self, source, kind):
        self.kind = kind
        self.key = ec.derive_private_key(source.randrange(1, ORDER), ec.SECP256R1())
        self.challenge = source.randbytes(32)
        self.client = {"type": f"webauthn.{kind}", "challenge": b64(self.challenge), "origin": ORIGIN, "crossOrigin": False}
        self.client_bytes = None
        self.rp_hash = hashlib.sha256(RP.encode()).digest()
        self.flags = UP | UV | (AT if kind == "create" else 0)
        self.count, self.stored_count = 5, 4
        self.eligible = False
        self.aaguid = bytes(16)
        self.id = source.randbytes(source.choice([16, 16, 32, 64]))
        self.id_length = None
        numbers = self.key.public_key().public_numbers()
        self.x, self.y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        self.cose = self.good_cose()
        self.tail = b""
        self.format, self.statement = "none", b"\xa0"
        self.object_extra, self.object_tail = b"", b""
        self.object_members = ["fmt", "attStmt", "authData"]
        self.user = HANDLE
        self.sign = lambda message: self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        self.json = lambda credential: credential
        self.bend_data = lambda data: data
        self.bend_object = lambda data: data

    def members(self):
        return [b"\x01\x02", b"\x03\x26", b"\x20\x01", b"\x21" + blob(self.x), b"\x22" + blob(self.y)]

    def good_cose(self, members=None):
        members = members or self.members()
        return head(5, len(members)) + b"".join(members)

    def data(self):
        data = self.rp_hash + bytes([self.flags]) + struct.pack(">I", self.count)
        if self.kind == "create" and self.flags & AT:
            length = len(self.id) if self.id_length is None else self.id_length
            data += self.aaguid + struct.pack(">H", length) + self.id + self.cose
        return self.bend_data(data + self.tail)

    def object(self):
        parts = {"fmt": text("fmt") + text(self.format), "attStmt": text("attStmt") + self.statement,
                 "authData": text("authData") + blob(self.data())}
        count = len(self.object_members) + (1 if self.object_extra else 0)
        body = head(5, count) + b"".join(parts[name] for name in self.object_members)
        return self.bend_object(body + self.object_extra + self.object_tail)

    def case(self):
        client = self.client_bytes if self.client_bytes is not None else json.dumps(self.client).encode()
        credential = {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {}}
        if self.kind == "create":
            credential["response"] = {"clientDataJSON": b64(client), "attestationObject": b64(self.object()), "transports": ["internal"]}
        else:
            data = self.data()
            signature = self.sign(data + hashlib.sha256(client).digest())
            credential["response"] = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
            if self.user is not None:
                credential["response"]["userHandle"] = b64(self.user)
        point = b"\x04" + self.x + self.y
        stored = {"id": b64(self.stored_id), "point": b64(point), "cose": b64(self.good_cose()), "count": self.stored_count,
                  "eligible": self.eligible, "user": b64(HANDLE)}
        return {"kind": self.kind, "rp_id": RP, "origin": ORIGIN, "challenge": b64(self.challenge),
                "credential": self.json(credential), "stored": stored}


def set_client(name, *values):
    def bend(answer, source):
        answer.client[name] = source.choice(values)
    return bend


def raw_client(change):
    def bend(answer, source):
        answer.client_bytes = change(json.dumps(answer.client).encode(), source)
    return bend


def flip(data, source):
    if not data:
        return b"\x01"
    at = source.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << source.randrange(8))]) + data[at + 1 :]


def slip(data, source):
    """One byte changed, lost or doubled."""
    at = source.randrange(len(data) + 1)
    return source.choice([flip(data, source), data[:at] + data[at + 1 :], data[:at] + data[at - 1 : at] + data[at:], data[:at]])


def bend_part(name, change):
    def bend(answer, source):
        setattr(answer, name, change(getattr(answer, name), source))
    return bend


def signature(change):
    def bend(answer, source):
        good = answer.sign

        def sign(message):
            try:
                return change(good(message), source)
            except ValueError:  # what another change left of it is no signature any more
                return b""

        answer.sign = sign
    return bend


def der(r, s):
    return encode_dss_signature(r, s)


def integer(data):
    return b"\x02" + bytes([len(data)]) + data


def padded(data, source):
    r, s = (n.to_bytes(33, "big") for n in decode_dss_signature(data))
    body = integer(b"\0" + r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


def long_form(data, source):
    return b"\x30\x81" + data[1:]


def high_s(data, source):
    r, s = decode_dss_signature(data)
    return der(r, ORDER - s)


def raw_signature(data, source):
    return b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(data))


def whole_json(change):
    def bend(answer, source):
        answer.json = lambda credential: change(credential, source)
    return bend


def put(path, value):
    def change(credential, source):
        place = credential
        for name in path[:-1]:
            place = place[name]
        if value is None:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value(place.get(path[-1])) if callable(value) else value
        return credential
    return whole_json(change)


def cose_of(*changes):
    """A key with members changed: (index, bytes or None), or bytes that are added."""
    def bend(answer, source):
        members = answer.members()
        for change in changes:
            if isinstance(change, bytes):
                members.append(change)
            else:
                members[change[0]] = change[1]
        answer.cose = answer.good_cose([member for member in members if member is not None])
    return bend


def nothing(answer, source):
    pass


def flags(mask):
    return bend_part("flags", lambda value, source: value ^ mask)


def extensions(tail):
    def bend(answer, source):
        answer.flags |= ED
        answer.tail = tail
    return bend


def statement(form, value):
    def bend(answer, source):
        answer.format, answer.statement = form, value
    return bend


def stored(name, value):
    def bend(answer, source):
        setattr(answer, name, value)
    return bend


BENDS = [
    nothing,
    set_client("type", "webauthn.create", "webauthn.get", "", "payment.get", 1, None),
    set_client("challenge", b64(b"\x08" * 32), "", b64(b"\x07" * 31), 7),
    set_client("origin", "http://chat.example", "https://chat.example:444", "https://a.chat.example", "https://chat.example/", "", None),
    set_client("crossOrigin", True, "no", None, 0),
    set_client("topOrigin", "https://a.example", None, ORIGIN),
    set_client("later", 1, {"type": "x"}, [[]]),
    set_client("tokenBinding", {"status": "supported"}, {"status": "bogus"}, "x", {"status": "present", "id": "x"}),
    raw_client(lambda data, source: b"\xef\xbb\xbf" + data),
    raw_client(lambda data, source: data[:-1] + b', "origin": "https://chat.example"}'),
    raw_client(lambda data, source: data[:-1] + b', "x": "\xff"}'),
    raw_client(lambda data, source: b" " + data + b"\n"),
    raw_client(lambda data, source: data[:-1] + b', "x": "' + b"x" * 9000 + b'"}'),
    raw_client(slip),
    raw_client(flip),
    bend_part("rp_hash", flip),
    bend_part("rp_hash", lambda value, source: hashlib.sha256(source.choice([b"example", b"evil.example", b""])).digest()),
    flags(UP), flags(UV), flags(BE), flags(BS), flags(BE | BS), flags(AT), flags(ED), flags(0x02), flags(0x20),
    bend_part("count", lambda value, source: source.choice([0, 1, 4, 5, 6, 0xFFFFFFFF])),
    bend_part("tail", lambda value, source: value + b"\0"),
    extensions(b"\xa1\x6bcredProtect\x02"), extensions(b"\xa0"), extensions(b"\x80"), extensions(b"\xa1\x01\x02"),
    extensions(b"\xbf\xff"), extensions(b"\xa1\x6bhmac-secret\x41\x01"),
    bend_part("bend_data", lambda old, source: lambda data: slip(data, source)),
    whole_json(lambda credential, source: credential | {"later": [1, {"x": None}]}),
    put(["type"], "public-key2"), put(["type"], None), put(["id"], "AAAA"), put(["rawId"], "AAAA"), put(["id"], None),
    put(["response", "clientDataJSON"], lambda old: old + "="), put(["response", "clientDataJSON"], lambda old: "!" + old),
    put(["response", "clientDataJSON"], None), put(["response", "later"], "x"), put(["authenticatorAttachment"], "platform"),
]
CREATE = [
    bend_part("id", lambda value, source: b""), bend_part("id", lambda value, source: b"\x01" * 1023),
    bend_part("id", lambda value, source: b"\x01" * 1024),
    bend_part("id_length", lambda value, source: source.choice([0, 1, 15, 17, 0xFFFF])),
    bend_part("aaguid", flip),
    bend_part("cose", flip), bend_part("cose", slip),
    cose_of((0, b"\x01\x03")), cose_of((1, b"\x03\x27")), cose_of((1, b"\x03\x38\x22")), cose_of((2, b"\x20\x02")),
    cose_of((3, None)), cose_of((4, b"\x22\xf5")), cose_of(b"\x04\x81\x02"), cose_of((0, b"\x01\x18\x02")), cose_of((1, None)),
    bend_part("y", flip),
    bend_part("format", lambda value, source: source.choice(["", "no ne", "x" * 33, "packed", "unheard-of", "apple"])),
    statement("none", b"\xa1\x61x\x01"), statement("none", b"\x80"),
    statement("packed", b"\xa2\x63alg\x26\x63sig\x42\x01\x02"), statement("packed", b"\xa0"),
    bend_part("object_extra", lambda value, source: text("x") + b"\x82\x01\x02"),
    bend_part("object_extra", lambda value, source: text("fmt") + text("none")),
    bend_part("object_tail", lambda value, source: b"\0"),
    bend_part("object_members", lambda value, source: source.sample(value, 3)),
    bend_part("object_members", lambda value, source: source.sample(value, 2)),
    bend_part("bend_object", lambda old, source: lambda data: b"\xbf" + data[1:] + b"\xff"),
    bend_part("bend_object", lambda old, source: lambda data: b"\xd9\xd9\xf7" + data),
    bend_part("bend_object", lambda old, source: lambda data: slip(data, source)),
    put(["response", "attestationObject"], None), put(["response", "transports"], ["usb", "<x>"]), put(["response", "transports"], None),
]
GET = [
    bend_part("user", lambda value, source: source.choice([None, b"", b"\x08" * 32, HANDLE[:31]])),
    stored("stored_count", 0), stored("stored_count", 5), stored("stored_count", 6), stored("eligible", True),
    stored("stored_id", b"\x02" * 16),
    signature(flip), signature(slip), signature(padded), signature(long_form), signature(high_s), signature(raw_signature),
    signature(lambda data, source: data + b"\0"), signature(lambda data, source: b""), signature(lambda data, source: der(1, 1)),
    signature(lambda data, source: der(0, 1)), signature(lambda data, source: der(ORDER, 5)),
    put(["response", "signature"], None), put(["response", "authenticatorData"], None),
]


def case(source):
    kind = source.choice(["create", "get"])
    answer = Answer(source, kind)
    bends = source.choices(BENDS + 2 * (CREATE if kind == "create" else GET), k=source.choice([0, 1, 1, 1, 1, 2]))
    answer.stored_id = answer.id
    for bend in bends:
        bend(answer, source)
    return answer.case()


def unb64(value):
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def by_webauthn(case):
    common = {"credential": case["credential"], "expected_challenge": unb64(case["challenge"]), "expected_rp_id": RP,
              "expected_origin": ORIGIN, "require_user_verification": True}
    try:
        if case["kind"] == "create":
            algorithms = [COSEAlgorithmIdentifier.ECDSA_SHA_256]
            webauthn.verify_registration_response(**common, supported_pub_key_algs=algorithms)
        else:
            webauthn.verify_authentication_response(**common, credential_public_key=unb64(case["stored"]["cose"]),
                                                    credential_current_sign_count=case["stored"]["count"])
        return "taken"
    except Exception as e:  # whatever it is, it is no
        return f"{type(e).__name__}: {e}"


def through(command, cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    told = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    verdicts = [json.loads(line) for line in told.stdout.decode().splitlines()]
    assert len(verdicts) == len(cases), command
    return verdicts


def reason(own, their):
    """Why it may be that ours says `own` and one of theirs `their`, or None."""
    if own == "taken":
        return next((f"laxer: {why}" for pattern, why in LAXER if re.search(pattern, their)), None)
    return next((f"stricter: {why}" for pattern, why in STRICTER if re.search(pattern, own)), None)


def main():
    program, node, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    source, counts, reasons, unexplained = random.Random(3), Counter(), Counter(), 0
    for start in range(0, count, 10_000):
        cases = [case(source) for _ in range(min(10_000, count - start))]
        ours = through([program, "ceremonies"], cases)
        theirs = through(["node", node], cases)
        for one, own, simple in zip(cases, ours, theirs):
            own = "taken" if own["taken"] else own["error"]
            counts[f"{one['kind']} {'taken' if own == 'taken' else 'refused'}"] += 1
            same = True
            for name, their in {"webauthn": by_webauthn(one), "simplewebauthn": simple}.items():
                if (their == "taken") == (own == "taken"):
                    continue
                same = False
                why = reason(own, their)
                reasons[why] += 1
                if why is None:
                    unexplained += 1
                    if unexplained <= 20:
                        print(f"ceremonies: ours: {own}\n  {name}: {their}\n  case: {json.dumps(one)}", file=sys.stderr)
            counts["the same verdict from all three"] += same
    if unexplained:
        sys.exit(f"ceremonies: {unexplained} of {count} verdicts differ without a reason")
    for kind in ("create", "get"):
        assert counts[f"{kind} taken"] > count // 20 and counts[f"{kind} refused"] > count // 20, counts
    print(f"ceremonies: {count} answers to webauthn and @simplewebauthn/server:", dict(counts))
    for why, n in reasons.most_common():
        print(f"  {n:7} {why}")


main()
