//! What whole-program tests share: the real binary as a process, demo posta-servers, an event
//! stream. Each test uses its part.
#![allow(dead_code)]

pub mod chat;
pub mod clock;
pub mod hostile;
pub mod participant;
pub mod passkey;
pub mod posta;
pub mod process;
pub mod stream;

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Tries until there is an answer.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = attempt() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
