//! COSE keys (RFC 9052 §7, RFC 9053 §7.1; WebAuthn §5.8.5, §6.5.1): ES256 on P-256 in, SEC1 out.
use super::cbor::{self, Malformed};
use minicbor::Decoder;
use p256::ecdsa::VerifyingKey;
use std::fmt;

const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;

const EC2: i64 = 2;
pub const ES256: i64 = -7;
const P256: i64 = 1;

/// A key of ours has exactly these five; one of another algorithm is refused before they count.
const MEMBERS: [i64; 5] = [KTY, ALG, CRV, X, Y];
const COORDINATE: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not a map of integer labels, or one of them twice.
    Malformed,
    /// §7.1 step 20: not an algorithm we offered; holds the COSE number of the one it is.
    Algorithm(i64),
    /// ES256, but not a P-256 key with both coordinates and nothing else (§5.8.5, §6.5.1).
    NotP256,
    /// The coordinates are not a point of the curve.
    NotOnCurve,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Malformed => f.write_str("the public key is not a COSE key"),
            KeyError::Algorithm(alg) => {
                write!(f, "the key's algorithm is {alg}; only ES256 ({ES256}) was offered")
            }
            KeyError::NotP256 => f.write_str("the key is not an uncompressed P-256 key"),
            KeyError::NotOnCurve => f.write_str("the key is not a point of P-256"),
        }
    }
}

/// A key's members as CBOR.
#[derive(Default)]
struct Members<'a> {
    /// In the order of [`MEMBERS`].
    known: [Option<&'a [u8]>; 5],
    /// Whether there are members besides.
    others: bool,
}

/// Reads a key; gives it as an uncompressed SEC1 point.
pub fn es256_key(bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
    let Members { known: [kty, alg, crv, x, y], others } =
        Members::read(bytes).map_err(|Malformed| KeyError::Malformed)?;
    // The algorithm first: it says what the other members mean.
    match alg.and_then(integer).ok_or(KeyError::Malformed)? {
        ES256 => {}
        other => return Err(KeyError::Algorithm(other)),
    }
    let p256 = kty.and_then(integer) == Some(EC2) && crv.and_then(integer) == Some(P256);
    let (Some(x), Some(y)) = (x.and_then(coordinate), y.and_then(coordinate)) else {
        return Err(KeyError::NotP256);
    };
    // "MUST NOT contain any other OPTIONAL parameters" (§6.5.1).
    if !p256 || others {
        return Err(KeyError::NotP256);
    }
    let point = [&[0x04], x, y].concat();
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| KeyError::NotOnCurve)?;
    Ok(point)
}

impl<'a> Members<'a> {
    fn read(bytes: &'a [u8]) -> Result<Members<'a>, Malformed> {
        let mut cbor = Decoder::new(bytes);
        let mut members = Members::default();
        for _ in 0..cbor::map(&mut cbor)? {
            let label = cbor.i64()?;
            let value = cbor::item(&mut cbor)?;
            match MEMBERS.iter().position(|known| *known == label) {
                Some(at) if members.known[at].is_none() => members.known[at] = Some(value),
                Some(_) => return Err(Malformed),
                None => members.others = true,
            }
        }
        Ok(members)
    }
}

fn integer(value: &[u8]) -> Option<i64> {
    Decoder::new(value).i64().ok()
}

/// A coordinate has the curve's length, leading zeros included (RFC 9053 §7.1.1).
fn coordinate(value: &[u8]) -> Option<&[u8]> {
    Decoder::new(value).bytes().ok().filter(|bytes| bytes.len() == COORDINATE)
}
