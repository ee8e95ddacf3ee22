//! `chat-posta serve`: puts the service together and runs it until it is told to stop.
use super::Stop;
use super::arguments::{ALL, Command, Given};
use crate::config::Config;
use crate::http::server::{Options, Server};
use crate::http::stack;
use crate::ops;
use crate::ops::clock::Clock;
use crate::ops::metrics::Metrics;
use crate::store::Store;
use crate::web::App;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long running requests may take after the signal to stop. Under the 10 s that service
/// supervisors commonly wait.
const GRACE: Duration = Duration::from_secs(8);

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
        let signals = Signals::new([SIGINT, SIGTERM]).map_err(Stop::failed)?;
        let service = Service::start(config)?;
        service.run_until(signals);
        Ok(())
    },
};

/// The running service.
pub struct Service {
    pub app: Arc<App>,
    server: Arc<Server>,
}

impl Service {
    /// Opens the database and begins to serve; returns at once.
    pub fn start(config: Config) -> Result<Service, Stop> {
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
        let app = App::start(config, store, Clock::system(), &metrics).map_err(Stop::failed)?;
        let server = Server::start(listen, options, app.clone())
            .map_err(|e| Stop::Failed(format!("can't listen on {listen}: {e}")))?;
        let server = Arc::new(server);
        show(&metrics, &app, &server, app.config.db.clone());
        if let Some(address) = ops_listen {
            let store = app.store.clone();
            let ready = Arc::new(move || store.ready().map_err(|e| e.to_string()));
            ops::listener::start(address, metrics, ready).map_err(|e| {
                Stop::Failed(format!("can't listen on {address} (ops_listen): {e}"))
            })?;
        }
        log::info!("address={} listening", server.local_addr());
        Ok(Service { app, server })
    }

    /// Serves until a signal comes, then lets running requests finish and tells tabs to reconnect.
    /// A second signal ends it at once.
    pub fn run_until(self, mut signals: Signals) {
        let signal = signals.forever().next();
        log::info!("signal={} stopping", signal.unwrap_or(0));
        let handle = signals.handle();
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                std::process::exit(130);
            }
        });
        self.stop();
        handle.close();
    }

    pub fn stop(self) {
        self.app.live.shutdown();
        self.server.shutdown(GRACE);
        if let Err(e) = self.app.store.settle() {
            log::warn!("{e}");
        }
        log::info!("stopped");
    }
}

/// What the rooms know anyway, read when the operator asks.
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
