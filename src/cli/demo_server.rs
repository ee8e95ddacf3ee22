//! `chat-posta demo-server`: one demo posta-server as a process of its own, and its tokens.
use super::arguments::{Command, Extra, Given};
use super::{Stop, say};
use crate::config::LogFormat;
use crate::demo::{Cast, Kind, Options, PostaServer, Role, StateFile};
use crate::ops;
use log::LevelFilter;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Signs of life on an idle stream, as the real server gives them.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events kept for clients that resume.
pub const BUFFER: usize = 256;

const STATE: Extra =
    Extra { flag: "state", value: "FILE", help: "the SQLite file of its state; made when absent" };
const TOKEN_NAME: Extra =
    Extra { flag: "name", value: "NAME", help: "what the token is for, such as phone" };

pub static SERVER: Command = Command {
    name: "demo-server",
    about: "Run one demo posta-server (loopback only)",
    argument: None,
    extras: &[
        Extra {
            flag: "listen",
            value: "ADDRESS",
            help: "[127.0.0.1:0; port 0 is that of the last time, or a free one]",
        },
        STATE,
        Extra { flag: "name", value: "NAME", help: "alice, bob, room, echo or any other name" },
        Extra { flag: "kind", value: "KIND", help: "person, room or agent [as the name says]" },
        Extra { flag: "seed", value: "NUMBER", help: "on the first start: a past to talk about" },
        Extra {
            flag: "peers",
            value: "NAME=URL,…",
            help: "where alice, bob, room and echo are, for the seed",
        },
        Extra {
            flag: "retry",
            value: "TIME",
            help: "one pause between attempts, such as 300ms [5s, 30s, 5m, 30m]",
        },
        Extra { flag: "heartbeat", value: "TIME", help: "between signs of life of a stream [15s]" },
        Extra { flag: "buffer", value: "NUMBER", help: "events kept for streams to resume [256]" },
        Extra {
            flag: "crowd",
            value: "NUMBER",
            help: "so many of them in this process, NAME0 and on",
        },
        Extra { flag: "plain", value: "", help: "without the oddities of the real server" },
        Extra { flag: "admin", value: "", help: "open /test, where tests misconfigure it" },
        Extra { flag: "log", value: "LEVEL", help: "off, error, warn, info, debug, trace [warn]" },
    ],
    settings: &[],
    defaults: &[],
    run: serve,
};

pub static TOKEN_CREATE: Command = Command {
    name: "demo-server token create",
    about: "Print a pairing URI with a new token of a demo posta-server",
    argument: None,
    extras: &[STATE, TOKEN_NAME],
    settings: &[],
    defaults: &[],
    run: |given| {
        let made = state_file(&given)?.create_token(name(&given)?).map_err(Stop::failed)?;
        say(&made.ok_or(Stop::Failed("this posta-server has never run".into()))?)
    },
};

pub static TOKEN_REVOKE: Command = Command {
    name: "demo-server token revoke",
    about: "Revoke the tokens of a demo posta-server that have this name",
    argument: None,
    extras: &[STATE, TOKEN_NAME],
    settings: &[],
    defaults: &[],
    run: |given| match state_file(&given)?.revoke_token(name(&given)?).map_err(Stop::failed)? {
        0 => Err(Stop::Failed("there is no token of that name".into())),
        count => say(&format!("revoked {count}")),
    },
};

fn serve(given: Given) -> Result<(), Stop> {
    let level =
        or(parsed(&given, "log", "off, error, warn, info, debug or trace")?, LevelFilter::Warn);
    ops::log::init(level, LogFormat::Logfmt);
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Stop::failed)?;
    let name = name(&given)?.to_owned();
    let role = Role::parse(&name);
    let kind = given
        .extra("kind")
        .map(|text| Kind::parse(text).ok_or_else(|| wrong("kind", text, "person, room or agent")))
        .transpose()?;
    let cast = given.extra("peers").map_or(Ok(Cast::default()), peers)?;
    let seed: Option<u64> = parsed(&given, "seed", "a number")?;
    let seed_all = |server: &PostaServer| match seed.filter(|_| server.is_new()) {
        Some(seed) => server.seed(seed, &cast).map_err(Stop::failed),
        None => Ok(()),
    };
    let options = |name: String, state: PathBuf| -> Result<Options, Stop> {
        Ok(Options {
            listen: or(parsed(&given, "listen", "an address such as 127.0.0.1:9101")?, any_port()),
            state,
            kind: kind.or(role.map(Role::kind)).unwrap_or(Kind::Person),
            name,
            plain: given.has("plain"),
            admin: given.has("admin"),
            retry: time(&given, "retry")?,
            heartbeat: or(time(&given, "heartbeat")?, HEARTBEAT),
            buffer: or(parsed(&given, "buffer", "a number")?, BUFFER),
        })
    };
    let name = role.map_or(name, |role| role.name().to_owned());
    let file = state(&given)?;
    let crowd: Option<u32> = parsed(&given, "crowd", "a number")?;
    let people: Vec<(String, PathBuf)> = match crowd {
        None => vec![(name, file)],
        Some(count) => (0..count)
            .map(|n| (format!("{name}{n}"), file.with_extension(format!("{n}.db"))))
            .collect(),
    };
    let mut servers = Vec::new();
    for (name, state) in people {
        let server = PostaServer::start(options(name, state)?).map_err(Stop::failed)?;
        seed_all(&server)?;
        let mut ready = format!("ready url={}", server.url());
        if server.is_new() {
            let pairing = server.create_token("first").map_err(Stop::failed)?;
            ready.push_str(&format!(" pairing={pairing}"));
        }
        say(&ready)?;
        servers.push(server);
    }
    signals.forever().next();
    servers.iter().for_each(PostaServer::stop);
    Ok(())
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn state(given: &Given) -> Result<PathBuf, Stop> {
    let missing = || Stop::Usage("--state is missing: it names the file of the state".into());
    given.extra("state").map(PathBuf::from).ok_or_else(missing)
}

/// An existing one: a wrong path must not make a new file.
fn state_file(given: &Given) -> Result<StateFile, Stop> {
    let path = state(given)?;
    if !path.exists() {
        return Err(Stop::Failed(format!("{} is not there", path.display())));
    }
    StateFile::open(&path).map_err(|e| Stop::Failed(format!("{}: {e}", path.display())))
}

fn name(given: &Given) -> Result<&str, Stop> {
    given.extra("name").ok_or_else(|| Stop::Usage("--name is missing".into()))
}

fn wrong(flag: &str, text: &str, allowed: &str) -> Stop {
    Stop::Usage(format!("--{flag}: {text:?} won't do: expected {allowed}"))
}

fn parsed<T: std::str::FromStr<Err: Display>>(
    given: &Given,
    flag: &str,
    allowed: &str,
) -> Result<Option<T>, Stop> {
    let parse = |text: &str| text.parse().map_err(|_| wrong(flag, text, allowed));
    given.extra(flag).map(parse).transpose()
}

fn or<T>(value: Option<T>, default: T) -> T {
    value.unwrap_or(default)
}

/// Shorter times than settings know: `300ms`, `5s`, `2m`.
fn time(given: &Given, flag: &str) -> Result<Option<Duration>, Stop> {
    let read = |text: &str| {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return None,
        };
        let ms = number.parse::<u64>().ok()?.checked_mul(factor)?;
        (1..=86_400_000).contains(&ms).then(|| Duration::from_millis(ms))
    };
    let Some(text) = given.extra(flag) else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| wrong(flag, text, "a time such as 300ms, 5s or 2m"))
}

/// `alice=http://localhost:9101,bob=…`
fn peers(text: &str) -> Result<Cast, Stop> {
    let mut cast = Cast::default();
    for pair in text.split(',') {
        let set = pair.split_once('=').and_then(|(word, url)| {
            let role = Role::parse(word)?;
            cast.set(role, url).ok()
        });
        set.ok_or_else(|| wrong("peers", pair, "alice, bob, room or echo, = and a URL"))?;
    }
    Ok(cast)
}
