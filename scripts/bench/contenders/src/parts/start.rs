//! (e) From the start of the process to its first answer.
use super::Bench;
use crate::process::Service;
use crate::stats::median;

const STARTS: usize = 11;

pub fn run(bench: &mut Bench) {
    let fresh = (0..STARTS).map(|_| {
        let directory = bench.directory("fresh");
        Service::timed(bench.program(), &directory, &[]).1.as_secs_f64() * 1e3
    });
    let fresh = median(fresh.collect());
    let again = again(bench, 0);
    println!(
        "median of {STARTS}: {again:.1} ms, and {fresh:.1} ms when it makes its database first"
    );
    bench.targets.at_most("(e) start to first answer", again, 15.0, "ms");
}

/// With a database that is there, of so many people.
pub fn again(bench: &Bench, people: usize) -> f64 {
    let mut world = crate::world::World::new(bench, "again", people.max(1), false);
    world.come(0..people, 0);
    drop(world);
    let directory = bench.existing("again");
    let starts =
        (0..STARTS).map(|_| Service::timed(bench.program(), &directory, &[]).1.as_secs_f64() * 1e3);
    median(starts.collect())
}
