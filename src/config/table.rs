//! THE table of settings: flags, environment names, TOML keys, help and README come from it.
use super::{BaseUrl, Config, LogFormat, Network, parse_duration};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// One setting. Its key gives the flag (`--base-url`) and the environment name
/// (`CHAT_POSTA_BASE_URL`).
pub struct Setting {
    /// The TOML key.
    pub key: &'static str,
    pub shape: Shape,
    /// What stands for the value in help.
    pub value: &'static str,
    /// As it would be written.
    pub default: &'static str,
    /// What help says instead of an empty default.
    pub without: &'static str,
    pub help: &'static str,
    /// Reads the text into its place. The error says what was expected.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
}

/// How a value is written in TOML, and whether its flag may stand alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// Separated by commas; in TOML an array too.
    List,
    Switch,
}

pub static SETTINGS: &[Setting] = &[
    // Before base_url, whose default has its port.
    Setting {
        key: "listen",
        shape: Shape::Text,
        value: "ADDRESS",
        default: "0.0.0.0:80",
        without: "",
        help: "address and port to serve browsers on; :8080 means all addresses",
        set: |config, text| put(&mut config.listen, socket_address(text)),
    },
    Setting {
        key: "db",
        shape: Shape::Text,
        value: "FILE",
        default: "/var/lib/chat-posta/state.db",
        without: "",
        help: "the SQLite database; it and its directory are made private when created",
        set: |config, text| put(&mut config.db, path(text)),
    },
    Setting {
        key: "base_url",
        shape: Shape::Text,
        value: "URL",
        default: "",
        without: "http://localhost:<port>",
        help: "where browsers reach us; gives passkeys their host, and invite links",
        set: |config, text| {
            config.base_url = match text {
                "" => BaseUrl::localhost(config.listen.port()),
                url => BaseUrl::parse(url)?,
            };
            Ok(())
        },
    },
    Setting {
        key: "ops_listen",
        shape: Shape::Text,
        value: "ADDRESS",
        default: "",
        without: "off",
        help: "private address for /metrics, /healthz and /readyz",
        set: |config, text| {
            config.ops_listen = if text.is_empty() { None } else { Some(socket_address(text)?) };
            Ok(())
        },
    },
    Setting {
        key: "trusted_proxies",
        shape: Shape::List,
        value: "NETWORKS",
        default: "127.0.0.0/8, ::1",
        without: "none",
        help: "whose X-Forwarded-For and X-Forwarded-Proto are believed",
        set: |config, text| put(&mut config.trusted_proxies, networks(text)),
    },
    Setting {
        key: "allow_private_upstreams",
        shape: Shape::Switch,
        value: "",
        default: "false",
        without: "",
        help: "let posta-servers have loopback and private addresses",
        set: |config, text| put(&mut config.allow_private_upstreams, switch(text)),
    },
    Setting {
        key: "upstream_ca",
        shape: Shape::Text,
        value: "FILE",
        default: "",
        without: "the web's alone",
        help: "certificates (PEM) of further authorities that posta-servers may have",
        set: |config, text| put(&mut config.upstream_ca, authorities(text)),
    },
    Setting {
        key: "log",
        shape: Shape::Text,
        value: "LEVEL",
        default: "info",
        without: "",
        help: "how much goes to standard error: error, warn, info, debug or trace",
        set: |config, text| put(&mut config.log, level(text)),
    },
    Setting {
        key: "log_format",
        shape: Shape::Text,
        value: "FORMAT",
        default: "logfmt",
        without: "",
        help: "how each line of the log is written: logfmt or json",
        set: |config, text| put(&mut config.log_format, log_format(text)),
    },
    Setting {
        key: "session_idle",
        shape: Shape::Text,
        value: "TIME",
        default: "30m",
        without: "",
        help: "a session ends after this time without activity",
        set: |config, text| put(&mut config.session_idle, parse_duration(text)),
    },
    Setting {
        key: "session_max",
        shape: Shape::Text,
        value: "TIME",
        default: "7d",
        without: "",
        help: "a session ends after this time at the latest",
        set: |config, text| put(&mut config.session_max, parse_duration(text)),
    },
];

/// `--config` names the file of all others, so it is in none of their places.
pub const CONFIG_HELP: &str = "the configuration file; it may be absent unless it is named";

impl Setting {
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    pub fn env(&self) -> String {
        format!("CHAT_POSTA_{}", self.key.to_ascii_uppercase())
    }

    /// The default as people are told it.
    pub fn shown_default(&self) -> &'static str {
        if self.default.is_empty() { self.without } else { self.default }
    }
}

/// The setting of a TOML key.
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    // `:8080` is what Go programs and compose files have taught people to write.
    let address = match text.strip_prefix(':') {
        Some(port) => {
            port.parse().ok().map(|port| (IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).into())
        }
        None => text.parse().ok(),
    };
    address.ok_or_else(|| {
        "expected an address and a port, such as 127.0.0.1:8080, [::1]:8080 or :8080".into()
    })
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("expected a file".into()) } else { Ok(PathBuf::from(text)) }
}

/// The certificates of a PEM file, as DER.
#[expect(clippy::disallowed_methods, reason = "read while starting up")]
fn authorities(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let pem = fs::read(text).map_err(|e| e.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|e| format!("expected certificates in PEM form: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots.add(certificate.clone()).map_err(|e| format!("no authority's certificate: {e}"))?;
    }
    if found.is_empty() { Err("expected certificates in PEM form".into()) } else { Ok(found) }
}

fn networks(text: &str) -> Result<Vec<Network>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|item| Network::parse(item.trim())).collect()
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

fn level(text: &str) -> Result<log::LevelFilter, String> {
    use log::LevelFilter::{Debug, Error, Info, Trace, Warn};
    Ok(match text {
        "error" => Error,
        "warn" => Warn,
        "info" => Info,
        "debug" => Debug,
        "trace" => Trace,
        _ => return Err("expected error, warn, info, debug or trace".into()),
    })
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "logfmt" => Ok(LogFormat::Logfmt),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected logfmt or json".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULT_FILE;
    use std::fmt::Write;

    /// The table as README shows it.
    fn markdown() -> String {
        let mut out = String::from(
            "| flag | environment | TOML key | default | what it is |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        for setting in SETTINGS {
            let Setting { key, help, .. } = setting;
            let (flag, env, default) = (setting.flag(), setting.env(), setting.shown_default());
            let _ = writeln!(out, "| `--{flag}` | `{env}` | `{key}` | `{default}` | {help} |");
        }
        let _ = writeln!(out, "| `--config` | — | — | `{DEFAULT_FILE}` | {CONFIG_HELP} |");
        out
    }

    #[test]
    fn readme_shows_this_table() {
        let readme = include_str!("../../README.md");
        let shown = readme
            .split_once("<!-- options -->")
            .and_then(|(_, rest)| rest.split_once("<!-- /options -->"));
        let Some((table, _)) = shown else {
            eprintln!("skipped: README.md has no place for the table of options");
            return;
        };
        let ours = markdown();
        assert_eq!(table.trim(), ours.trim(), "put this between the marks in README.md:\n\n{ours}");
    }

    /// The table as a file to start from: every setting with its default, switched off.
    fn example() -> String {
        let mut out = format!(
            "# The configuration of chat-posta: {DEFAULT_FILE}, unless --config names another file.\n\
             # Each line shows its default; take the # away to change it. Environment and flags beat\n\
             # this file.\n"
        );
        for Setting { key, shape, default, without, help, .. } in SETTINGS {
            let value = match shape {
                Shape::Switch => (*default).to_owned(),
                Shape::Text => format!("{default:?}"),
                Shape::List => format!("{:?}", default.split(", ").collect::<Vec<_>>()),
            };
            let unset = if without.is_empty() || !default.is_empty() {
                String::new()
            } else {
                format!(" (empty: {without})")
            };
            let _ = writeln!(out, "\n# {help}{unset}\n#{key} = {value}");
        }
        out
    }

    #[test]
    fn the_example_file_shows_this_table_and_can_be_used() {
        let file = include_str!("../../scripts/config.example.toml");
        let ours = example();
        assert_eq!(file, ours, "put this into scripts/config.example.toml:\n\n{ours}");
        let switched_on: String = file
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(line) if !line.starts_with(' ') => format!("{line}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let said = super::super::file::read(std::path::Path::new("F"), &switched_on);
        let said = said.expect("it can be read");
        assert_eq!(said.len(), SETTINGS.len());
        let mut config = super::super::blank();
        for said in said {
            (said.setting.set)(&mut config, &said.text).expect(said.setting.key);
        }
    }

    #[test]
    fn each_setting_can_be_found_by_its_key_and_fits_a_line_of_help() {
        for own in SETTINGS {
            assert!(setting(own.key).is_some_and(|found| std::ptr::eq(found, own)), "{}", own.key);
            assert!(own.help.len() <= 76 && !own.help.contains('|'), "{}", own.key);
            assert_eq!(own.shape == Shape::Switch, own.value.is_empty(), "{}", own.key);
        }
    }

    #[test]
    fn listening_on_a_port_alone_means_all_addresses() {
        assert_eq!(socket_address(":8080").unwrap().to_string(), "0.0.0.0:8080");
        assert_eq!(socket_address("[::]:80").unwrap().to_string(), "[::]:80");
        for bad in ["", ":", ":x", "8080", "127.0.0.1", "localhost:80", ":65536", "::1:80x"] {
            assert!(socket_address(bad).is_err(), "{bad}");
        }
    }
}
