//! Help, written from the tables of commands, settings and options.
use super::arguments::Command;
use super::table;
use crate::config::{CONFIG_HELP, DEFAULT_FILE, Setting};
use std::fmt::Write;

/// Columns of a terminal that help keeps to.
const WIDTH: usize = 80;
/// How far an option's explanation stands in.
const INDENT: &str = "        ";

/// The commands, all or those of one group.
pub fn overview(commands: &[&Command]) -> String {
    let rows: Vec<[&str; 2]> = commands.iter().map(|c| [c.name, c.about]).collect();
    format!(
        "chat-posta, the browser client of Posta\n\n\
         Usage: chat-posta COMMAND [OPTIONS]\n\nCommands:\n{}\n\
         chat-posta COMMAND --help tells more.\n",
        table::aligned(&rows, "  ")
    )
}

pub fn of(command: &Command) -> String {
    let argument = command.argument.map(|name| format!(" {name}")).unwrap_or_default();
    let mut out = format!(
        "{}\n\nUsage: chat-posta {}{argument} [OPTIONS]\n\nOptions:\n",
        command.about, command.name
    );
    for extra in command.extras {
        entry(&mut out, extra.flag, extra.value, extra.help, &[]);
    }
    for setting in command.settings() {
        let more = origins(command, setting);
        entry(&mut out, &setting.flag(), setting.value, setting.help, &more);
    }
    if !command.settings.is_empty() {
        let default = [format!("[default: {DEFAULT_FILE}]")];
        entry(&mut out, "config", "FILE", CONFIG_HELP, &default);
    }
    out.push_str("  -h, --help\n");
    let _ = writeln!(out, "{INDENT}print this");
    out
}

/// Where else a setting comes from.
fn origins(command: &Command, setting: &Setting) -> [String; 3] {
    let own = command.defaults.iter().find(|(key, _)| *key == setting.key);
    let default = own.map_or_else(|| setting.shown_default(), |(_, default)| default);
    [
        format!("[default: {default}]"),
        format!("[env: {}]", setting.env()),
        format!("[file: {}]", setting.key),
    ]
}

fn entry(out: &mut String, flag: &str, value: &str, help: &str, more: &[String]) {
    let _ = writeln!(out, "{}", format!("  --{flag} {value}").trim_end());
    let width = WIDTH - INDENT.len();
    let more = wrapped(more.iter().map(String::as_str), width);
    for line in wrapped(help.split(' '), width).iter().chain(&more) {
        let _ = writeln!(out, "{INDENT}{line}");
    }
}

/// Lines of at most `width` columns, broken between the pieces only.
fn wrapped<'a>(pieces: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + piece.chars().count() <= width => {
                line.push(' ');
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::COMMANDS;
    use super::*;

    #[test]
    fn help_fits_a_terminal_and_tells_of_every_option() {
        for command in COMMANDS {
            let help = of(command);
            assert!(help.starts_with(command.about));
            for line in help.lines() {
                assert!(line.chars().count() <= WIDTH, "{}: {line}", command.name);
            }
            for setting in command.settings() {
                assert!(help.contains(&format!("  --{}", setting.flag())));
                assert!(help.contains(&setting.env()));
            }
            for extra in command.extras {
                assert!(help.contains(&format!("  --{}", extra.flag)));
            }
        }
        for line in overview(COMMANDS).lines() {
            assert!(line.chars().count() <= WIDTH + 20, "{line}");
        }
    }

    #[test]
    fn words_wrap_and_none_is_lost() {
        assert_eq!(wrapped(["a", "bc", "def"], 4), ["a bc", "def"]);
        assert_eq!(wrapped(["abcdefgh", "i"], 4), ["abcdefgh", "i"]);
    }
}
