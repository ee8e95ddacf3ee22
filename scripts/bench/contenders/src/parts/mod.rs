//! The parts of the benchmark, as the targets name them.
mod added;
mod events;
mod growth;
mod idle;
mod memory;
mod pages;
mod start;

use crate::stats::Targets;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub struct Part {
    pub name: &'static str,
    pub title: &'static str,
    pub run: fn(&mut Bench),
}

pub const PARTS: &[Part] = &[
    Part { name: "a", title: "Requests a second, 64 keep-alive connections", run: pages::run },
    Part { name: "b", title: "Resident memory", run: memory::run },
    Part { name: "c", title: "From an upstream event to the tabs", run: events::run },
    Part { name: "d", title: "Time added to the posta-server's own", run: added::run },
    Part { name: "e", title: "Start to first answer", run: start::run },
    Part { name: "f", title: "Processor time of idle users", run: idle::run },
    Part { name: "g", title: "How each grows as its load doubles", run: growth::run },
];

/// What every part needs.
pub struct Bench {
    program: PathBuf,
    directory: PathBuf,
    pub targets: Targets,
    /// Turns of each comparison; at least 5 for figures that are told.
    pub rounds: usize,
    /// How long one turn of load lasts.
    pub turn: Duration,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Bench {
    pub fn new(program: PathBuf) -> Bench {
        let directory =
            std::env::temp_dir().join(format!("chat-posta-bench-{}", std::process::id()));
        let set = |name: &str| std::env::var(name).ok()?.parse::<f64>().ok();
        Bench {
            program,
            directory,
            targets: Targets::default(),
            rounds: set("BENCH_ROUNDS").map_or(5, |rounds| rounds as usize),
            turn: Duration::from_secs_f64(set("BENCH_SECONDS").unwrap_or(1.0)),
        }
    }

    /// A directory of this name, empty.
    pub fn directory(&self, name: &str) -> PathBuf {
        let directory = self.directory.join(name);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("the directory can be made");
        directory
    }

    /// The same as it was left.
    pub fn existing(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// Descriptors that this process, and each that it starts, may have.
pub fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| limit as usize)
}
