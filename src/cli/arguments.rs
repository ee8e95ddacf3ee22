//! What a subcommand takes, as a table, and reading a command line by it.
use super::{Stop, help};
use crate::config::{Config, Setting, Shape, Sources, nearest, setting};
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

/// For scripts that read what a command prints.
pub const JSON: Extra = Extra { flag: "json", value: "", help: "print JSON" };

pub struct Command {
    /// One word, or several: `invite create`.
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

/// Every setting of the service, for the command that runs it.
pub const ALL: &[&str] = &[
    "listen",
    "db",
    "base_url",
    "ops_listen",
    "trusted_proxies",
    "allow_private_upstreams",
    "upstream_ca",
    "log",
    "log_format",
    "session_idle",
    "session_max",
];

impl Command {
    pub fn words(&self) -> Vec<&'static str> {
        self.name.split(' ').collect()
    }

    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.settings.iter().filter_map(|key| setting(key))
    }

    /// Everything that may follow `--`.
    fn flags(&self) -> Vec<String> {
        let extras = self.extras.iter().map(|extra| extra.flag.to_owned());
        let settings = self.settings().map(Setting::flag);
        let config = (!self.settings.is_empty()).then(|| "config".to_owned());
        extras.chain(settings).chain(config).chain(["help".to_owned()]).collect()
    }

    /// The words of one who used it wrongly.
    fn misused(&self, why: &str) -> Stop {
        Stop::Usage(format!("{why}\nSee: chat-posta {} --help", self.name))
    }

    fn unknown(&self, option: &str) -> Stop {
        let flags = self.flags();
        self.misused(&match nearest(option, flags.iter().map(String::as_str)) {
            Some(flag) => format!("there is no option --{option}; did you mean --{flag}?"),
            None => {
                format!("there is no option --{option}; there are --{}", flags.join(", --"))
            }
        })
    }
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

/// Reads what follows the command's name. Of an option that is repeated the last one counts.
pub fn parse(command: &Command, arguments: &[OsString]) -> Result<Parsed, Stop> {
    use lexopt::prelude::{Long, Short, Value};
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut given = Given {
        settings: Vec::new(),
        file: None,
        defaults: command.defaults,
        extras: HashMap::new(),
        argument: None,
    };
    while let Some(argument) = parser.next().map_err(|e| command.misused(&e.to_string()))? {
        let flag = match argument {
            Short('h') | Long("help") => return Ok(Parsed::Help),
            Long(flag) => flag.to_owned(),
            Short(letter) => {
                return Err(command.misused(&format!("there is no option -{letter}; there is -h")));
            }
            Value(value) if command.argument.is_some() && given.argument.is_none() => {
                given.argument = Some(utf8(command, "the argument", value)?);
                continue;
            }
            Value(value) => {
                return Err(command.misused(&format!("one argument too many: {value:?}")));
            }
        };
        let what = format!("--{flag}");
        if flag == "config" && !command.settings.is_empty() {
            given.file = Some(value(command, &what, "FILE", &mut parser)?.into());
        } else if let Some(extra) = command.extras.iter().find(|extra| extra.flag == flag) {
            let text = match extra.value {
                "" => String::new(),
                name => utf8(command, &what, value(command, &what, name, &mut parser)?)?,
            };
            given.extras.insert(extra.flag, text);
        } else if let Some(setting) = command.settings().find(|setting| setting.flag() == flag) {
            let value = match setting.shape {
                // Alone it means yes; `=false` undoes what file or environment say.
                Shape::Switch => parser.optional_value().unwrap_or_else(|| "true".into()),
                Shape::Text | Shape::List => value(command, &what, setting.value, &mut parser)?,
            };
            given.settings.push((setting, utf8(command, &what, value)?));
        } else {
            return Err(command.unknown(&flag));
        }
    }
    if let (Some(name), None) = (command.argument, &given.argument) {
        return Err(command.misused(&format!("{name} is missing")));
    }
    Ok(Parsed::Given(given))
}

fn value(
    command: &Command,
    what: &str,
    name: &str,
    parser: &mut lexopt::Parser,
) -> Result<OsString, Stop> {
    parser.value().map_err(|_| command.misused(&format!("{what} needs a value: {what} {name}")))
}

fn utf8(command: &Command, what: &str, value: OsString) -> Result<String, Stop> {
    value.into_string().map_err(|_| command.misused(&format!("{what}: expected UTF-8")))
}

/// Runs the command, or prints its help.
pub fn run(command: &Command, arguments: &[OsString]) -> Result<(), Stop> {
    match parse(command, arguments)? {
        Parsed::Help => super::say(&help::of(command)),
        Parsed::Given(given) => (command.run)(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    const COMMAND: Command = Command {
        name: "try it",
        about: "",
        argument: Some("WHAT"),
        extras: &[Extra { flag: "name", value: "NAME", help: "" }, JSON],
        settings: &["db", "allow_private_upstreams"],
        defaults: &[],
        run: |_| Ok(()),
    };

    fn given(words: &[&str]) -> Result<Given, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        match parse(&COMMAND, &words) {
            Ok(Parsed::Given(given)) => Ok(given),
            Ok(Parsed::Help) => Err("help".into()),
            Err(Stop::Usage(why)) => Err(why.split('\n').next().unwrap_or("").to_owned()),
            Err(_) => Err("another error".into()),
        }
    }

    #[test]
    fn serve_takes_every_setting_there_is() {
        let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        assert_eq!(keys, ALL);
    }

    #[test]
    fn options_stand_before_and_behind_the_argument() {
        for words in [
            &["--name", "Bob", "--json", "x", "--db", "/f"][..],
            &["x", "--db=/f", "--json", "--name=Bob"],
            &["--name", "Eve", "--db", "/e", "--json", "--name", "Bob", "--db", "/f", "--", "x"],
        ] {
            let given = given(words).unwrap();
            assert_eq!((given.argument(), given.extra("name")), ("x", Some("Bob")), "{words:?}");
            assert!(given.has("json"));
            assert_eq!(
                given.settings.last().map(|(s, text)| (s.key, &text[..])),
                Some(("db", "/f"))
            );
        }
        assert_eq!(given(&["--", "-x"]).unwrap().argument(), "-x");
        assert!(!given(&["x"]).unwrap().has("json"));
    }

    #[test]
    fn a_switch_stands_alone_or_says_no() {
        let text = |word: &str| given(&["x", word]).unwrap().settings[0].1.clone();
        assert_eq!(text("--allow-private-upstreams"), "true");
        assert_eq!(text("--allow-private-upstreams=false"), "false");
    }

    #[test]
    fn what_is_wrong_names_the_option_and_what_there_is() {
        for (words, why) in [
            (&[][..], "WHAT is missing"),
            (&["x", "y"], "one argument too many: \"y\""),
            (&["x", "--nmae", "y"], "there is no option --nmae; did you mean --name?"),
            (
                &["x", "--port"],
                "there is no option --port; there are --name, --json, --db, \
                 --allow-private-upstreams, --config, --help",
            ),
            (&["x", "-v"], "there is no option -v; there is -h"),
            (&["x", "--db"], "--db needs a value: --db FILE"),
            (&["x", "--config"], "--config needs a value: --config FILE"),
            (&["x", "--json=y"], "unexpected argument for option '--json': \"y\""),
            (&["x", "-h"], "help"),
            (&["--help"], "help"),
        ] {
            assert_eq!(given(words).err().as_deref(), Some(why), "{words:?}");
        }
    }
}
