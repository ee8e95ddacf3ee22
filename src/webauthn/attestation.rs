//! The attestation object (§6.5.4): authenticator data and a statement about its maker.
use super::cbor::{self, Malformed};
use minicbor::Decoder;

/// A statement with a certificate chain is a few kilobytes.
pub const MAX_LENGTH: usize = 48 * 1024;

/// §8.1: identifiers are at most this many printable ASCII characters.
const MAX_FORMAT: usize = 32;

#[derive(Debug)]
pub struct AttestationObject<'a> {
    pub format: &'a str,
    /// The statement, as its CBOR.
    statement: &'a [u8],
    pub authenticator_data: &'a [u8],
}

/// Reads the object (§7.1 step 13). Of its three members each must be there once; others are
/// passed over, bytes behind the object are refused.
pub fn parse(bytes: &[u8]) -> Result<AttestationObject<'_>, Malformed> {
    if bytes.len() > MAX_LENGTH {
        return Err(Malformed);
    }
    let mut cbor = Decoder::new(bytes);
    let (mut format, mut statement, mut authenticator_data) = (None, None, None);
    for _ in 0..cbor::map(&mut cbor)? {
        let fresh = match cbor.str()? {
            "fmt" => format.replace(cbor.str()?).is_none(),
            "attStmt" => statement.replace(cbor::item(&mut cbor)?).is_none(),
            "authData" => authenticator_data.replace(cbor.bytes()?).is_none(),
            _ => cbor::item(&mut cbor).map(|_| true)?,
        };
        if !fresh {
            return Err(Malformed);
        }
    }
    match (format, statement, authenticator_data) {
        (Some(format), Some(statement), Some(authenticator_data))
            if cbor.position() == bytes.len() =>
        {
            Ok(AttestationObject { format, statement, authenticator_data })
        }
        _ => Err(Malformed),
    }
}

impl AttestationObject<'_> {
    /// §7.1 step 21, with §8.1. Any identifier will do, since none is trusted.
    pub fn has_format(&self) -> bool {
        let printable = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        (1..=MAX_FORMAT).contains(&self.format.len()) && self.format.bytes().all(printable)
    }

    /// What of §7.1 step 22 we do: `none` comes with an empty map (§8.7), and others, which are
    /// well-formed by now, with whatever they like.
    pub fn has_statement(&self) -> bool {
        self.format != "none" || self.statement == [0xa0]
    }
}
