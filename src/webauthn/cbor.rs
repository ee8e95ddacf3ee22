//! The little of CBOR that we read (RFC 8949), on top of minicbor: definite lengths only, no tags,
//! bounded nesting, as CTAP2's canonical form has it (CTAP 2.1 §8).
use minicbor::Decoder;
use minicbor::data::Type;

/// CTAP2 allows four levels; an attestation object with a compound statement has five.
const MAX_DEPTH: u32 = 8;

/// It is not CBOR, or not of the kind that authenticators may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Malformed
    }
}

/// Enters a map; gives the number of its pairs, which may be any number the input dares to claim.
pub fn map(cbor: &mut Decoder<'_>) -> Result<u64, Malformed> {
    cbor.map()?.ok_or(Malformed)
}

/// Passes one whole item and gives its bytes.
pub fn item<'a>(cbor: &mut Decoder<'a>) -> Result<&'a [u8], Malformed> {
    let start = cbor.position();
    skip(cbor, MAX_DEPTH)?;
    cbor.input().get(start..cbor.position()).ok_or(Malformed)
}

/// Each turn of its loops takes a byte of the input or fails: claimed lengths cost nothing.
fn skip(cbor: &mut Decoder<'_>, depth: u32) -> Result<(), Malformed> {
    let inside = |depth: u32| depth.checked_sub(1).ok_or(Malformed);
    match cbor.datatype()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => drop(cbor.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => drop(cbor.int()?),
        Type::Bytes => drop(cbor.bytes()?),
        Type::String => drop(cbor.str()?),
        Type::Array => {
            let items = cbor.array()?.ok_or(Malformed)?;
            let depth = inside(depth)?;
            for _ in 0..items {
                skip(cbor, depth)?;
            }
        }
        Type::Map => {
            let pairs = map(cbor)?;
            let depth = inside(depth)?;
            for _ in 0..pairs {
                skip(cbor, depth)?;
                skip(cbor, depth)?;
            }
        }
        Type::Bool | Type::Null | Type::Undefined => cbor.skip()?,
        Type::F16 | Type::F32 | Type::F64 => cbor.skip()?,
        Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
            return Err(Malformed);
        }
        Type::Simple | Type::Tag | Type::Break | Type::Unknown(_) => return Err(Malformed),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_passed_whole() {
        let items: &[&[u8]] = &[
            b"\x00",
            b"\x18\x18",
            b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x42ab",
            b"\x62\xc3\xa6",
            b"\x80",
            b"\x82\x01\x82\x02\x03",
            b"\xa2\x61a\x01\x61b\xa0",
            b"\xf4",
            b"\xf6",
            b"\xf9\x3c\x00",
            b"\xfb\x40\x09\x21\xfb\x54\x44\x2d\x18",
        ];
        for bytes in items {
            let followed = [bytes, &[0xff][..]].concat();
            assert_eq!(item(&mut Decoder::new(&followed)), Ok(*bytes));
            for length in 0..bytes.len() {
                let cut = item(&mut Decoder::new(&bytes[..length]));
                assert_eq!(cut, Err(Malformed), "{bytes:02x?} cut to {length}");
            }
        }
    }

    #[test]
    fn what_authenticators_may_not_send_is_refused() {
        let items: &[&[u8]] = &[
            b"\x5f\x41a\xff",
            b"\x7f\x61a\xff",
            b"\x9f\xff",
            b"\xbf\xff",
            b"\xc0\x60",
            b"\xff",
            b"\x1c",
            b"\x62\xff\xfe",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x00",
            b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for bytes in items {
            assert_eq!(item(&mut Decoder::new(bytes)), Err(Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn nesting_is_bounded_before_the_stack_is() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x01]].concat();
        let depth = MAX_DEPTH as usize;
        assert!(item(&mut Decoder::new(&nested(depth))).is_ok());
        assert!(item(&mut Decoder::new(&nested(depth + 1))).is_err());
        assert!(item(&mut Decoder::new(&nested(100_000))).is_err());
    }
}
