//! People who just want to be served meanwhile: how long they wait.
use super::dial;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// At once.
const PEOPLE: u8 = 4;
/// Between two requests of one of them.
const PAUSE: Duration = Duration::from_millis(50);

pub struct Others {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Duration>>>,
}

/// How long requests took, new connection included.
pub struct Waits(Vec<Duration>);

impl Others {
    pub fn start(server: SocketAddr) -> Others {
        let stop = Arc::new(AtomicBool::new(false));
        let person = |number: u8| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    waits.push(ask(Ipv4Addr::new(127, 2, 0, number), server));
                    std::thread::sleep(PAUSE);
                }
                waits
            })
        };
        let threads = (1..=PEOPLE).map(person).collect();
        Others { stop, threads }
    }

    pub fn stop(self) -> Waits {
        self.stop.store(true, Ordering::Relaxed);
        let mut all: Vec<Duration> =
            self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        all.sort();
        Waits(all)
    }

    /// For so long.
    pub fn watch(server: SocketAddr, time: Duration) -> Waits {
        let others = Others::start(server);
        std::thread::sleep(time);
        others.stop()
    }
}

impl Waits {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// In milliseconds, the value that this share of all stays below.
    pub fn at(&self, share: f64) -> f64 {
        let index = (self.0.len() as f64 * share) as usize;
        self.0[index.min(self.0.len() - 1)].as_secs_f64() * 1000.0
    }
}

/// One page over a connection of its own, whole; anything but that fails the test.
fn ask(own: Ipv4Addr, server: SocketAddr) -> Duration {
    let since = Instant::now();
    let mut stream = dial::from(own, server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("</html>") || answer.ends_with("</html>\n"), "{answer}");
    since.elapsed()
}
