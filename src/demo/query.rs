//! A request's query string as names and values.

/// The first value of `name`, decoded. `+` stands for itself: clients encode spaces as `%20`, and
/// addresses may hold a plus.
pub fn get(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value))?
    })
}

/// `None` for a broken escape or bytes that are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || (bytes.next()? as char).to_digit(16);
            out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = Some("peer=localhost%3A9101&q=caf%C3%A9%20au%20lait+&empty=&bad=%2&n");
        assert_eq!(get(query, "peer").as_deref(), Some("localhost:9101"));
        assert_eq!(get(query, "q").as_deref(), Some("café au lait+"));
        assert_eq!(get(query, "empty").as_deref(), Some(""));
        assert_eq!(get(query, "n").as_deref(), Some(""));
        assert_eq!(get(query, "bad"), None);
        assert_eq!(get(query, "missing"), None);
        assert_eq!(get(None, "peer"), None);
    }
}
