//! Names to addresses. `getaddrinfo` blocks, so it runs on a few threads of its own. A name that
//! hangs there costs its callers their deadline, and everybody else no more than one of the threads.
use super::CallError;
use super::promise::Promise;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Threads, started when they are needed: as many names may hang before others wait.
const MAX_THREADS: usize = 8;
/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(60);
/// Names waiting for a thread; past it a caller is told at once.
const MAX_QUEUE: usize = 256;
/// How long an answer serves. Short: a posta-server at home may move.
const FRESH: Duration = Duration::from_secs(30);
const MAX_CACHED: usize = 2_048;
/// Addresses of one name that are looked at. All are judged, so more than these are none.
const MAX_ADDRESSES: usize = 32;
/// Longest name (RFC 1035 §2.3.4), with a final dot.
const MAX_NAME: usize = 254;

type Found = Result<Vec<IpAddr>, String>;
type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

pub struct Resolver(Arc<Inner>);

struct Inner {
    lookup: Box<Lookup>,
    books: Mutex<Books>,
    asked: Condvar,
}

#[derive(Default)]
struct Books {
    queue: VecDeque<String>,
    /// Who waits for each name that is asked for or being looked up.
    waiting: HashMap<String, Waiting>,
    cache: HashMap<String, (Vec<IpAddr>, Instant)>,
    threads: usize,
    idle: usize,
}

struct Waiting {
    promises: Vec<Promise<Found>>,
    /// When the last of them gives up.
    until: Instant,
}

impl Resolver {
    /// As the system resolves.
    #[expect(clippy::disallowed_methods, reason = "looked up on the resolver's own threads")]
    pub fn system() -> Resolver {
        Resolver::new(|host| Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
    }

    fn new(lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Resolver {
        let books = Mutex::default();
        Resolver(Arc::new(Inner { lookup: Box::new(lookup), books, asked: Condvar::new() }))
    }

    /// All addresses of `host`, never none. It may be an address itself.
    pub fn addresses(&self, host: &str, until: Instant) -> Result<Vec<IpAddr>, CallError> {
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse() {
            return Ok(vec![address]);
        }
        if is_local(host) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        if host.len() > MAX_NAME {
            return Err(CallError::Resolve("the name is too long".into()));
        }
        let promise = {
            let mut books = self.0.lock();
            let cached = books.cache.get(host).filter(|(_, since)| since.elapsed() < FRESH);
            if let Some((addresses, _)) = cached {
                return Ok(addresses.clone());
            }
            self.0.ask(&mut books, host, until)?
        };
        let found = promise.wait(until).ok_or(CallError::Timeout("looking the name up"))?;
        found.map_err(CallError::Resolve)
    }
}

/// What is always this host, as browsers have it too (RFC 6761 §6.3): no name server is asked, and no
/// file, which an empty root has not.
fn is_local(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those who wait for `host`, or asks for it.
    fn ask(
        self: &Arc<Self>,
        books: &mut Books,
        host: &str,
        until: Instant,
    ) -> Result<Promise<Found>, CallError> {
        let promise = Promise::new();
        if let Some(waiting) = books.waiting.get_mut(host) {
            waiting.promises.push(promise.clone());
            waiting.until = waiting.until.max(until);
            return Ok(promise);
        }
        if books.queue.len() >= MAX_QUEUE {
            return Err(CallError::Resolve("too many names are being looked up".into()));
        }
        if books.idle <= books.queue.len() && books.threads < MAX_THREADS {
            let inner = self.clone();
            let name = format!("resolve-{}", books.threads + 1);
            match thread::Builder::new().name(name).spawn(move || inner.serve()) {
                Ok(_) => books.threads += 1,
                Err(e) if books.threads == 0 => return Err(CallError::Resolve(e.to_string())),
                Err(_) => {}
            }
        }
        books.queue.push_back(host.to_owned());
        books.waiting.insert(host.to_owned(), Waiting { promises: vec![promise.clone()], until });
        self.asked.notify_one();
        Ok(promise)
    }

    fn serve(&self) {
        while let Some(host) = self.next() {
            let found = self.look_up(&host);
            let mut books = self.lock();
            if let Ok(addresses) = &found {
                books.remember(&host, addresses);
            }
            let waiting = books.waiting.remove(&host);
            drop(books);
            for promise in waiting.into_iter().flat_map(|w| w.promises) {
                promise.keep(found.clone());
            }
        }
    }

    fn look_up(&self, host: &str) -> Found {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in (self.lookup)(host).map_err(|e| e.to_string())? {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        match addresses.len() {
            0 => Err("it has no address".into()),
            1..=MAX_ADDRESSES => Ok(addresses),
            _ => Err("it has too many addresses".into()),
        }
    }

    /// A name that someone still wants; `None` when there was none for long.
    #[expect(clippy::disallowed_methods, reason = "the resolver's own threads")]
    fn next(&self) -> Option<String> {
        let mut books = self.lock();
        loop {
            while let Some(host) = books.queue.pop_front() {
                let now = Instant::now();
                if books.waiting.get(&host).is_some_and(|waiting| waiting.until > now) {
                    return Some(host);
                }
                books.waiting.remove(&host);
            }
            books.idle += 1;
            let waited = self.asked.wait_timeout(books, IDLE);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            books = guard;
            books.idle -= 1;
            if timeout.timed_out() && books.queue.is_empty() {
                books.threads -= 1;
                return None;
            }
        }
    }
}

impl Books {
    fn remember(&mut self, host: &str, addresses: &[IpAddr]) {
        if self.cache.len() >= MAX_CACHED {
            self.cache.retain(|_, (_, since)| since.elapsed() < FRESH);
        }
        if self.cache.len() < MAX_CACHED {
            self.cache.insert(host.to_owned(), (addresses.to_vec(), Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::alarm;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(100)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn one() -> Vec<IpAddr> {
        vec!["192.0.2.1".parse().unwrap()]
    }

    #[test]
    fn literals_and_the_local_name_need_no_server() {
        alarm::start().unwrap();
        let resolver = Resolver::system();
        for (host, address) in
            [("10.0.0.1", "10.0.0.1"), ("[::1]", "::1"), ("[2001:db8::1]", "2001:db8::1")]
        {
            let expected: Vec<IpAddr> = vec![address.parse().unwrap()];
            assert_eq!(resolver.addresses(host, later()).unwrap(), expected);
        }
        for local in ["localhost", "LocalHost.", "chat.localhost"] {
            let found = resolver.addresses(local, later()).unwrap();
            assert!(found.len() == 2 && found.iter().all(IpAddr::is_loopback), "{local}");
        }
        assert!(!is_local("localhost.example") && !is_local("notlocalhost"));
        let nobody = resolver.addresses("nobody.invalid", later());
        assert!(matches!(nobody, Err(CallError::Resolve(_))));
    }

    #[test]
    fn who_asks_for_the_same_shares_the_answer() {
        alarm::start().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let resolver = Arc::new(Resolver::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(100));
            Ok([one(), one()].concat())
        }));
        let together: Vec<_> = (0..10)
            .map(|_| {
                let resolver = resolver.clone();
                thread::spawn(move || resolver.addresses("a", later()).unwrap())
            })
            .collect();
        together.into_iter().for_each(|asker| assert_eq!(asker.join().unwrap(), one()));
        assert_eq!(resolver.addresses("a", later()).unwrap(), one());
        assert_eq!(asked.load(Ordering::SeqCst), 1, "at once, and from memory");
        resolver.addresses("b", later()).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn names_that_hang_take_threads_and_not_for_what_nobody_wants_any_more() {
        alarm::start().unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let resolver = Resolver::new(move |host| {
            seen.lock().unwrap().push(host.to_owned());
            if host.starts_with("hangs") {
                let _ = held.lock().unwrap().recv();
            }
            Ok(one())
        });
        let resolver = Arc::new(resolver);
        let hang = |name: String| {
            let (asker, host) = (resolver.clone(), name.clone());
            thread::spawn(move || asker.addresses(&host, later()));
            while !asked.lock().unwrap().contains(&name) {
                thread::yield_now();
            }
        };
        (1..MAX_THREADS).for_each(|n| hang(format!("hangs-{n}")));
        assert_eq!(resolver.addresses("works", later()).unwrap(), one(), "one thread is left");
        hang("hangs-last".into());
        let unwanted = resolver.addresses("unwanted", soon());
        assert!(matches!(unwanted, Err(CallError::Timeout(_))), "no thread is left");
        drop(release);
        assert_eq!(resolver.addresses("at last", later()).unwrap(), one());
        let asked = asked.lock().unwrap();
        assert!(!asked.iter().any(|host| host == "unwanted"), "{asked:?}");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        alarm::start().unwrap();
        let resolver = Resolver::new(|host| match host {
            "none" => Ok(Vec::new()),
            "many" => {
                Ok((0..=MAX_ADDRESSES as u32).map(|n| IpAddr::from(n.to_be_bytes())).collect())
            }
            _ => Err(io::Error::other("no such name")),
        });
        for (host, text) in [
            ("none", "it has no address"),
            ("many", "it has too many addresses"),
            ("else", "no such name"),
            (&"x".repeat(300), "the name is too long"),
        ] {
            match resolver.addresses(host, later()) {
                Err(CallError::Resolve(why)) => assert_eq!(why, text),
                other => panic!("{host}: {other:?}"),
            }
        }
    }
}
