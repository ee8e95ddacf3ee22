"""Requests, mutated, to our reader, to h11 and to httptools (llhttp).

What both of them refuse we must refuse, and wherever one of them understands a request that we
understand, it must be the same request: method, target, and the body to the byte. Where ours is
stricter, that is meant; the closing line counts it.
"""

import base64
import json
import random
import subprocess
import sys
from collections import Counter

import h11
import httptools

METHODS = ["GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "get", "G(T", "BREW", "CONNECT", ""]
TARGETS = ["/", "/a?b=c", "/c/bob.example%2Fx", "http://x/", "HTTP://x:80?q", "*", "x:443", "/a b", "/a#b", "/\x80", "//x", "", "/%00", "/|^{}"]
VERSIONS = ["HTTP/1.1"] * 12 + ["HTTP/1.0", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/1", ""]
HOSTS = ["Host: x"] * 12 + ["host:x:8080", "Host: [::1]:80", "Host:", "Host : x", "Host: a b", "Host: u@x", "Host: x\r\nHost: x", ""]
LENGTHS = ["5", "0", "05", "+5", "-5", "5,5", "5, 5", " 5 ", "0x5", "5 5", "", "4", "6", "99999999999999999999", "\t5"]
CODINGS = ["chunked"] * 6 + ["Chunked", "gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", " chunked", "chunked ", "chunked;q=1", "\x0bchunked", "", "chunked,"]
OTHERS = ["A: b", "X-Empty:", "Cookie: a=b; c=d", "Connection: close", "Connection: keep-alive, x", "Expect: 100-continue", "A: b\r\n c", "A: b\r\n\tc", "A b: c", ": x", "nocolon", "A:\x80\xff", "A: b\x00c", "A: b\rc", "Transfer-encoding : chunked", "Content-Length\t: 5", "Upgrade: h2c", "TE: trailers", "Trailer: x"]
BODIES = ["", "hello", "hello", "hello!", "hell"]
CHUNKS = ["5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nT: u\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\n00\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello", "5\r\nhello\r\n0\r\nbad\r\n\r\n", "-1\r\n\r\n0\r\n\r\n", "A\r\nhellohello\r\n0\r\n\r\n"]
SPARE = [b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b";", b",", b"\0", b"0", b"5", b"-", b"+", b"\x0b", b"\x7f", b"\x80", b"\xff", b"A", b"/", b"#"]


def case(random):
    """One connection's bytes."""
    lines = [f"{random.choice(METHODS)} {random.choice(TARGETS)} {random.choice(VERSIONS)}"]
    if random.random() < 0.6:
        lines[0] = f"{random.choice(['GET', 'POST', 'PUT'])} {random.choice(['/', '/a?b'])} HTTP/1.1"
    lines.append(random.choice(HOSTS) if random.random() < 0.5 else "Host: x")
    body = random.choice(["", "hello"])
    if random.random() < 0.45:
        lines.append("Content-Length: " + (random.choice(LENGTHS) if random.random() < 0.6 else "5"))
        body = random.choice(BODIES)
    if random.random() < 0.45:
        lines.append("Transfer-Encoding: " + (random.choice(CODINGS) if random.random() < 0.6 else "chunked"))
        body = random.choice(CHUNKS) if random.random() < 0.6 else CHUNKS[0]
    if random.random() < 0.1:
        lines.append(random.choice(["Content-Length: 5", "Content-Length: 6", "Transfer-Encoding: chunked"]))
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        lines.insert(random.randint(1, len(lines)), random.choice(OTHERS))
    end = "\r\n" if random.random() < 0.95 else random.choice(["\n", "\r", "\r\r\n"])
    text = end.join(line for line in lines if line) + end + end + body
    if random.random() < 0.5:
        text += "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
    if random.random() < 0.03:
        text = random.choice(["\r\n", "\n", "\r\n\r\n", " "]) + text
    data = text.encode("latin-1")
    if random.random() < 0.5:
        for _ in range(random.randint(1, 2)):
            at = random.randrange(len(data) + 1)
            take = random.choice([0, 0, 1, 1, 2])
            data = data[:at] + random.choice(SPARE + [b""]) + data[at + take :]
    return data


class Seen:
    """The first request as somebody understood it."""

    def __init__(self):
        self.head = None  # (method, target)
        self.body = b""
        self.whole = False
        self.refused = False


def by_h11(data):
    seen = Seen()
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                seen.head = (event.method, event.target)
            elif isinstance(event, h11.Data):
                seen.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                seen.whole = True
                return seen
            else:
                return seen
    except h11.RemoteProtocolError:
        seen.refused = True
    return seen


class Enough(Exception):
    pass


class Taker:
    def __init__(self, seen):
        self.seen = seen
        self.url = b""
        self.parser = None

    def on_message_begin(self):
        if self.seen.whole:
            raise Enough

    def on_url(self, url):
        self.url += url

    def on_headers_complete(self):
        self.seen.head = (self.parser.get_method(), self.url)

    def on_body(self, body):
        self.seen.body += body

    def on_message_complete(self):
        self.seen.whole = True


def by_httptools(data):
    seen = Seen()
    taker = Taker(seen)
    taker.parser = httptools.HttpRequestParser(taker)
    try:
        taker.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        seen.whole = True
    except httptools.HttpParserError:
        seen.refused = not seen.whole
    return seen


def ours(verdict):
    seen = Seen()
    if verdict["requests"]:
        first = verdict["requests"][0]
        seen.head = (first["method"].encode(), first["target"].encode())
        if first["body"] is not None:
            seen.body = base64.b64decode(first["body"])
            seen.whole = True
    seen.refused = not seen.whole and verdict["end"].startswith("refused")
    return seen


def path_of(target):
    """Path and query of a target in either form, as ours tells them."""
    if target.startswith(b"/"):
        return target
    rest = target.split(b"://", 1)[-1]
    at = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    path = rest[at:]
    return path if path.startswith(b"/") else b"/" + path


def difference(own, others):
    if own.head and all(other.refused and not other.head for other in others.values()):
        return "a head that both refuse"
    if own.whole and all(other.refused for other in others.values()):
        return "a request that both refuse"
    for name, other in others.items():
        if not own.head or not other.head:
            continue
        if own.head[0] != other.head[0] or own.head[1] != path_of(other.head[1]):
            return f"{name} reads {other.head}"
        if own.refused or other.refused:
            continue
        if own.whole != other.whole:
            return f"{name} thinks the body is {'whole' if other.whole else 'not whole'}"
        if own.whole and own.body != other.body:
            return f"{name} reads the body {other.body!r}"
    return None


def main():
    program, count = sys.argv[1], int(sys.argv[2])
    source = random.Random(20)
    counts, batch = Counter(), 20_000
    for start in range(0, count, batch):
        cases = [case(source) for _ in range(min(batch, count - start))]
        lines = "".join(json.dumps(base64.b64encode(data).decode()) + "\n" for data in cases)
        told = subprocess.run([program, "heads"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
        verdicts = told.stdout.decode().splitlines()
        assert len(verdicts) == len(cases)
        for data, verdict in zip(cases, verdicts):
            own = ours(json.loads(verdict))
            others = {"h11": by_h11(data), "httptools": by_httptools(data)}
            found = difference(own, others)
            if found:
                sys.exit(f"heads: {found}\n  bytes: {data!r}\n  ours: {verdict}")
            counts["taken by all" if own.whole and all(o.whole for o in others.values()) else
                   "taken by us" if own.whole else
                   "refused by us" if own.refused else "not whole"] += 1
            if own.refused:
                for name, other in others.items():
                    counts[f"refused by us, taken by {name}"] += other.whole
                counts["refused by all"] += all(o.refused for o in others.values())
    assert counts["taken by all"] > count // 20 and counts["refused by all"] > count // 20, counts
    print(f"heads: {count} requests, h11 {h11.__version__} and httptools {httptools.__version__}:", dict(counts))


main()
