//! Actor docs of strangers: whatever they say, what is kept of it is small and harmless.
use super::messages::is_web_url;
use crate::posta::actor::Actor;
use crate::posta::json;

pub fn check(bytes: &[u8]) {
    let Some(doc) = json::parse_nested(bytes) else { return };
    let Some(actor) = Actor::read(&doc) else {
        assert!(["url", "name", "kind", "keys", "publicKeys"].iter().all(|m| doc.get(m).is_none()));
        return;
    };
    let Actor { name, avatar, kind } = &actor;
    assert!(name.chars().count() <= 200 && !name.contains(char::is_control));
    assert!(kind.chars().count() <= 64 && !kind.contains(char::is_control));
    assert!(avatar.as_deref().is_none_or(is_web_url));
    // What was understood, written down, is understood alike.
    let mut printed = serde_json::json!({ "name": name, "kind": kind, "url": "x" });
    if let Some(avatar) = avatar {
        printed["avatar"] = avatar.as_str().into();
    }
    assert_eq!(Actor::read(&printed), Some(actor));
}
