//! Client data: the verdict of a reader that has all its members before it.
use super::attestation::{CHALLENGE, policy};
use crate::ops::encode::b64url;
use crate::passkey::client_data::{self, ClientDataError, Kind, MAX_LENGTH};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// All members in their order, the same name as often as it comes.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Reader)
    }
}

/// What §7.1 steps 5 to 11 come to for `members`.
fn due(members: &[(String, Value)], kind: &str) -> Option<ClientDataError> {
    let named = ["type", "challenge", "origin", "crossOrigin", "topOrigin"];
    let count = |name: &&str| members.iter().filter(|(n, _)| n == name).count();
    let twice = named.iter().any(|name| count(name) > 1);
    let one = |name: &str| members.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let text = |name: &str| one(name).and_then(Value::as_str);
    let (Some(typed), Some(challenge), Some(origin)) =
        (text("type"), text("challenge"), text("origin"))
    else {
        return Some(ClientDataError::NotJson);
    };
    let mistyped = one("crossOrigin").is_some_and(|value| !value.is_boolean())
        || one("topOrigin").is_some_and(|value| !value.is_string());
    if twice || mistyped {
        return Some(ClientDataError::NotJson);
    }
    if typed != kind {
        return Some(ClientDataError::Type);
    }
    if challenge != b64url(&CHALLENGE) {
        return Some(ClientDataError::Challenge);
    }
    if origin != "https://chat.example" {
        return Some(ClientDataError::Origin);
    }
    if one("crossOrigin") == Some(&Value::Bool(true)) {
        return Some(ClientDataError::CrossOrigin);
    }
    one("topOrigin").map(|_| ClientDataError::TopOrigin)
}

pub fn check(bytes: &[u8]) {
    for (kind, name) in [(Kind::Create, "webauthn.create"), (Kind::Get, "webauthn.get")] {
        let verdict = client_data::verify(bytes, kind, &CHALLENGE, &policy());
        if bytes.len() > MAX_LENGTH {
            assert_eq!(verdict, Err(ClientDataError::TooLong));
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            assert_eq!(verdict, Err(ClientDataError::NotUtf8));
            continue;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match serde_json::from_str::<Members>(text) {
            Ok(Members(members)) => assert_eq!(verdict.err(), due(&members, name), "{text:?}"),
            // Members we do not know are passed over without reading what they say: numbers may be
            // out of range there, escapes halves of a character, and nesting deep.
            Err(_) if text.contains('\\') || text.contains(['e', 'E', '[', '{']) => {}
            Err(_) => assert_eq!(verdict, Err(ClientDataError::NotJson), "{text:?}"),
        }
    }
}
