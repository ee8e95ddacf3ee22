//! `chat-posta doctor`: looks at everything the service leans on and says what to do.
//!
//! In scope: the order of the checks and how they are told. Out of scope: the checks of this host
//! (`host`), of the service that runs on it (`service`) and of what lies beyond it (`network`).
mod host;
mod network;
mod service;

use super::arguments::{ALL, Command, Extra, Given, JSON};
use super::{Stop, say, table};
use crate::config::Config;
use crate::ops;
use crate::store;
use log::LevelFilter;
use serde_json::json;
use std::fmt::Display;

pub static COMMAND: Command = Command {
    name: "doctor",
    about: "Check configuration, database, host and network; say what to do",
    argument: None,
    extras: &[
        Extra { flag: "user", value: "NAME|ID", help: "ask this user's posta-server too" },
        Extra { flag: "server", value: "URL", help: "ask this posta-server too" },
        JSON,
    ],
    settings: ALL,
    defaults: &[],
    run,
};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// One line of what `doctor` says.
#[derive(Debug)]
pub struct Finding {
    verdict: Verdict,
    what: &'static str,
    /// What was seen, and what to do about it unless it is well.
    said: String,
}

pub fn ok(what: &'static str, said: impl Display) -> Finding {
    Finding { verdict: Verdict::Ok, what, said: said.to_string() }
}

pub fn warn(what: &'static str, said: impl Display) -> Finding {
    Finding { verdict: Verdict::Warn, what, said: said.to_string() }
}

pub fn fail(what: &'static str, said: impl Display) -> Finding {
    Finding { verdict: Verdict::Fail, what, said: said.to_string() }
}

fn run(given: Given) -> Result<(), Stop> {
    let config = match given.config() {
        Ok(config) => config,
        // The first thing to be wrong; without it nothing else can be looked at.
        Err(Stop::Usage(why)) => {
            tell(&[fail("configuration", why)], given.has("json"))?;
            return Err(Stop::Failed("1 check failed".into()));
        }
        Err(other) => return Err(other),
    };
    ops::log::init(config.log.min(LevelFilter::Error), config.log_format);
    let findings = look(&config, &given)?;
    tell(&findings, given.has("json"))?;
    match findings.iter().filter(|f| f.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        1 => Err(Stop::Failed("1 check failed".into())),
        failed => Err(Stop::Failed(format!("{failed} checks failed"))),
    }
}

fn look(config: &Config, given: &Given) -> Result<Vec<Finding>, Stop> {
    let mut findings = vec![ok("version", env!("CHAT_POSTA_VERSION"))];
    findings.extend(configuration(config));
    findings.extend(host::database(&config.db));
    findings.push(host::disk(&config.db));
    findings.push(host::files());
    findings.push(host::maps());
    findings.extend(host::listening(config.listen));
    if let Some(address) = config.ops_listen {
        findings.push(network::operator(address));
    }
    findings.extend(network::base_url(config));
    if let Some(url) = given.extra("server") {
        findings.extend(network::posta_server(config, url));
    }
    if let Some(user) = given.extra("user") {
        findings.extend(network::posta_server(config, &server_of(config, user)?));
    }
    Ok(findings)
}

/// The posta-server of the user with this id, or else the only one with this name.
fn server_of(config: &Config, wanted: &str) -> Result<String, Stop> {
    let store = store::Store::open_existing(&config.db).map_err(Stop::failed)?;
    let users = store.user_list().map_err(Stop::failed)?;
    let by_id = users.iter().find(|user| wanted.parse() == Ok(user.id.0));
    let mut named = users.iter().filter(|user| user.name == wanted);
    let user = match (by_id, named.next(), named.next()) {
        (Some(user), ..) | (None, Some(user), None) => user,
        (None, None, _) => return Err(Stop::Failed("there is no such user".into())),
        _ => return Err(Stop::Failed("several users have this name, give one's id".into())),
    };
    Ok(user.server_url.clone())
}

fn configuration(config: &Config) -> Vec<Finding> {
    let warnings = config.warnings();
    if warnings.is_empty() {
        let said = format!("{} on {}", config.base_url.origin(), config.listen);
        return vec![ok("configuration", said)];
    }
    warnings.into_iter().map(|warning| warn("configuration", warning)).collect()
}

fn tell(findings: &[Finding], as_json: bool) -> Result<(), Stop> {
    if as_json {
        let findings = findings
            .iter()
            .map(|f| json!({ "verdict": f.verdict.word(), "check": f.what, "said": f.said }));
        return say(&serde_json::Value::Array(findings.collect()).to_string());
    }
    // Answers of servers are part of it.
    let rows: Vec<[String; 3]> = findings
        .iter()
        .map(|f| [f.verdict.word().into(), f.what.into(), table::plain(&f.said)])
        .collect();
    say(&table::aligned(&rows, ""))
}
