//! `chat-posta invite create|list|revoke`
use super::arguments::{Command, Extra, Given};
use super::{Stop, say, table};
use crate::config::parse_duration;
use crate::ops::clock::Clock;
use crate::store::{Invite, Store};
use serde_json::{Value, json};
use std::time::Duration;

const JSON: Extra = Extra { flag: "json", value: "", help: "print JSON" };
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer names are a mistake, and would break the list's lines.
const MAX_NAME: usize = 200;

pub static CREATE: Command = Command {
    name: "invite create",
    about: "Make an invite and print its registration link, good for one sign-up",
    argument: None,
    extras: &[
        Extra { flag: "name", value: "NAME", help: "whom it is for (needed)" },
        Extra { flag: "ttl", value: "TIME", help: "how long it can be used [24h]" },
        JSON,
    ],
    settings: &["db", "base_url", "listen"],
    defaults: &[],
    run: create,
};

pub static LIST: Command = Command {
    name: "invite list",
    about: "List invites that have not been used, newest first",
    argument: None,
    extras: &[Extra { flag: "consumed", value: "", help: "list the used ones instead" }, JSON],
    settings: &["db"],
    defaults: &[],
    run: list,
};

pub static REVOKE: Command = Command {
    name: "invite revoke",
    about: "Take an unused invite back",
    argument: Some("CODE"),
    extras: &[JSON],
    settings: &["db"],
    defaults: &[],
    run: revoke,
};

fn create(given: Given) -> Result<(), Stop> {
    let name = given.extra("name").map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Stop::Usage("--name is missing: whom is it for?".into()))?;
    if name.len() > MAX_NAME {
        return Err(Stop::Usage(format!("--name: at most {MAX_NAME} bytes")));
    }
    let ttl = match given.extra("ttl") {
        None => DAY,
        Some(text) => parse_duration(text)
            .map_err(|e| Stop::Usage(format!("--ttl: {text:?} won't do: {e}")))?,
    };
    let config = given.config()?;
    let store = Store::open(&config.db).map_err(Stop::failed)?;
    let now = Clock::system().now_ms();
    let code = store.invite_create(name, ttl, now).map_err(Stop::failed)?;
    let url = format!("{}/register?code={code}", config.base_url.origin());
    if given.has("json") {
        let expires = table::time(now + ttl.as_millis() as u64);
        return say(&json!({ "url": url, "name": name, "expires": expires }).to_string());
    }
    say(&url)
}

fn list(given: Given) -> Result<(), Stop> {
    let store = Store::open(&given.config()?.db).map_err(Stop::failed)?;
    let invites = store.invite_list(given.has("consumed")).map_err(Stop::failed)?;
    if given.has("json") {
        return say(&Value::Array(invites.iter().map(as_json).collect()).to_string());
    }
    let cells: Vec<[String; 4]> = invites
        .iter()
        .map(|invite| {
            [
                invite.short_code.clone(),
                table::plain(&invite.name),
                table::time(invite.created_ms),
                table::time(invite.consumed_ms.unwrap_or(invite.expires_ms)),
            ]
        })
        .collect();
    let last = if given.has("consumed") { "USED" } else { "EXPIRES" };
    let mut rows = vec![["CODE", "NAME", "CREATED", last]];
    rows.extend(cells.iter().map(|[a, b, c, d]| [a.as_str(), b, c, d]));
    say(&table::aligned(&rows, ""))
}

fn as_json(invite: &Invite) -> Value {
    json!({
        "code": invite.short_code,
        "name": invite.name,
        "created": table::time(invite.created_ms),
        "expires": table::time(invite.expires_ms),
        "consumed": invite.consumed_ms.map(table::time),
    })
}

fn revoke(given: Given) -> Result<(), Stop> {
    let store = Store::open(&given.config()?.db).map_err(Stop::failed)?;
    let invite = store.invite_revoke(given.argument()).map_err(Stop::failed)?;
    if given.has("json") {
        return say(&as_json(&invite).to_string());
    }
    say(&format!("revoked {} ({})", invite.short_code, table::plain(&invite.name)))
}
