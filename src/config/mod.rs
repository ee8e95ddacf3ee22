//! How the service is set up: flag > environment > TOML file > default.
//!
//! In scope: one table of settings, from which flags, environment names, TOML keys, help and the
//! table in README come, and the checked values. Out of scope: what the values are used for.
mod base_url;
mod duration;
mod file;
mod nearest;
mod network;
mod table;

pub use base_url::BaseUrl;
pub use duration::{format_duration, parse_duration};
pub use nearest::nearest;
pub use network::Network;
pub use table::{CONFIG_HELP, SETTINGS, Setting, Shape, setting};

use log::LevelFilter;
use rustls::pki_types::CertificateDer;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const DEFAULT_FILE: &str = "/etc/chat-posta/config.toml";

#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub db: PathBuf,
    pub base_url: BaseUrl,
    pub ops_listen: Option<SocketAddr>,
    pub trusted_proxies: Vec<Network>,
    pub allow_private_upstreams: bool,
    /// Authorities beside the web's own.
    pub upstream_ca: Vec<CertificateDer<'static>>,
    pub log: LevelFilter,
    pub log_format: LogFormat,
    pub session_idle: Duration,
    pub session_max: Duration,
    /// Each setting's key and text, and where that came from.
    pub said: Vec<(&'static str, String, String)>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Logfmt,
    Json,
}

/// What is wrong, where, and what was expected: fit for the operator.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A variable's value, by name.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Where settings come from, strongest first.
#[derive(Default)]
pub struct Sources<'a> {
    /// Settings that the command line gave, by key.
    pub flags: &'a [(&'static Setting, String)],
    /// The environment, by name.
    pub env: Option<&'a Environment<'a>>,
    /// The file that was named; `None` is [`DEFAULT_FILE`], which may be absent.
    pub file: Option<&'a Path>,
    /// A command's own defaults, by key, before those of the table.
    pub defaults: &'a [(&'static str, &'a str)],
}

/// The text of a setting and where it was found.
type Found = HashMap<&'static str, (String, String)>;

impl Config {
    pub fn load(sources: &Sources<'_>) -> Result<Config, ConfigError> {
        let mut found = Found::new();
        let mut add = |setting: &'static Setting, text: String, place: String| {
            // Checked even where something stronger is said: a mistake is a mistake.
            check(&mut blank(), setting, &text, &place)?;
            found.insert(setting.key, (text, place));
            Ok::<(), ConfigError>(())
        };
        for said in read_file(sources.file)? {
            add(said.setting, said.text, said.place)?;
        }
        for setting in SETTINGS {
            let name = setting.env();
            let Some(text) = sources.env.and_then(|env| env(&name)) else { continue };
            let not_utf8 = |_| ConfigError(format!("{name}: expected UTF-8"));
            add(setting, text.into_string().map_err(not_utf8)?, name)?;
        }
        for (setting, text) in sources.flags {
            add(setting, text.clone(), format!("--{}", setting.flag()))?;
        }
        Config::put_together(&found, sources.defaults)
    }

    fn put_together(found: &Found, defaults: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut config = blank();
        for setting in SETTINGS {
            let own = defaults.iter().find(|(key, _)| *key == setting.key);
            let default = own.map_or(setting.default, |(_, text)| text);
            let (text, from) = match found.get(setting.key) {
                Some((text, place)) => {
                    check(&mut config, setting, text, place)?;
                    (text.as_str(), place.as_str())
                }
                None => {
                    check(&mut config, setting, default, setting.key)?;
                    (default, "default")
                }
            };
            config.said.push((setting.key, text.to_owned(), from.to_owned()));
        }
        if config.session_idle > config.session_max {
            let place = |key: &'static str| found.get(key).map_or(key, |(_, place)| place);
            return Err(ConfigError(format!(
                "{}: {} is longer than a session may last ({}, from {})",
                place("session_idle"),
                format_duration(config.session_idle),
                format_duration(config.session_max),
                place("session_max"),
            )));
        }
        Ok(config)
    }

    /// What is allowed and yet will not do what was probably meant.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.base_url.is_secure_context() {
            warnings.push(format!(
                "base_url {} is not https: browsers offer passkeys over http on localhost only, \
                 so nobody can sign in there",
                self.base_url.origin()
            ));
        }
        if self.ops_listen.is_some_and(|address| !address.ip().is_loopback()) {
            warnings.push(
                "ops_listen is not on loopback: it has no timeouts, keep it from the public".into(),
            );
        }
        warnings
    }
}

fn check(
    config: &mut Config,
    setting: &Setting,
    text: &str,
    place: &str,
) -> Result<(), ConfigError> {
    (setting.set)(config, text).map_err(|e| ConfigError(format!("{place}: {text:?} won't do: {e}")))
}

#[expect(clippy::disallowed_methods, reason = "read while starting up")]
fn read_file(named: Option<&Path>) -> Result<Vec<file::Said>, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    match fs::read_to_string(path) {
        Ok(text) => file::read(path, &text),
        Err(e) if named.is_none() && e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(ConfigError(format!("the configuration file {}: {e}", path.display()))),
    }
}

/// Every field is written over from the table.
fn blank() -> Config {
    Config {
        listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
        db: PathBuf::new(),
        base_url: BaseUrl::localhost(0),
        ops_listen: None,
        trusted_proxies: Vec::new(),
        allow_private_upstreams: false,
        upstream_ca: Vec::new(),
        log: LevelFilter::Off,
        log_format: LogFormat::Logfmt,
        session_idle: Duration::ZERO,
        session_max: Duration::ZERO,
        said: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
