//! HTTP framing on the real binary: every case is fed whole, byte by byte, and split at every
//! boundary, and must have the same answers and the same end each way.
#[path = "framing/mod.rs"]
mod framing;
#[path = "support/server.rs"]
#[allow(dead_code)]
mod server;

use framing::cases::{self, Case, Outcome};
use framing::feed::{self, Plan};
use server::Server;
use std::collections::HashMap;

/// Bytes that repeat what stood up to `PERIOD` before them, for longer than this, are filler:
/// splitting it again and again tells nothing new.
const FILLER: usize = 100;
const PERIOD: usize = 24;
/// Inside filler, one boundary in so many.
const STRIDE: usize = 512;

/// Its own address for each connection, and limits for each: as from as many clients.
fn start() -> Server {
    Server::start(&["--trusted-proxies", "192.0.2.1"])
}

/// Every place where the bytes can be split, their end included: there the next request begins.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let is_filler = |at: usize| {
        let around = at.checked_sub(FILLER).and_then(|from| bytes.get(from..at + FILLER));
        around.is_some_and(|around| {
            (1..=PERIOD).any(|period| around[period..] == around[..around.len() - period])
        })
    };
    (1..=bytes.len()).filter(|at| at % STRIDE == 0 || !is_filler(*at)).collect()
}

/// Plays all plans and tells every case that did not go as its table says.
fn check(plans: &[Plan<'_>]) {
    let server = start();
    let outcomes = feed::play(server.address, plans);
    let mut wrong = Vec::new();
    for (plan, outcome) in plans.iter().zip(outcomes) {
        let Case { class, section, name, bytes, outcome: expected } = plan.case;
        if outcome != *expected && wrong.len() < 40 {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
            let cut = plan.cuts.first().filter(|_| plan.cuts.len() == 1);
            wrong.push(format!(
                "{class}, {name} ({section}), cut at {cut:?}:\n  {text:?}\n  expected {expected:?}, \
                 was {outcome:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn there_are_cases_enough_and_no_two_are_the_same() {
    let cases = cases::all();
    let mut seen = HashMap::new();
    let same: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let key = (&case.bytes, matches!(case.outcome, Outcome::Cut(_)));
            let Case { class, name, .. } = case;
            seen.insert(key, (class, name)).map(|other| format!("{class}, {name} = {other:?}"))
        })
        .collect();
    assert_eq!(same, [""; 0]);
    println!("{} cases", cases.len());
    assert!(cases.len() >= 200);
}

#[test]
fn whole() {
    let cases = cases::all();
    let plans: Vec<Plan<'_>> = cases.iter().map(|case| Plan { case, cuts: Vec::new() }).collect();
    check(&plans);
}

#[test]
fn byte_by_byte() {
    let cases = cases::all();
    let mut plans: Vec<Plan<'_>> =
        cases.iter().map(|case| Plan { case, cuts: boundaries(&case.bytes) }).collect();
    plans.sort_by_key(|plan| plan.cuts.len());
    check(&plans);
}

#[test]
fn split_at_every_boundary() {
    let cases = cases::all();
    let plans: Vec<Plan<'_>> = cases
        .iter()
        .flat_map(|case| {
            boundaries(&case.bytes).into_iter().map(move |at| Plan { case, cuts: vec![at] })
        })
        .collect();
    println!("{} connections", plans.len());
    check(&plans);
}
