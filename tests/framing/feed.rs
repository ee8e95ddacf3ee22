//! Feeds many connections at once, each in pieces of its own, so that every piece is a read of its
//! own on the other side: a piece goes out when the server has taken the one before, which the kernel
//! tells (`/proc/net/tcp`).
#[path = "../support/dial.rs"]
#[allow(dead_code)]
mod dial;

use super::cases::{Case, Outcome};
use super::{PROBE, is_probe_answered, outcome};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than any answer takes on a busy machine, and shorter than every deadline of the server.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections that are fed in step.
const AT_ONCE: usize = 400;
/// As many bytes of all of them: each must be done long before the server's deadlines.
const PIECES_AT_ONCE: usize = 6_000;

/// One case on one connection, cut at these places.
pub struct Plan<'c> {
    pub case: &'c Case,
    pub cuts: Vec<usize>,
}

/// Plays all plans; what happened, in their order. Those with most pieces should come last.
pub fn play(server: SocketAddr, mut plans: &[Plan<'_>]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while !plans.is_empty() {
        let (mut count, mut pieces) = (0, 0);
        while count < plans.len().min(AT_ONCE) && pieces < PIECES_AT_ONCE {
            pieces += plans[count].cuts.len() + 1;
            count += 1;
        }
        let (now, later) = plans.split_at(count);
        outcomes.extend(play_at_once(server, now));
        plans = later;
    }
    outcomes
}

fn play_at_once(server: SocketAddr, plans: &[Plan<'_>]) -> Vec<Outcome> {
    let mut streams: Vec<TcpStream> = plans.iter().map(|_| connect(server)).collect();
    let rounds = plans.iter().map(|plan| plan.cuts.len() + 1).max().unwrap_or(0);
    for round in 0..rounds {
        for (stream, plan) in streams.iter_mut().zip(plans) {
            let Some(piece) = plan.piece(round) else { continue };
            // The server may have had enough already.
            let _ = stream.write_all(piece);
            if round == plan.cuts.len() {
                finish(stream, &plan.case.outcome);
            }
        }
        if round + 1 < rounds {
            until_taken(server);
        }
    }
    let outcomes = streams.iter_mut().zip(plans);
    outcomes.map(|(stream, plan)| watch(stream, &plan.case.outcome)).collect()
}

impl Plan<'_> {
    fn piece(&self, round: usize) -> Option<&[u8]> {
        let from = if round == 0 { 0 } else { *self.cuts.get(round - 1)? };
        let to = self.cuts.get(round).copied().unwrap_or(self.case.bytes.len());
        self.case.bytes.get(from..to)
    }
}

/// What comes behind the last piece.
fn finish(stream: &mut TcpStream, expected: &Outcome) {
    if !matches!(expected, Outcome::Cut(_)) {
        let _ = stream.write_all(PROBE);
    }
    if matches!(expected, Outcome::Cut(_) | Outcome::Waits(_)) {
        let _ = stream.shutdown(Shutdown::Write);
    }
}

/// Reads to the probe's answer or to the end, whichever comes.
fn watch(stream: &mut TcpStream, expected: &Outcome) -> Outcome {
    let mut all = Vec::new();
    let mut piece = [0; 16 * 1024];
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        if is_probe_answered(&all) {
            break false;
        }
        match stream.read(&mut piece) {
            Ok(0) => break true,
            Ok(count) => all.extend_from_slice(&piece[..count]),
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => break true,
            Err(_) if Instant::now() > until => break false,
            Err(_) => {}
        }
    };
    outcome(&all, ended, expected)
}

/// From an address of its own: limits are for each.
fn connect(server: SocketAddr) -> TcpStream {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let own = Ipv4Addr::from(0x7f40_0000 | number & 0x003f_ffff);
    let stream = dial::from(own, server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    stream
}

/// Until nothing lies unread on the server's side of any connection.
fn until_taken(server: SocketAddr) {
    let until = Instant::now() + PATIENCE;
    while lies_unread(server.port()) {
        assert!(Instant::now() < until, "the server does not read");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// A line is `sl local:port remote:port state tx:rx …`, all in hexadecimal.
fn lies_unread(port: u16) -> bool {
    const ESTABLISHED: &str = "01";
    const CLOSE_WAIT: &str = "08";
    let local = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
    table.lines().skip(1).any(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(address), Some(state)) = (words.next(), words.nth(1)) else { return false };
        let unread = words.next().and_then(|queues| queues.split_once(':')).map(|(_, rx)| rx);
        address.ends_with(&local)
            && matches!(state, ESTABLISHED | CLOSE_WAIT)
            && unread.is_some_and(|rx| rx.bytes().any(|b| b != b'0'))
    })
}
