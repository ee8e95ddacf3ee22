//! `chat-posta demo`: the service with four posta-servers to try it on, all in one process.
use super::arguments::{Command, Extra, Given};
use super::demo_server::{BUFFER, HEARTBEAT};
use super::serve::Service;
use super::{Stop, say};
use crate::config::{Config, Sources, setting};
use crate::demo::{Cast, Options, PostaServer, Role, StartError};
use crate::ops;
use crate::ops::clock::Clock;
use crate::ops::{encode, random};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt::Write;
use std::fs::{self, DirBuilder};
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the four are when nothing else is there.
const FIRST_PORT: u16 = 9101;
/// Those who sign up.
const PEOPLE: [Role; 2] = [Role::Alice, Role::Bob];
/// Which of the stories is told.
const SEED: u64 = 14;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub static COMMAND: Command = Command {
    name: "demo",
    about: "Try it: chat-posta, and posta-servers of Alice, Bob, a room and an agent",
    argument: None,
    extras: &[
        Extra { flag: "listen", value: "ADDRESS", help: "[127.0.0.1:8080]" },
        Extra {
            flag: "db",
            value: "FILE",
            help: "keeps everything: the database, and the posta-servers' states beside it [nothing]",
        },
        Extra { flag: "log", value: "LEVEL", help: "[warn]" },
    ],
    settings: &[],
    defaults: &[],
    run,
};

fn run(given: Given) -> Result<(), Stop> {
    let signals = Signals::new([SIGINT, SIGTERM]).map_err(Stop::failed)?;
    let place = match given.extra("db") {
        Some(db) => Place::kept(PathBuf::from(db)),
        None => Place::temporary()?,
    };
    let config = config(&given, &place)?;
    ops::log::init(config.log, config.log_format);
    let servers = start_all(&place)?;
    let service = Service::start(config, None)?;
    say(&welcome(&service, &servers, given.has("db"))?)?;
    service.run_until(signals, None, false)?;
    servers.iter().for_each(|(_, server)| server.stop());
    Ok(())
}

/// The demo's own settings: a configuration of this machine is not for it.
fn config(given: &Given, place: &Place) -> Result<Config, Stop> {
    let db = place.db.to_str().ok_or(Stop::Usage("--db: the path is not UTF-8".into()))?;
    let said = [("db", Some(db)), ("listen", given.extra("listen")), ("log", given.extra("log"))];
    let flags: Vec<_> =
        said.iter().filter_map(|(key, text)| Some((setting(key)?, (*text)?.to_owned()))).collect();
    let sources = Sources {
        flags: &flags,
        env: None,
        file: Some(Path::new("/dev/null")),
        defaults: &[
            ("listen", "127.0.0.1:8080"),
            ("log", "warn"),
            ("allow_private_upstreams", "true"),
        ],
    };
    Config::load(&sources).map_err(|e| Stop::Usage(e.to_string()))
}

/// Where the states live.
struct Place {
    db: PathBuf,
    /// Removed in the end.
    directory: Option<PathBuf>,
}

impl Place {
    fn kept(db: PathBuf) -> Place {
        Place { db, directory: None }
    }

    fn temporary() -> Result<Place, Stop> {
        let name = format!("chat-posta-demo-{}", encode::b64url(&random::bytes::<9>()));
        let directory = std::env::temp_dir().join(name);
        // Only for us: there are tokens and messages in it.
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .map_err(|e| Stop::Failed(format!("{}: {e}", directory.display())))?;
        Ok(Place { db: directory.join("chat-posta.db"), directory: Some(directory) })
    }

    fn state_of(&self, role: Role) -> PathBuf {
        let mut path = self.db.clone().into_os_string();
        path.push(format!(".{}", role.word()));
        path.into()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            // What stays behind is in the system's temporary directory.
            let _ = fs::remove_dir_all(directory);
        }
    }
}

fn start_all(place: &Place) -> Result<Vec<(Role, PostaServer)>, Stop> {
    if let Some(parent) = place.db.parent() {
        fs::create_dir_all(parent)
            .map_err(|e| Stop::Failed(format!("{}: {e}", parent.display())))?;
    }
    let mut servers = Vec::new();
    let mut cast = Cast::default();
    for (port, role) in (FIRST_PORT..).zip(Role::ALL) {
        let server = start(role, place.state_of(role), port).map_err(Stop::failed)?;
        cast.set(role, server.url()).map_err(|()| Stop::failed("an address of our own"))?;
        servers.push((role, server));
    }
    for (_, server) in servers.iter().filter(|(_, server)| server.is_new()) {
        server.seed(SEED, &cast).map_err(Stop::failed)?;
    }
    Ok(servers)
}

/// On its own port when it has run before; else on the usual one, or any that is free.
fn start(role: Role, state: PathBuf, usual: u16) -> Result<PostaServer, StartError> {
    let options = |port| Options {
        listen: (Ipv4Addr::LOCALHOST, port).into(),
        state: state.clone(),
        name: role.name().to_owned(),
        kind: role.kind(),
        plain: false,
        admin: false,
        retry: None,
        heartbeat: HEARTBEAT,
        buffer: BUFFER,
    };
    let has_run = state.exists();
    match PostaServer::start(options(if has_run { 0 } else { usual })) {
        Err(StartError::Listen(..)) if !has_run => PostaServer::start(options(0)),
        started => started,
    }
}

/// What to do now, in fewer lines than a terminal has.
fn welcome(service: &Service, servers: &[(Role, PostaServer)], kept: bool) -> Result<String, Stop> {
    let app = &service.app;
    let origin = app.config.base_url.origin();
    let users = app.store.user_list().map_err(Stop::failed)?;
    let mut text = format!("chat-posta runs at {origin}\n\n");
    for (role, server) in servers.iter().filter(|(role, _)| PEOPLE.contains(role)) {
        let name = role.name();
        if users.iter().any(|user| user.server_url == server.url()) {
            let _ = writeln!(text, "{name:<6} has signed up: {origin}/login");
            continue;
        }
        let now = Clock::system().now_ms();
        let code = app.store.invite_create(name, DAY, now).map_err(Stop::failed)?;
        let pairing = server.create_token("chat-posta").map_err(Stop::failed)?;
        let _ = writeln!(text, "{name:<6} open   {origin}/register?code={code}");
        let _ = writeln!(text, "{:<6} paste  {pairing}", "");
    }
    text.push_str(
        "\nOpen the links in two browsers (or one of them in a private window), paste what stands\n\
         below each, create a passkey, and write to each other.\n",
    );
    for (role, server) in servers.iter().filter(|(role, _)| !PEOPLE.contains(role)) {
        let address = server.url().trim_start_matches("http://");
        let _ = writeln!(text, "{} at {address}: {}", role.name(), role.bio());
    }
    text.push_str(if kept {
        "\nCtrl-C stops everything; the same --db goes on from here.\n"
    } else {
        "\nCtrl-C stops everything and forgets it; --db FILE keeps it.\n"
    });
    Ok(text)
}
