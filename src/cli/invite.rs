//! `chat-posta invite create|list|revoke`
use super::arguments::{Command, Extra, Given, JSON};
use super::{Stop, administer, say, table};
use crate::config::parse_duration;
use crate::ops::clock::{Clock, millis};
use crate::store::{Invite, Store};
use serde_json::{Value, json};

/// How long an invite is good unless `--ttl` says otherwise.
const TTL: &str = "24h";
/// Longer names are a mistake, and would break the list's lines. In characters.
const MAX_NAME: usize = 100;

pub static CREATE: Command = Command {
    name: "invite create",
    about: "Make an invite and print its registration link, good for one sign-up",
    argument: None,
    extras: &[
        Extra { flag: "name", value: "NAME", help: "whom it is for (required)" },
        Extra { flag: "ttl", value: "TIME", help: "how long it is good [default: 24h]" },
        JSON,
    ],
    settings: &["db", "base_url", "listen"],
    defaults: &[],
    run: create,
};

pub static LIST: Command = Command {
    name: "invite list",
    about: "List unused invites, newest first",
    argument: None,
    extras: &[Extra { flag: "consumed", value: "", help: "list the used ones instead" }, JSON],
    settings: &["db"],
    defaults: &[],
    run: list,
};

pub static REVOKE: Command = Command {
    name: "invite revoke",
    about: "Take an unused invite back, by its code or the beginning of it",
    argument: Some("CODE"),
    extras: &[JSON],
    settings: &["db"],
    defaults: &[],
    run: revoke,
};

fn create(given: Given) -> Result<(), Stop> {
    let name = checked_name(given.extra("name"))?;
    let ttl = given.extra("ttl").unwrap_or(TTL);
    let ttl =
        parse_duration(ttl).map_err(|e| Stop::Usage(format!("--ttl: {ttl:?} won't do: {e}")))?;
    let (config, store) = administer(&given, Store::open)?;
    let now = Clock::system().now_ms();
    let code = store.invite_create(name, ttl, now).map_err(Stop::failed)?;
    let url = format!("{}/register?code={code}", config.base_url.origin());
    let said = if given.has("json") {
        let expires = table::time(now.saturating_add(millis(ttl)));
        say(&json!({ "url": url, "name": name, "expires": expires }).to_string())
    } else {
        say(&url)
    };
    if said.is_err() {
        // A link that nobody has seen shall not be good for anything.
        store.invite_revoke(&code).map_err(Stop::failed)?;
    }
    said
}

fn checked_name(name: Option<&str>) -> Result<&str, Stop> {
    let name = name.map(str::trim).unwrap_or_default();
    let wrong = |why: &str| Err(Stop::Usage(format!("--name {why}")));
    match name {
        "" => wrong("is missing: whom is the invite for?"),
        name if name.chars().count() > MAX_NAME => wrong("may have 100 characters at most"),
        name if name.chars().any(char::is_control) => wrong("may not hold control characters"),
        name => Ok(name),
    }
}

fn list(given: Given) -> Result<(), Stop> {
    let (_, store) = administer(&given, Store::open_existing)?;
    let invites = store.invite_list(given.has("consumed")).map_err(Stop::failed)?;
    let now = Clock::system().now_ms();
    if given.has("json") {
        let invites = invites.iter().map(|invite| as_json(invite, now)).collect();
        return say(&Value::Array(invites).to_string());
    }
    let consumed = if given.has("consumed") { "USED" } else { "" };
    let mut rows = vec![["CODE", "NAME", "CREATED", "EXPIRES", consumed].map(String::from)];
    rows.extend(invites.iter().map(|invite| {
        let end = match invite.consumed_ms {
            Some(used) => table::time(used),
            None if invite.expires_ms <= now => "expired".into(),
            None => String::new(),
        };
        [
            invite.short_code.clone(),
            table::plain(&invite.name),
            table::time(invite.created_ms),
            table::time(invite.expires_ms),
            end,
        ]
    }));
    say(&table::aligned(&rows, ""))
}

fn as_json(invite: &Invite, now_ms: u64) -> Value {
    json!({
        "code": invite.short_code,
        "name": invite.name,
        "created": table::time(invite.created_ms),
        "expires": table::time(invite.expires_ms),
        "expired": invite.expires_ms <= now_ms,
        "consumed": invite.consumed_ms.map(table::time),
    })
}

fn revoke(given: Given) -> Result<(), Stop> {
    let (_, store) = administer(&given, Store::open_existing)?;
    let invite = store.invite_revoke(given.argument()).map_err(Stop::failed)?;
    if given.has("json") {
        return say(&as_json(&invite, Clock::system().now_ms()).to_string());
    }
    say(&format!("revoked {} ({})", invite.short_code, table::plain(&invite.name)))
}
