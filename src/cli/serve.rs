//! `chat-posta serve`: puts the service together and runs it until it is told to stop.
use super::arguments::{ALL, Command, Given};
use super::takeover::{Inheritance, Program};
use super::{Stop, waiter};
use crate::config::Config;
use crate::http::server::{Options, Server};
use crate::http::stack;
use crate::ops;
use crate::ops::clock::Clock;
use crate::ops::metrics::Metrics;
use crate::ops::supervisor;
use crate::store::Store;
use crate::web::{App, Handover};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2};
use signal_hook::iterator::Signals;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// How long running requests may take after the signal to stop. Under the 10 s that service
/// supervisors commonly wait.
const GRACE: Duration = Duration::from_secs(8);
/// The same after a successor has taken over: the slowest picture may come to its end.
const LEAVES: Duration = Duration::from_secs(15 * 60);

pub static COMMAND: Command = Command {
    name: "serve",
    about: "Run the service",
    argument: None,
    extras: &[],
    settings: ALL,
    defaults: &[],
    run: |given: Given| {
        let config = given.config()?;
        ops::log::init(config.log, config.log_format);
        let program = Program::of_this_process();
        let signals = Signals::new([SIGINT, SIGTERM, SIGUSR2]).map_err(Stop::failed)?;
        let inherited = Inheritance::find().map_err(Stop::Usage)?;
        let succeeds = inherited.is_some();
        let service = Service::start(config, inherited)?;
        supervisor::tell("READY=1");
        service.run_until(signals, program, succeeds)
    },
};

/// The running service.
pub struct Service {
    pub app: Arc<App>,
    server: Arc<Server>,
}

impl Service {
    /// Opens the database and begins to serve, in the place of a predecessor if there is one; returns
    /// at once.
    pub fn start(config: Config, mut inherited: Option<Inheritance>) -> Result<Service, Stop> {
        raise_file_limit();
        let listen = config.listen;
        let options =
            Options { trusted_proxies: config.trusted_proxies.clone(), ..Options::default() };
        let store = Store::open(&config.db).map_err(Stop::failed)?;
        log::info!("version={:?} start", env!("CHAT_POSTA_VERSION"));
        for (key, value, from) in &config.said {
            log::info!("key={key} value={value:?} from={from:?} config");
        }
        for warning in config.warnings() {
            log::warn!("{warning}");
        }
        let ops_listen = config.ops_listen;
        let metrics = Metrics::default();
        let handover = inherited
            .as_mut()
            .map(|inherited| Handover::read(&inherited.receive()?))
            .transpose()
            .map_err(Stop::Failed)?;
        if let Some(handover) = &handover {
            log::info!("sessions={} taken over", handover.sessions());
        }
        let app =
            App::start(config, store, Clock::system(), &metrics, handover).map_err(Stop::failed)?;
        let server = match &inherited {
            Some(inherited) => inherited
                .listener
                .try_clone()
                .and_then(|listener| Server::start_on(listener, options, app.clone())),
            None => Server::start(listen, options, app.clone()),
        };
        let server = server.map_err(|e| Stop::Failed(format!("can't listen on {listen}: {e}")))?;
        let server = Arc::new(server);
        show(&metrics, &app, &server, app.config.db.clone());
        if let Some(address) = ops_listen {
            let store = app.store.clone();
            let ready = Arc::new(move || store.ready().map_err(|e| e.to_string()));
            let started = match inherited {
                Some(_) => ops::listener::succeed(address, metrics, ready),
                None => ops::listener::start(address, metrics, ready),
            };
            started.map_err(|e| {
                Stop::Failed(format!("can't listen on {address} (ops_listen): {e}"))
            })?;
        }
        log::info!("address={} listening", server.local_addr());
        if let Some(inherited) = inherited {
            inherited.take_over().map_err(Stop::Failed)?;
        }
        Ok(Service { app, server })
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Serves until a signal comes, then lets running requests finish and tells tabs to reconnect.
    /// A second signal ends it at once. SIGUSR2 puts a new process in the place of this one.
    pub fn run_until(
        self,
        mut signals: Signals,
        program: Option<Program>,
        succeeds: bool,
    ) -> Result<(), Stop> {
        let signal = loop {
            let signal = signals.forever().next();
            if signal != Some(SIGUSR2) {
                break signal;
            }
            log::info!("signal={SIGUSR2} handing over");
            let handed = program.as_ref().ok_or("the program's file is not known".to_owned());
            match handed.and_then(|program| Ok((program, program.hand_over(&self)?))) {
                Ok((program, child)) => return self.leave(signals, program, child, succeeds),
                Err(why) => log::error!("no handing over, this process goes on: {why}"),
            }
        };
        log::info!("signal={} stopping", signal.unwrap_or(0));
        let handle = signals.handle();
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                std::process::exit(130);
            }
        });
        self.stop(GRACE);
        handle.close();
        Ok(())
    }

    pub fn stop(self, grace: Duration) {
        self.app.live.shutdown();
        self.server.shutdown(grace);
        if let Err(e) = self.app.store.settle() {
            log::warn!("{e}");
        }
        log::info!("stopped");
    }

    /// A successor serves: finishes what runs here, and passes signals on to it meanwhile.
    #[expect(clippy::disallowed_methods, reason = "the main thread")]
    fn leave(
        self,
        mut signals: Signals,
        program: &Program,
        mut child: Child,
        succeeds: bool,
    ) -> Result<(), Stop> {
        let pid = child.id();
        log::info!("pid={pid} has taken over");
        let is_followed = supervisor::listens();
        if is_followed {
            supervisor::tell(&format!("MAINPID={pid}"));
        }
        let (tell, finished) = mpsc::channel();
        thread::spawn(move || {
            self.stop(LEAVES);
            let _ = tell.send(());
        });
        let successor = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // Whether nobody wants anything of this process any more.
        let mut pass_on = || {
            let named = signals.pending().filter_map(Signal::from_named_raw);
            named.fold(false, |over, signal| {
                if let Some(successor) = successor {
                    let _ = kill_process(successor, signal);
                }
                over || signal != Signal::USR2
            })
        };
        while finished.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
            if pass_on() {
                break;
            }
        }
        // A manager that follows knows the successor; one that started it is told by its end.
        if is_followed || succeeds {
            return Ok(());
        }
        waiter::hold_signals(true);
        pass_on();
        let why = program.command().arg(waiter::WORD).exec();
        waiter::hold_signals(false);
        // Then this process waits as it is.
        log::warn!("{}: {why}", waiter::WORD);
        child.wait().map(drop).map_err(Stop::failed)
    }
}

/// What the rooms know anyway, read when the operator asks.
#[expect(clippy::disallowed_methods, reason = "what the kernel knows of an open file is in memory")]
fn show(metrics: &Metrics, app: &Arc<App>, server: &Arc<Server>, db: PathBuf) {
    ops::process::show(metrics);
    let version = env!("CHAT_POSTA_VERSION");
    metrics.info("chat_posta_build_info", "This program.", "version", version);
    let of = server.clone();
    let help = "Connections of browsers that are open, event streams among them.";
    metrics.gauge("chat_posta_http_connections", help, move || of.connections() as f64);
    let of = server.clone();
    let help = "Panics caught in request handlers: each is a bug.";
    metrics.counted("chat_posta_http_panics_total", help, move || of.panics() as f64);
    let help = "Coroutines alive: connections at work, and event streams of posta-servers.";
    metrics.gauges("chat_posta_coroutines", help, "kind", || {
        stack::alive().map(|(kind, count)| (kind, count as f64)).into()
    });
    let of = app.clone();
    let help = "Calls to posta-servers that were answered or failed.";
    metrics.counted("chat_posta_upstream_calls_total", help, move || of.client.calls() as f64);
    let of = app.clone();
    let help = "Calls to posta-servers that got no answer.";
    metrics
        .counted("chat_posta_upstream_failures_total", help, move || of.client.failures() as f64);
    let of = app.clone();
    let help = "Idle connections to posta-servers, kept for the next call.";
    metrics.gauge("chat_posta_upstream_idle_connections", help, move || of.client.idle() as f64);
    let of = app.clone();
    metrics.gauge("chat_posta_tabs", "Open event streams.", move || of.live.tabs() as f64);
    let of = app.clone();
    let help = "Users whose conversations are followed or were a moment ago.";
    metrics.gauge("chat_posta_live_users", help, move || of.live.users() as f64);
    let of = app.clone();
    let help = "Sessions signed in.";
    metrics.gauge("chat_posta_sessions", help, move || of.sessions.count() as f64);
    let help = "The database and its write-ahead log on disk.";
    metrics.gauge("chat_posta_database_bytes", help, move || {
        let size = |path: &Path| path.metadata().map_or(0, |data| data.len());
        let mut wal = db.clone().into_os_string();
        wal.push("-wal");
        (size(&db) + size(Path::new(&wal))) as f64
    });
}

/// As many sockets as the host allows this process: the soft limit is often 1,024.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(e) = setrlimit(Resource::Nofile, raised) {
            log::warn!("the limit of open files stays at {:?}: {e}", limit.current);
        }
    }
}
