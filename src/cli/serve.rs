//! `chat-posta serve`: puts the service together and runs it until it is told to stop.
use super::arguments::{ALL, Command, Given};
use super::takeover::{Inheritance, Program};
use super::{Stop, waiter};
use crate::config::Config;
use crate::http::server::{Options, Server};
use crate::http::stack;
use crate::ops;
use crate::ops::clock::Clock;
use crate::ops::listener::Listener;
use crate::ops::metrics::Metrics;
use crate::ops::supervisor;
use crate::store::Store;
use crate::web::{App, Handover};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit, test_kill_process};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR2};
use signal_hook::iterator::Signals;
use std::collections::VecDeque;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long running requests may take after the signal to stop. Under the 10 s that service
/// supervisors commonly wait.
const GRACE: Duration = Duration::from_secs(8);
/// The same after a successor has taken over: the slowest picture may come to its end.
const LEAVES: Duration = Duration::from_secs(15 * 60);
/// How soon a process that leaves heeds a signal, or its successor's end.
const LOOKS_UP: Duration = Duration::from_millis(100);

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
    operator: Option<Listener>,
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
        let (state, connections) = match &mut inherited {
            Some(inherited) => inherited.receive().map(|(state, idle)| (Some(state), idle)),
            None => Ok((None, Vec::new())),
        }
        .map_err(Stop::Failed)?;
        let handover = state.map(|state| Handover::read(&state)).transpose();
        let handover = handover.map_err(Stop::Failed)?;
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
        let operator = ops_listen.map(|address| {
            let store = app.store.clone();
            let ready = Arc::new(move || store.ready().map_err(|e| e.to_string()));
            let started = match inherited {
                Some(_) => Listener::succeed(address, metrics, ready),
                None => Listener::start(address, metrics, ready),
            };
            started.map_err(|e| format!("can't listen on {address} (ops_listen): {e}"))
        });
        let operator = operator.transpose().map_err(Stop::Failed)?;
        log::info!("address={} listening", server.local_addr());
        server.admit(connections);
        if let Some(inherited) = inherited {
            inherited.take_over();
        }
        Ok(Service { app, server, operator })
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
        // Those that came while something else was awaited.
        let mut kept = VecDeque::new();
        let signal = loop {
            let signal = match kept.pop_front() {
                Some(signal) => signal,
                None => signals.forever().next().unwrap_or(SIGTERM),
            };
            if signal != SIGUSR2 {
                break signal;
            }
            log::info!("signal={SIGUSR2} handing over");
            let mut stops = || {
                kept.extend(signals.pending());
                kept.iter().any(|signal| *signal != SIGUSR2)
            };
            let program = program.as_ref().ok_or("the program's file is not known".to_owned());
            let is_followed = supervisor::listens();
            if !is_followed && !succeeds {
                waiter::adopt();
            }
            let mut hand = |program: &Program| program.hand_over(&self, is_followed, &mut stops);
            match program.and_then(|program| Ok((program, hand(program)?))) {
                Ok((program, successor)) => {
                    return self.leave(signals, kept, program, successor, succeeds);
                }
                Err(why) => {
                    self.app.refuse_successor(&why);
                    log::error!("no handing over, this process goes on: {why}");
                }
            }
        };
        log::info!("signal={signal} stopping");
        let handle = signals.handle();
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                exit(130);
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
        mut kept: VecDeque<i32>,
        program: &Program,
        successor: Pid,
        succeeds: bool,
    ) -> Result<(), Stop> {
        log::info!("pid={successor} has taken over");
        let is_followed = supervisor::listens();
        if is_followed {
            supervisor::tell(&format!("MAINPID={successor}"));
        }
        if let Some(operator) = &self.operator {
            operator.stop();
        }
        let (tell, finished) = mpsc::channel();
        thread::spawn(move || {
            self.stop(LEAVES);
            let _ = tell.send(());
        });
        // Once the successor is told to stop, what runs here has as long as it has there.
        let mut until = None;
        let mut code = 1;
        while finished.recv_timeout(LOOKS_UP) == Err(RecvTimeoutError::Timeout)
            && until.is_none_or(|until| Instant::now() < until)
        {
            kept.extend(signals.pending());
            for signal in kept.drain(..) {
                waiter::pass_on(signal, successor);
                if signal != SIGUSR2 {
                    until.get_or_insert_with(|| Instant::now() + GRACE);
                }
            }
            // Nobody serves any more: whoever watches shall see it now.
            let ended = match is_followed {
                true => test_kill_process(successor).is_err().then_some(1),
                false => waiter::all_have_ended(&mut code),
            };
            if until.is_none()
                && let Some(code) = ended
            {
                log::error!("the successor has ended (exit code {code})");
                exit(code);
            }
        }
        // A manager that follows knows the successor; one that started it is told by its end.
        if is_followed || succeeds {
            return Ok(());
        }
        waiter::hold_signals(true);
        signals.pending().for_each(|signal| waiter::pass_on(signal, successor));
        let why = program.command().arg(waiter::WORD).arg(successor.to_string()).exec();
        waiter::hold_signals(false);
        // Then this process waits as it is.
        log::warn!("{}: {why}", waiter::WORD);
        loop {
            if let Some(code) = waiter::all_have_ended(&mut code) {
                exit(code);
            }
            thread::sleep(LOOKS_UP);
            signals.pending().for_each(|signal| waiter::pass_on(signal, successor));
        }
    }
}

/// How deep stacks got, where that is measured.
#[cfg(feature = "demo")]
fn show_stacks(metrics: &Metrics) {
    use crate::http::{deep, paint};
    if !paint::is_on() {
        return;
    }
    let all = || {
        let (used, size) = deep::deepest();
        stack::deepest().into_iter().chain([("deep", used, size)])
    };
    let help = "Most bytes of stack used.";
    metrics.gauges("chat_posta_stack_used_bytes", help, "kind", move || {
        all().map(|(kind, used, _)| (kind, used as f64)).collect()
    });
    let help = "Bytes of stack there are.";
    metrics.gauges("chat_posta_stack_bytes", help, "kind", move || {
        all().map(|(kind, _, size)| (kind, size as f64)).collect()
    });
}

/// What the rooms know anyway, read when the operator asks.
#[expect(clippy::disallowed_methods, reason = "what the kernel knows of an open file is in memory")]
fn show(metrics: &Metrics, app: &Arc<App>, server: &Arc<Server>, db: PathBuf) {
    ops::process::show(metrics);
    #[cfg(feature = "demo")]
    show_stacks(metrics);
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
