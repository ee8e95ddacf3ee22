//! `chat-posta backup FILE`
use super::arguments::{Command, Given, JSON};
use super::{Stop, say};
use crate::store;
use serde_json::json;
use std::path::Path;

pub static COMMAND: Command = Command {
    name: "backup",
    about: "Copy the database into a new file, also while the service runs",
    argument: Some("FILE"),
    extras: &[JSON],
    settings: &["db"],
    defaults: &[],
    run: |given: Given| {
        let config = given.config()?;
        let to = given.argument();
        let bytes = store::backup(&config.db, Path::new(to)).map_err(Stop::failed)?;
        if given.has("json") {
            return say(&json!({ "file": to, "bytes": bytes }).to_string());
        }
        say(&format!("{to}: {bytes} bytes"))
    },
};
