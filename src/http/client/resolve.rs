//! Names to addresses. `getaddrinfo` blocks, so it runs on a few threads of its own; a name that
//! hangs there costs its callers their deadline and nobody else anything but a thread.
use super::CallError;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 4;
/// Lookups waiting for a thread; past it a caller is told at once.
const QUEUE: usize = 256;
/// How long an answer serves. Short: a posta-server at home may move.
const FRESH: Duration = Duration::from_secs(30);
const MAX_CACHED: usize = 2_000;
/// Addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 16;

type Found = Result<Vec<IpAddr>, String>;

struct Question {
    host: String,
    answer: may::sync::mpsc::Sender<Found>,
}

pub struct Resolver {
    queue: SyncSender<Question>,
    cache: Mutex<HashMap<String, (Vec<IpAddr>, Instant)>>,
}

impl Resolver {
    pub fn new() -> Resolver {
        let (queue, questions) = sync_channel(QUEUE);
        let questions = Arc::new(Mutex::new(questions));
        for number in 1..=THREADS {
            let questions = questions.clone();
            thread::Builder::new()
                .name(format!("resolve-{number}"))
                .spawn(move || serve(&questions))
                .expect("a thread can be started");
        }
        Resolver { queue, cache: Mutex::default() }
    }

    /// All addresses of `host`, which may be an address itself.
    pub fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, CallError> {
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse() {
            return Ok(vec![address]);
        }
        if let Some((addresses, since)) = self.cache().get(host)
            && since.elapsed() < FRESH
        {
            return Ok(addresses.clone());
        }
        let (answer, receiver) = may::sync::mpsc::channel();
        self.queue
            .try_send(Question { host: host.to_owned(), answer })
            .map_err(|_| CallError::Resolve("too many names are being looked up".into()))?;
        let left = until.saturating_duration_since(Instant::now());
        let found = receiver.recv_timeout(left).map_err(|_| CallError::Timeout("name"))?;
        let addresses = found.map_err(CallError::Resolve)?;
        let mut cache = self.cache();
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, (_, since)| since.elapsed() < FRESH);
            if cache.len() >= MAX_CACHED {
                cache.clear();
            }
        }
        cache.insert(host.to_owned(), (addresses.clone(), Instant::now()));
        Ok(addresses)
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<String, (Vec<IpAddr>, Instant)>> {
        self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn serve(questions: &Mutex<Receiver<Question>>) {
    loop {
        let next = questions.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        let Ok(Question { host, answer }) = next else { return };
        let found = match (host.as_str(), 0).to_socket_addrs() {
            Ok(found) => {
                let mut addresses: Vec<IpAddr> = Vec::new();
                for address in found.map(|a: SocketAddr| a.ip()) {
                    if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
                        addresses.push(address);
                    }
                }
                if addresses.is_empty() { Err("no address".into()) } else { Ok(addresses) }
            }
            Err(e) => Err(e.to_string()),
        };
        // The caller may have given up.
        let _ = answer.send(found);
    }
}
