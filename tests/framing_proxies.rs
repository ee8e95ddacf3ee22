//! With a real Caddy, nginx or HAProxy in front, no case makes proxy and chat-posta disagree about
//! where a request ends. Each case goes through each proxy; a tap on the wire between the two keeps
//! what they say. Four views of it must agree: the proxy's own log, a strict reader of the bytes on
//! the wire, the answers chat-posta gave, and a second client whose request comes next on the same
//! connections.
#[path = "framing/mod.rs"]
mod framing;
#[path = "framing/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "framing/tap.rs"]
mod tap;
#[path = "framing/wire.rs"]
mod wire;

use framing::cases::{self, Case, Outcome};
use framing::{PROBE, is_probe_answered, statuses};
use proxy::{Kind, Proxy};
use server::Server;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tap::Tap;

/// Cases at once for one proxy.
const LANES: usize = 8;
/// A client that hears nothing for so long gives up.
const SILENCE: Duration = Duration::from_millis(1500);
/// How long two logs may take to agree on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn caddy_agrees() {
    agree(Kind::Caddy);
}

#[test]
fn nginx_agrees() {
    agree(Kind::Nginx);
}

#[test]
fn haproxy_agrees() {
    agree(Kind::Haproxy);
}

fn agree(kind: Kind) {
    let chat = Server::start(&[]);
    let taps: Vec<Tap> = (0..LANES).map(|_| Tap::start(chat.address)).collect();
    let upstreams: Vec<SocketAddr> = taps.iter().map(|tap| tap.address).collect();
    let proxy = Proxy::start(kind, &upstreams);
    let cases = cases::all();
    let (wrong, totals) = (Mutex::new(Vec::new()), Mutex::new(Seen::default()));
    std::thread::scope(|scope| {
        for (number, tap) in taps.iter().enumerate() {
            let address = proxy.lanes[number];
            let mut lane = Lane { proxy: &proxy, address, tap, unheard: 0 };
            let (cases, wrong, totals) = (&cases, &wrong, &totals);
            scope.spawn(move || {
                for case in cases.iter().skip(number).step_by(LANES) {
                    if let Err(why) = lane.play(case) {
                        wrong.lock().unwrap().push(why);
                        return; // what comes after is no proof any more
                    }
                }
                let Seen { on_the_wire, ambiguous, .. } = lane.seen();
                let mut totals = totals.lock().unwrap();
                totals.on_the_wire += on_the_wire;
                totals.ambiguous += ambiguous;
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let Seen { on_the_wire, ambiguous, .. } = totals.into_inner().unwrap();
    println!(
        "{kind:?}: {} cases; {on_the_wire} requests passed on, of which {ambiguous} were refused as \
         ambiguous",
        cases.len()
    );
    // Each case is followed by one that must arrive.
    assert!(on_the_wire > cases.len());
}

/// One listener of the proxy, and the wire behind it.
struct Lane<'a> {
    proxy: &'a Proxy,
    address: SocketAddr,
    tap: &'a Tap,
    /// Requests the proxy passed on that nobody else took for requests: they came behind one that
    /// chat-posta refused, on the same connection.
    unheard: usize,
}

/// What all cases of a lane came to so far, on the way from the proxy to chat-posta.
#[derive(Debug, Default)]
struct Seen {
    on_the_wire: usize,
    /// On connections that ended with this.
    ambiguous: usize,
    problems: Vec<String>,
}

impl Lane<'_> {
    fn play(&mut self, case: &Case) -> Result<(), String> {
        let answered = self.ask(&case.bytes, &case.outcome);
        // Somebody else's request comes next on whatever connection the proxy keeps.
        let next = self.ask(PROBE, &Outcome::Kept(Vec::new()));
        let until = Instant::now() + PATIENCE;
        let before = self.seen().ambiguous;
        loop {
            let mut seen = self.seen();
            let passed_on = self.proxy.log(self.address);
            let unheard = passed_on.len().checked_sub(seen.on_the_wire);
            let agreed = unheard == Some(self.unheard)
                || seen.ambiguous > before && unheard.is_some_and(|more| more > self.unheard);
            if !agreed {
                let last = &passed_on[passed_on.len().saturating_sub(4)..];
                let count = passed_on.len();
                seen.problems.push(format!("the proxy says it passed on {count}: … {last:?}"));
            }
            if !is_probe_answered(&next) || statuses(&next) != [200] {
                let next = String::from_utf8_lossy(&next);
                seen.problems.push(format!("the next client was answered {next:?}"));
            }
            if seen.problems.is_empty() {
                self.unheard = unheard.unwrap_or(0);
                return Ok(());
            }
            if Instant::now() > until {
                let Case { class, section, name, bytes, .. } = case;
                return Err(format!(
                    "{class}, {name} ({section}):\n  {:?}\n  answered {:?}\n  {seen:?}",
                    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]),
                    statuses(&answered),
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What has come over the wire, and whether both sides agree on it.
    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for heard in self.tap.heard() {
            let read = wire::read(&heard.from_proxy);
            let answers = statuses(&heard.from_chat);
            let (asked, answered) = (read.requests.len(), answers.len());
            let agreed = if read.is_ambiguous {
                // Whatever the proxy meant: chat-posta took nothing that follows for a request.
                answered <= asked && heard.chat_ended
            } else {
                // The last one may have been given up, or be refused before its head was whole.
                answered == asked || read.is_cut && answered.abs_diff(asked) == 1
            };
            if !agreed {
                seen.problems.push(format!("{read:?} was answered {answers:?}"));
            }
            seen.ambiguous += usize::from(read.is_ambiguous);
            seen.on_the_wire += asked;
        }
        seen
    }

    /// Sends `bytes` and the probe, and hears what comes until the probe is answered, the connection
    /// ends, or nothing comes any more.
    fn ask(&self, bytes: &[u8], expected: &Outcome) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        // The proxy may have had enough already.
        let _ = stream.write_all(bytes);
        let is_last = bytes == PROBE || matches!(expected, Outcome::Cut(_));
        if !is_last {
            let _ = stream.write_all(PROBE);
        }
        let mut all = Vec::new();
        let mut piece = [0; 16 * 1024];
        let mut since = Instant::now();
        let silence = if bytes == PROBE { PATIENCE } else { SILENCE };
        while !is_probe_answered(&all) {
            match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => {
                    all.extend_from_slice(&piece[..count]);
                    since = Instant::now();
                }
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => break,
                Err(_) if since.elapsed() > silence => break,
                Err(_) => {}
            }
        }
        all
    }
}
