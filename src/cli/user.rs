//! `chat-posta user list|delete`
use super::arguments::{Command, Given, JSON};
use super::{Stop, administer, say, table};
use crate::store::{DeleteError, Store, User};
use serde_json::{Value, json};

pub static LIST: Command = Command {
    name: "user list",
    about: "List who has signed up, oldest first",
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
    let (_, store) = administer(&given, Store::open_existing)?;
    let users = store.user_list().map_err(Stop::failed)?;
    if given.has("json") {
        return say(&Value::Array(users.iter().map(as_json).collect()).to_string());
    }
    let mut rows = vec![["ID", "NAME", "SERVER", "CREATED", "LAST SEEN"].map(String::from)];
    rows.extend(users.iter().map(|user| {
        [
            user.id.0.to_string(),
            table::plain(&user.name),
            table::plain(&user.server_url),
            table::time(user.created_ms),
            table::time(user.seen_ms),
        ]
    }));
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
    let (_, store) = administer(&given, Store::open_existing)?;
    let deleted = store.user_delete(given.argument());
    let user = deleted.map_err(|e| match e {
        // The servers' names come from whoever signed up.
        DeleteError::Ambiguous(_) => Stop::Failed(table::plain(&e.to_string())),
        e => Stop::failed(e),
    })?;
    if given.has("json") {
        return say(&as_json(&user).to_string());
    }
    let [name, server] = [&user.name, &user.server_url].map(|text| table::plain(text));
    say(&format!("deleted {} ({name}, {server})", user.id.0))
}
