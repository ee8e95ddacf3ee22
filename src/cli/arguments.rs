//! Reads a subcommand's arguments by its table, and writes its help from the same table.
use super::{Stop, table};
use crate::config::{CONFIG_HELP, Config, DEFAULT_FILE, Setting, Shape, Sources, setting};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// An option of one subcommand that is not a setting of the service.
pub struct Extra {
    pub flag: &'static str,
    /// What stands for the value in help; empty for a switch.
    pub value: &'static str,
    pub help: &'static str,
}

pub struct Command {
    pub name: &'static str,
    pub about: &'static str,
    /// What stands for the one positional argument in help, when there is one.
    pub argument: Option<&'static str>,
    pub extras: &'static [Extra],
    /// Keys of the settings it takes.
    pub settings: &'static [&'static str],
    /// Its own defaults of some of them.
    pub defaults: &'static [(&'static str, &'static str)],
    pub run: fn(Given) -> Result<(), Stop>,
}

/// What the command line said.
pub struct Given {
    settings: Vec<(&'static Setting, String)>,
    file: Option<PathBuf>,
    defaults: &'static [(&'static str, &'static str)],
    extras: HashMap<&'static str, String>,
    argument: Option<String>,
}

impl Given {
    /// Puts flags, environment, file and defaults together.
    pub fn config(&self) -> Result<Config, Stop> {
        let env = |name: &str| std::env::var_os(name);
        let sources = Sources {
            flags: &self.settings,
            env: Some(&env),
            file: self.file.as_deref(),
            defaults: self.defaults,
        };
        Config::load(&sources).map_err(|e| Stop::Usage(e.to_string()))
    }

    pub fn extra(&self, flag: &str) -> Option<&str> {
        self.extras.get(flag).map(String::as_str)
    }

    pub fn has(&self, flag: &str) -> bool {
        self.extras.contains_key(flag)
    }

    /// The positional argument; the parser has seen to it that there is one.
    pub fn argument(&self) -> &str {
        self.argument.as_deref().unwrap_or("")
    }
}

pub enum Parsed {
    Help,
    Given(Given),
}

pub fn parse(command: &Command, arguments: &[OsString]) -> Result<Parsed, Stop> {
    use lexopt::prelude::{Long, Short, Value};
    let mut parser = lexopt::Parser::from_args(arguments.iter().cloned());
    let mut given = Given {
        settings: Vec::new(),
        file: None,
        defaults: command.defaults,
        extras: HashMap::new(),
        argument: None,
    };
    let usage = |why: String| Stop::Usage(format!("{why}\n\n{}", help(command)));
    while let Some(argument) = parser.next().map_err(|e| usage(e.to_string()))? {
        let flag = match argument {
            Short('h') | Long("help") => return Ok(Parsed::Help),
            Long(flag) => flag.to_owned(),
            Short(c) => return Err(usage(format!("unknown option -{c}"))),
            Value(value) if command.argument.is_some() && given.argument.is_none() => {
                let text = value.into_string();
                given.argument = Some(text.map_err(|_| usage("the argument is not UTF-8".into()))?);
                continue;
            }
            Value(value) => return Err(usage(format!("unexpected argument {value:?}"))),
        };
        let mut value = |flag: &str| {
            let value = parser.value().map_err(|_| usage(format!("--{flag} needs a value")))?;
            value.into_string().map_err(|_| usage(format!("--{flag}: the value is not UTF-8")))
        };
        if flag == "config" && !command.settings.is_empty() {
            given.file = Some(PathBuf::from(value("config")?));
        } else if let Some(extra) = command.extras.iter().find(|extra| extra.flag == flag) {
            let text = if extra.value.is_empty() { String::new() } else { value(&flag)? };
            given.extras.insert(extra.flag, text);
        } else if let Some(setting) = settings(command).find(|setting| setting.flag() == flag) {
            let alone = setting.shape == Shape::Switch;
            let text = if alone { "true".into() } else { value(&flag)? };
            given.settings.push((setting, text));
        } else {
            return Err(usage(format!("unknown option --{flag}")));
        }
    }
    if let (Some(name), None) = (command.argument, &given.argument) {
        return Err(usage(format!("{name} is missing")));
    }
    Ok(Parsed::Given(given))
}

fn settings(command: &Command) -> impl Iterator<Item = &'static Setting> {
    command.settings.iter().filter_map(|key| setting(key))
}

/// Every setting of the service, for the command that runs it.
pub const ALL: &[&str] = &[
    "listen",
    "db",
    "base_url",
    "ops_listen",
    "trusted_proxies",
    "allow_private_upstreams",
    "log",
    "session_idle",
    "session_max",
];

pub fn help(command: &Command) -> String {
    let mut rows: Vec<[String; 2]> = Vec::new();
    for extra in command.extras {
        rows.push([format!("--{} {}", extra.flag, extra.value), extra.help.to_owned()]);
    }
    for setting in settings(command) {
        let own = command.defaults.iter().find(|(key, _)| *key == setting.key);
        let default = own.map_or_else(|| setting.shown_default(), |(_, default)| default);
        rows.push([
            format!("--{} {}", setting.flag(), setting.value),
            format!("{} [{default}] ({})", setting.help, setting.env()),
        ]);
    }
    if !command.settings.is_empty() {
        rows.push(["--config FILE".into(), format!("{CONFIG_HELP} [{DEFAULT_FILE}]")]);
    }
    rows.push(["-h, --help".into(), "print this".into()]);
    let rows: Vec<[&str; 2]> = rows.iter().map(|[a, b]| [a.trim_end(), b.as_str()]).collect();
    format!(
        "{}\n\nUsage: chat-posta {}{} [OPTIONS]\n\nOptions:\n{}",
        command.about,
        command.name,
        command.argument.map(|name| format!(" {name}")).unwrap_or_default(),
        table::aligned(&rows, "  ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn serve_takes_every_setting_there_is() {
        let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        assert_eq!(keys, ALL);
    }
}
