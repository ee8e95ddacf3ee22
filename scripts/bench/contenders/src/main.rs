//! Measures chat-posta beside others: `scripts/bench/all` builds and starts it.
//!
//!   bench PROGRAM [a|b|c|d|e|f|g …]       PROGRAM is chat-posta; without a part, all of them
//!
//! Everything happens on loopback addresses of this machine: chat-posta and each contender are
//! processes of their own, the posta-servers and all browsers are in this one. Where two are compared
//! they take turns within one run, and what counts is the median of the turns' ratios.
mod http;
mod load;
mod parts;
#[allow(dead_code)]
#[path = "../../../../tests/support/passkey.rs"]
mod passkey;
mod people;
mod process;
mod stats;
mod tabs;
mod upstream;
mod world;

use parts::{Bench, PARTS};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(program) = arguments.next().map(PathBuf::from) else {
        eprintln!("bench PROGRAM [a|b|c|d|e|f|g …]");
        return ExitCode::from(2);
    };
    let wanted: Vec<String> = arguments.collect();
    if let Some(unknown) = wanted.iter().find(|name| !PARTS.iter().any(|part| part.name == **name))
    {
        eprintln!("there is no part {unknown}");
        return ExitCode::from(2);
    }
    let mut bench = Bench::new(program);
    for part in PARTS {
        if wanted.is_empty() || wanted.iter().any(|name| name == part.name) {
            println!("\n## ({}) {}", part.name, part.title);
            (part.run)(&mut bench);
        }
    }
    if bench.targets.print() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
