//! Starts and stops one participant: its state file, its port, its service.
use super::address::Address;
use super::behaviour::Kind;
use super::db::{Db, DbError, meta, tokens};
use super::delivery::{self, SCHEDULE};
use super::envelope::Key;
use super::events::Events;
use super::node::Node;
use super::seed::{self, Cast};
use super::state_file::StateFile;
use super::view::Manner;
use super::{Participant, new_token, pairing_uri};
use crate::http::client::{self, Client};
use crate::http::stack;
use crate::ops::clock::Clock;
use crate::ops::random;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub struct Options {
    /// A loopback address; port 0 takes the state file's port if it has one, and any free one else.
    pub listen: SocketAddr,
    pub state: PathBuf,
    /// Display name, on first start.
    pub name: String,
    pub kind: Kind,
    pub plain: bool,
    /// Opens `/test`.
    pub admin: bool,
    /// One pause for all attempts, in place of the real schedule.
    pub retry: Option<Duration>,
    pub heartbeat: Duration,
    /// Events kept for clients that resume.
    pub buffer: usize,
}

#[derive(Debug)]
pub enum StartError {
    NotLoopback(SocketAddr),
    Listen(SocketAddr, io::Error),
    Db(PathBuf, DbError),
    /// The state file belongs to another address: its messages and contacts name that one.
    Moved {
        was: String,
        port: u16,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::NotLoopback(address) => {
                write!(f, "{address} is not a loopback address: the demo serves this machine only")
            }
            StartError::Listen(address, e) => write!(f, "can't listen on {address}: {e}"),
            StartError::Db(path, e) => write!(f, "{}: {e}", path.display()),
            StartError::Moved { was, port } => {
                write!(f, "the state file belongs to {was}, so port {port} is not its own")
            }
        }
    }
}

impl std::error::Error for StartError {}

/// One running participant; stops when told to.
pub struct PostaServer {
    node: Arc<Node>,
    participant: Arc<Participant>,
    is_new: bool,
}

impl PostaServer {
    pub fn start(options: Options) -> Result<PostaServer, StartError> {
        if !options.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(options.listen));
        }
        let in_file = |e| StartError::Db(options.state.clone(), e);
        let known = StateFile::open(&options.state).map_err(in_file)?.url().map_err(in_file)?;
        let mut listen = options.listen;
        if let (Some(url), 0) = (&known, listen.port()) {
            listen.set_port(url.origin().port);
        }
        let node = Arc::new(Node::default());
        let port = node.listen(listen).map_err(|e| StartError::Listen(listen, e))?;
        let me = Address::parse(&format!("http://localhost:{port}")).expect("a loopback address");
        if let Some(was) = known.as_ref().filter(|was| **was != me) {
            node.close();
            return Err(StartError::Moved { was: was.canonical().to_owned(), port });
        }
        let is_new = known.is_none();
        let participant = participant(me, &options, is_new).map_err(in_file)?;
        let delivering = participant.clone();
        stack::spawn_stream(move || delivery::run(&delivering))
            .map_err(|e| StartError::Listen(listen, e))?;
        node.open(participant.clone(), options.admin);
        Ok(PostaServer { node, participant, is_new })
    }

    /// Canonical.
    pub fn url(&self) -> &str {
        self.participant.me.canonical()
    }

    /// Whether the state file was made by this start.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// A new token, as the pairing URI that is shown once.
    pub fn create_token(&self, name: &str) -> Result<String, DbError> {
        self.participant.create_token(name).map(|(_, uri)| uri)
    }

    /// Fills the state with contacts and history.
    pub fn seed(&self, seed: u64, cast: &Cast) -> Result<(), DbError> {
        seed::fill(&self.participant, seed, cast)
    }

    /// Stops serving; what is in the outbox goes out after the next start.
    pub fn stop(&self) {
        self.participant.stop();
        self.node.close();
    }
}

fn participant(me: Address, options: &Options, is_new: bool) -> Result<Arc<Participant>, DbError> {
    let db = Db::start(&options.state)?;
    let (name, url) = (options.name.clone(), me.canonical().to_owned());
    let fresh = random::bytes::<32>();
    let secret = db.run(move |t| {
        if is_new {
            meta::set(t, "url", url.as_bytes())?;
            meta::set(t, "name", name.as_bytes())?;
            meta::set(t, "key", &fresh)?;
        }
        meta::get(t, "key")
    })?;
    // A file without a key was not made by us; give it one rather than fail.
    let secret = secret.and_then(|secret| secret.try_into().ok()).unwrap_or(fresh);
    let clock = Clock::system();
    let start = i64::try_from(clock.now_ms()).unwrap_or(0);
    let schedule = match options.retry {
        Some(pause) => vec![pause; SCHEDULE.len()],
        None => SCHEDULE.to_vec(),
    };
    Ok(Arc::new(Participant {
        me,
        kind: options.kind,
        key: Arc::new(Key::from_secret(&secret)),
        db,
        clock,
        client: Client::new(client::Options {
            allow_private: true,
            agent: "chat-posta-demo".to_owned(),
            ..Default::default()
        }),
        manner: if options.plain { Manner::Plain } else { Manner::Known },
        events: Arc::new(Events::new(start, options.buffer)),
        actors: Default::default(),
        delivery: Default::default(),
        schedule,
        heartbeat: options.heartbeat,
        faults: Default::default(),
        stopping: AtomicBool::new(false),
    }))
}

impl Participant {
    /// The token and its pairing URI.
    pub fn create_token(&self, name: &str) -> Result<(String, String), DbError> {
        let (token, now, name) = (new_token(), self.now(), name.to_owned());
        let uri = pairing_uri(&self.me, &token);
        let secret = token.clone();
        self.db.run(move |t| tokens::create(t, &name, &secret, now))?;
        Ok((token, uri))
    }
}
