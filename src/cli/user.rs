//! `chat-posta user list|delete`
use super::arguments::{Command, Extra, Given};
use super::{Stop, say, table};
use crate::store::{Store, User};
use serde_json::{Value, json};

const JSON: Extra = Extra { flag: "json", value: "", help: "print JSON" };

pub static LIST: Command = Command {
    name: "user list",
    about: "List who has signed up",
    argument: None,
    extras: &[JSON],
    settings: &["db"],
    defaults: &[],
    run: list,
};

pub static DELETE: Command = Command {
    name: "user delete",
    about: "Remove a user with their passkeys, and end their sessions",
    argument: Some("NAME|ID"),
    extras: &[JSON],
    settings: &["db"],
    defaults: &[],
    run: delete,
};

fn list(given: Given) -> Result<(), Stop> {
    let store = Store::open(&given.config()?.db).map_err(Stop::failed)?;
    let users = store.user_list().map_err(Stop::failed)?;
    if given.has("json") {
        return say(&Value::Array(users.iter().map(as_json).collect()).to_string());
    }
    let cells: Vec<[String; 5]> = users
        .iter()
        .map(|user| {
            [
                user.id.0.to_string(),
                table::plain(&user.name),
                table::plain(&user.server_url),
                table::time(user.created_ms),
                table::time(user.seen_ms),
            ]
        })
        .collect();
    let mut rows = vec![["ID", "NAME", "SERVER", "CREATED", "LAST SEEN"]];
    rows.extend(cells.iter().map(|[a, b, c, d, e]| [a.as_str(), b, c, d, e]));
    say(&table::aligned(&rows, ""))
}

fn as_json(user: &User) -> Value {
    json!({
        "id": user.id.0,
        "name": user.name,
        "server": user.server_url,
        "created": table::time(user.created_ms),
        "lastSeen": table::time(user.seen_ms),
    })
}

fn delete(given: Given) -> Result<(), Stop> {
    let store = Store::open(&given.config()?.db).map_err(Stop::failed)?;
    let user = store.user_delete(given.argument()).map_err(Stop::failed)?;
    if given.has("json") {
        return say(&as_json(&user).to_string());
    }
    say(&format!("deleted {} ({}, {})", user.id.0, table::plain(&user.name), user.server_url))
}
