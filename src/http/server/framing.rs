//! How long a request's body is (RFC 9112 §6.3), and whether its connection persists (§9.3).
use super::head_error::HeadError;
use crate::http::Fields;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body; also `Content-Length: 0`.
    None,
    Length(u64),
    Chunked,
}

/// Both lengths and codings, two of either, and anything but `chunked` are refused: each has been
/// used to smuggle a request past a proxy that guessed otherwise.
pub fn of_request(fields: &Fields, http11: bool) -> Result<Framing, HeadError> {
    let mut codings = fields.all("transfer-encoding");
    let mut lengths = fields.all("content-length");
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(Framing::None),
        (Some(_), Some(_)) => Err(HeadError::LengthAndCoding),
        (Some(_), None) if !http11 => Err(HeadError::CodingInHttp10),
        (Some(coding), None) => {
            if codings.next().is_some() || !coding.eq_ignore_ascii_case("chunked") {
                return Err(HeadError::UnknownCoding);
            }
            Ok(Framing::Chunked)
        }
        (None, Some(length)) => {
            if lengths.next().is_some() {
                return Err(HeadError::LengthTwice);
            }
            if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                return Err(HeadError::Length);
            }
            match length.parse() {
                Ok(0) => Ok(Framing::None),
                Ok(length) => Ok(Framing::Length(length)),
                Err(_) => Err(HeadError::Length),
            }
        }
    }
}

/// Whether a list field such as `Connection` names `token`.
pub fn names_token(fields: &Fields, field: &str, token: &str) -> bool {
    fields.all(field).flat_map(|v| v.split(',')).any(|t| t.trim().eq_ignore_ascii_case(token))
}
