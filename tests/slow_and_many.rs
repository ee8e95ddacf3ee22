//! Clients that are slow, silent, deaf or too many: others are served throughout, memory stays
//! bounded, and every such connection is gone after its deadline. CHAT_POSTA_CROWD=full is the full
//! size, with 10,000 idle connections (`scripts/harden flood`).
#[path = "crowd/attackers.rs"]
mod attackers;
#[path = "support/dial.rs"]
#[allow(dead_code)]
mod dial;
#[path = "crowd/gauge.rs"]
mod gauge;
#[path = "crowd/others.rs"]
mod others;
mod support;

use attackers::{Crowd, KINDS, Kind};
use gauge::{Gauge, held};
use others::Others;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;
use support::until;

/// What a busy machine may add to a deadline, in seconds.
const SLACK: u64 = 10;
/// Bytes one held connection may cost: the pages of its coroutine's stack that were touched, its
/// buffers, its place.
const PER_CONNECTION: u64 = if cfg!(debug_assertions) { 96 * 1024 } else { 32 * 1024 };

struct Size {
    of_each: usize,
    idle: usize,
    /// Between two connections of the address that floods.
    pause: Duration,
}

fn size() -> Size {
    if std::env::var("CHAT_POSTA_CROWD").is_ok_and(|size| size == "full") {
        Size { of_each: 150, idle: 10_000, pause: Duration::ZERO }
    } else {
        Size { of_each: 40, idle: 300, pause: Duration::from_millis(5) }
    }
}

/// This process and the service it starts may each open what all of them need.
fn raise_limits(connections: usize) {
    let hard = getrlimit(Resource::Nofile).maximum;
    // The service leaves a quarter for other things.
    let wanted = (connections as u64 + 1_000) * 3 / 2;
    assert!(hard.is_none_or(|hard| hard >= wanted), "ulimit -Hn is below {wanted}");
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: hard }).unwrap();
}

/// Something large that anyone may ask for.
fn large_file(chat: &Chat) -> String {
    let page = chat.get("/login", "").body;
    let mut files = page.split('"').filter(|text| text.starts_with("/static/"));
    files.find(|path| path.ends_with("base.css")).expect("a sheet").to_owned()
}

#[test]
fn slow_silent_deaf_and_many() {
    let Size { of_each, idle, pause } = size();
    raise_limits(idle + of_each * KINDS.len());
    let posta = Posta::start("alice", &[]);
    // Loopback is no proxy here: each address is a client of its own.
    let chat = Chat::start(&["--trusted-proxies", "192.0.2.1"]);
    let server: SocketAddr = chat.origin.replace("http://localhost", "127.0.0.1").parse().unwrap();
    let (_, cookie) = chat.sign_up(&chat.invite(), &posta.pairing);
    let page = large_file(&chat);
    let gauge = Gauge(chat.pid());

    let before = Others::watch(server, Duration::from_secs(5));
    let (memory, descriptors) = (gauge.resident(), gauge.descriptors());
    let others = Others::start(server);
    let stop = AtomicBool::new(false);
    let (meanwhile, flooded, peak) = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| attackers::flood(server, &stop, pause));
        // Also when something fails: the scope waits for its threads.
        let end = End(&stop);
        let tab = deaf_tab(&chat, &cookie, server);
        let come = |kind: Kind| {
            let count = if kind == Kind::Idle { idle } else { of_each };
            Crowd::come(kind, count, server, &page)
        };
        let mut crowds: Vec<Crowd> = KINDS.map(come).into();
        let all: usize = crowds.iter().map(Crowd::count).sum();
        let mut peak = gauge.resident();
        println!("{all} connections held, {} MiB resident", peak >> 20);
        // A deaf tab: two heartbeats and the time that nothing is acknowledged.
        let since = Instant::now();
        let mut tab_gone = false;
        while !crowds.is_empty() || !tab_gone {
            std::thread::sleep(Duration::from_secs(1));
            peak = peak.max(gauge.resident());
            crowds.iter_mut().for_each(Crowd::go_on);
            let held = held(server.port());
            crowds.retain_mut(|crowd| !is_gone(crowd, &held));
            tab_gone |= held[usize::from(TAB)] == 0;
            assert!(tab_gone || since.elapsed().as_secs() < 60 + SLACK, "the tab stays");
        }
        drop(tab);
        drop(end);
        (others.stop(), flooding.join().unwrap(), peak)
    });

    let ratio = meanwhile.at(0.5) / before.at(0.5);
    println!(
        "others waited {:.1} ms before and {:.1} ms meanwhile (p50, {ratio:.2} times), {:.1} and \
         {:.1} ms (p99); {} requests, all answered",
        before.at(0.5),
        meanwhile.at(0.5),
        before.at(0.99),
        meanwhile.at(0.99),
        meanwhile.count(),
    );
    println!(
        "the flooding address held {} connections and was refused {} times; memory {} MiB at rest, \
         {} MiB at most",
        flooded.0,
        flooded.1,
        memory >> 20,
        peak >> 20,
    );
    assert!(ratio < 10.0 || meanwhile.at(0.5) < 100.0, "others wait too long");
    assert!(flooded.1 > 10, "the cap for one address holds");
    let connections = (idle + of_each * (KINDS.len() - 1) + 256) as u64;
    assert!(
        peak < memory + connections * PER_CONNECTION,
        "{} KiB each",
        (peak - memory) / connections / 1024
    );
    until("all descriptors are given back", || {
        (gauge.descriptors() <= descriptors + 8).then_some(())
    });
}

/// Ends the flood when it goes.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The second number of the address of the tab that goes deaf.
const TAB: u8 = 50;

/// A tab that is open and live, and whose cable is cut.
fn deaf_tab(chat: &Chat, cookie: &str, server: SocketAddr) -> std::net::TcpStream {
    use std::io::{Read, Write};
    let mut tab = dial::from([127, TAB, 0, 1].into(), server).unwrap();
    let host = chat.origin.trim_start_matches("http://");
    let head = format!(
        "GET /events?tab=deaf&peer=&visible=1 HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
    );
    tab.write_all(head.as_bytes()).unwrap();
    tab.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let mut heard = String::new();
    while !heard.contains("event: hello") {
        let mut piece = [0; 1024];
        let count = tab.read(&mut piece).unwrap();
        assert!(count > 0, "{heard}");
        heard += &String::from_utf8_lossy(&piece[..count]);
    }
    dial::deafen(&tab);
    tab
}

/// Whether the server has let go of all of them; too late fails the test.
fn is_gone(crowd: &mut Crowd, held: &[usize; 256]) -> bool {
    let (kind, took) = (crowd.kind, crowd.since.elapsed().as_secs());
    let left = held[usize::from(attackers::second_number(kind))];
    if left > 0 {
        assert!(took <= kind.deadline() + SLACK, "{left} of {kind:?} are there after {took} s");
        return false;
    }
    println!("{} of {kind:?} were gone after {took} s", crowd.count());
    let told = crowd.told();
    match kind {
        Kind::SlowHead | Kind::SlowBody | Kind::NoBody => {
            assert!(
                !told.is_empty() && told.iter().all(|status| *status == 408),
                "{kind:?}: {told:?}"
            );
        }
        Kind::Silent => assert!(told.is_empty(), "idling is no offence: {told:?}"),
        _ => {}
    }
    true
}
