//! What is sent: a request's head, and its body.
use super::wire::Wire;
use super::{Call, CallBody, CallError, Origin};
use crate::http::Method;
use crate::http::chunked::{self, is_token_byte};
use std::io::{self, Read};
use std::time::Instant;
use zeroize::Zeroizing;

/// Bytes of a streamed body sent at once.
const PIECE: usize = 16 * 1024;
/// Fields that are ours to send: they frame the request or speak for the connection.
const OURS: &[&str] = &[
    "host",
    "user-agent",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "expect",
    "te",
    "trailer",
];

/// The head, in one buffer that is wiped: it holds the caller's credentials. `defaults` are sent
/// unless the caller has such fields.
pub fn head(
    call: &Call<'_>,
    agent: &str,
    defaults: &[(&str, &str)],
) -> Result<Zeroizing<Vec<u8>>, CallError> {
    check(call, agent)?;
    let Origin { tls, host, port } = call.origin;
    let port =
        if *port == if *tls { 443 } else { 80 } { String::new() } else { format!(":{port}") };
    let framing = match &call.body {
        CallBody::Bytes(bytes) => format!("content-length: {}\r\n", bytes.len()),
        CallBody::Stream { length: Some(length), .. } => format!("content-length: {length}\r\n"),
        CallBody::Stream { length: None, .. } => "transfer-encoding: chunked\r\n".into(),
        // Where content is expected its absence is said (RFC 9110 §8.6).
        CallBody::Empty if matches!(call.method, Method::Post | Method::Put | Method::Patch) => {
            "content-length: 0\r\n".into()
        }
        CallBody::Empty => String::new(),
    };
    let mut parts =
        vec![call.method.as_str(), " ", call.target, " HTTP/1.1\r\nhost: ", host, &port];
    parts.extend(["\r\nuser-agent: ", agent, "\r\n", &framing]);
    let given = |name: &str| call.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let missing = defaults.iter().filter(|(name, _)| !given(name));
    for (name, value) in call.fields.iter().chain(missing) {
        parts.extend([*name, ": ", *value, "\r\n"]);
    }
    parts.push("\r\n");
    // Of the right size from the start: growing would leave copies behind.
    let mut head = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| head.extend_from_slice(part.as_bytes()));
    Ok(head)
}

/// Nothing may be in a head that the other side could take for its end, or for framing.
fn check(call: &Call<'_>, agent: &str) -> Result<(), CallError> {
    let host_byte = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
    let plain = |value: &str| value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f));
    if call.origin.host.is_empty() || !call.origin.host.bytes().all(host_byte) {
        return Err(CallError::Unsendable("the host is not a name or address"));
    }
    if !call.target.starts_with('/') || !call.target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(CallError::Unsendable("the target is not a path"));
    }
    for (name, value) in call.fields {
        if name.is_empty() || !name.bytes().all(is_token_byte) || !plain(value) {
            return Err(CallError::Unsendable("a field has what a field can't"));
        }
        if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
            return Err(CallError::Unsendable("a field that is not the caller's"));
        }
    }
    if plain(agent) { Ok(()) } else { Err(CallError::Unsendable("the agent has no name")) }
}

impl Call<'_> {
    /// Whether it may be sent a second time (RFC 9110 §9.2.2), and can.
    pub(super) fn is_repeatable(&self) -> bool {
        let keyed = self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case("idempotency-key"));
        let idempotent = keyed || !matches!(self.method, Method::Post | Method::Patch);
        idempotent && !self.streams()
    }

    /// Whether its body can be had only once.
    pub(super) fn streams(&self) -> bool {
        matches!(self.body, CallBody::Stream { .. })
    }
}

/// Sends head and body. `false` when the answer came before the body was out.
pub fn send(
    wire: &mut Wire,
    head: &[u8],
    body: &mut CallBody<'_>,
    end: Instant,
) -> Result<bool, CallError> {
    let broken = |e| CallError::broken(e, "sending");
    match body {
        CallBody::Empty => wire.write_all(head, end).map_err(broken).map(|()| true),
        CallBody::Bytes(bytes) if bytes.len() <= PIECE => {
            // One write, one packet where it fits: the other side has it all at once.
            let mut whole = Zeroizing::new(Vec::with_capacity(head.len() + bytes.len()));
            whole.extend_from_slice(head);
            whole.extend_from_slice(bytes);
            wire.write_all(&whole, end).map_err(broken).map(|()| true)
        }
        CallBody::Bytes(bytes) => {
            wire.write_all(head, end).map_err(broken)?;
            for piece in bytes.chunks(PIECE) {
                if !wire.write_unless_heard(piece, end).map_err(broken)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        CallBody::Stream { length, source } => {
            wire.write_all(head, end).map_err(broken)?;
            stream(wire, *length, *source, end)
        }
    }
}

fn stream(
    wire: &mut Wire,
    length: Option<u64>,
    source: &mut dyn Read,
    end: Instant,
) -> Result<bool, CallError> {
    let broken = |e| CallError::broken(e, "sending");
    let mut left = length;
    let mut piece = vec![0; PIECE];
    let mut chunk = Vec::new();
    loop {
        let read = match source.read(&mut piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(CallError::Source)?,
        };
        let bytes = match &mut left {
            Some(left) => {
                *left = left.checked_sub(read as u64).ok_or_else(longer)?;
                &piece[..read]
            }
            None => {
                chunk.clear();
                match read {
                    0 => chunk.extend_from_slice(chunked::END),
                    _ => chunked::encode(&piece[..read], &mut chunk),
                }
                &chunk
            }
        };
        if read == 0 && left > Some(0) {
            return Err(CallError::Source(io::ErrorKind::UnexpectedEof.into()));
        }
        if !bytes.is_empty() && !wire.write_unless_heard(bytes, end).map_err(broken)? {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

fn longer() -> CallError {
    CallError::Source(io::Error::other("it is longer than announced"))
}
