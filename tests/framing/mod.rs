//! What the framing suites share: the cases, the ways a request may come in pieces, and what is seen
//! of the answers.
#![allow(dead_code)]

pub mod cases;
pub mod feed;

use cases::Outcome;

/// Sent behind each case: its answer is known by its body.
pub const PROBE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// The statuses of all answers in `all`, interim ones left out. Bodies of ours hold no status line.
pub fn statuses(all: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(all);
    let lines = text.split("HTTP/1.1 ").skip(1);
    let numbers = lines.filter_map(|rest| {
        let (number, _) = rest.split_once(' ')?;
        (number.len() == 3).then(|| number.parse().ok())?
    });
    numbers.filter(|status| *status >= 200).collect()
}

/// Whether the probe has been answered.
pub fn is_probe_answered(all: &[u8]) -> bool {
    all.ends_with(b"\r\n\r\nok\n")
}

/// What happened: the answers, the probe's own left out, and how it ended. `expected` tells what was
/// tried: a client that ended its side cannot tell waiting from ending.
pub fn outcome(all: &[u8], ended: bool, expected: &Outcome) -> Outcome {
    let mut statuses = statuses(all);
    if is_probe_answered(all) {
        statuses.pop();
        return Outcome::Kept(statuses);
    }
    match expected {
        Outcome::Cut(_) => Outcome::Cut(statuses),
        Outcome::Waits(_) if ended => Outcome::Waits(statuses),
        _ if ended => Outcome::Ended(statuses),
        _ => Outcome::Waits(statuses),
    }
}
