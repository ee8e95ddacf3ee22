//! COSE keys (RFC 9052 §7, RFC 9053 §7.1): ES256 on P-256 in, SEC1 out.
use minicbor::Decoder;
use minicbor::data::Type;
use p256::ecdsa::VerifyingKey;
use std::fmt;

const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;

const EC2: i64 = 2;
const ES256: i64 = -7;
const P256: i64 = 1;

/// A key of ours has five members; an RSA key, which is refused by its algorithm, has four.
const MAX_MEMBERS: u64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoseError {
    Malformed,
    /// §7.1 step 20: not an algorithm we offered; holds the COSE number of the one it is.
    Algorithm(i64),
    /// The coordinates are not a point of the curve.
    Point,
}

impl fmt::Display for CoseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoseError::Malformed => f.write_str("the public key is malformed"),
            CoseError::Algorithm(alg) => write!(f, "algorithm {alg} was not offered, only ES256"),
            CoseError::Point => f.write_str("the public key is not a point of P-256"),
        }
    }
}

/// Reads the key at the beginning of `bytes`; gives it as an uncompressed SEC1 point, and how many
/// bytes it took. Keys must be definite maps with integer labels, each at most once (CTAP2's
/// canonical CBOR).
pub fn es256_key(bytes: &[u8]) -> Result<(Vec<u8>, usize), CoseError> {
    let mut cbor = Decoder::new(bytes);
    let members = cbor.map().ok().flatten().filter(|n| *n <= MAX_MEMBERS);
    let members = members.ok_or(CoseError::Malformed)?;
    let (mut kty, mut alg, mut crv) = (None, None, None);
    let (mut x, mut y) = (None, None);
    let malformed = |_| CoseError::Malformed;
    let mut labels = Vec::new();
    for _ in 0..members {
        let label = cbor.i64().map_err(malformed)?;
        if labels.contains(&label) {
            return Err(CoseError::Malformed);
        }
        labels.push(label);
        match label {
            KTY => kty = Some(cbor.i64().map_err(malformed)?),
            ALG => alg = Some(cbor.i64().map_err(malformed)?),
            // In an RSA key this label is the modulus; the algorithm has the word then.
            CRV if !matches!(cbor.datatype(), Ok(Type::Bytes)) => {
                crv = Some(cbor.i64().map_err(malformed)?);
            }
            X if matches!(cbor.datatype(), Ok(Type::Bytes)) => {
                x = Some(cbor.bytes().map_err(malformed)?);
            }
            Y if matches!(cbor.datatype(), Ok(Type::Bytes)) => {
                y = Some(cbor.bytes().map_err(malformed)?);
            }
            _ => cbor.skip().map_err(malformed)?,
        }
    }
    match alg.ok_or(CoseError::Malformed)? {
        ES256 => {}
        other => return Err(CoseError::Algorithm(other)),
    }
    let (Some(x), Some(y)) = (x, y) else { return Err(CoseError::Malformed) };
    if kty != Some(EC2) || crv != Some(P256) || x.len() != 32 || y.len() != 32 {
        return Err(CoseError::Malformed);
    }
    let point = [&[4], x, y].concat();
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| CoseError::Point)?;
    Ok((point, cbor.position()))
}
