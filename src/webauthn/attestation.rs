//! The attestation object (§6.5.4): authenticator data and a statement about its maker.
use minicbor::Decoder;
use minicbor::data::Type;

/// A statement with a certificate chain is a few kilobytes.
const MAX_LENGTH: usize = 48 * 1024;

#[derive(Debug)]
pub struct AttestationObject<'a> {
    pub format: &'a str,
    pub authenticator_data: &'a [u8],
}

/// Reads the object; the statement must be a well-formed map and, with format `none`, an empty one
/// (§8.7). `None` for anything else, duplicates and left-over bytes included.
pub fn parse(bytes: &[u8]) -> Option<AttestationObject<'_>> {
    if bytes.len() > MAX_LENGTH {
        return None;
    }
    let mut cbor = Decoder::new(bytes);
    let members = cbor.map().ok()??;
    let (mut format, mut authenticator_data, mut statement) = (None, None, None);
    for _ in 0..members {
        let fresh = match cbor.str().ok()? {
            "fmt" => format.replace(cbor.str().ok()?).is_none(),
            "authData" => authenticator_data.replace(cbor.bytes().ok()?).is_none(),
            "attStmt" => {
                if cbor.datatype().ok()? != Type::Map {
                    return None;
                }
                let members = cbor.probe().map().ok()?;
                cbor.skip().ok()?;
                statement.replace(members).is_none()
            }
            _ => cbor.skip().is_ok(),
        };
        if !fresh {
            return None;
        }
    }
    let (format, statement) = (format?, statement?);
    if cbor.position() != bytes.len() || (format == "none" && statement != Some(0)) {
        return None;
    }
    Some(AttestationObject { format, authenticator_data: authenticator_data? })
}
