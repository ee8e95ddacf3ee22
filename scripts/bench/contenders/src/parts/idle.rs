//! (f) Processor time of live users of whom nobody does anything.
use super::Bench;
use crate::world::World;
use std::time::{Duration, Instant};

const USERS: usize = 1_000;
const MINUTE: Duration = Duration::from_secs(60);

pub fn run(bench: &mut Bench) {
    let share = share(bench, USERS, MINUTE);
    println!("{USERS} live users, idle for a minute: {share:.2} % of one core");
    bench.targets.at_most("(f) 1,000 idle live users", share, 0.5, "% of one core");
}

/// Percent of one core.
pub fn share(bench: &Bench, users: usize, time: Duration) -> f64 {
    let mut world = World::new(bench, "idle", users, false);
    world.come(0..users, 1);
    world.settle();
    let (since, before) = (Instant::now(), world.service.cpu());
    world.tabs.drain(time);
    (world.service.cpu() - before) / since.elapsed().as_secs_f64() * 100.0
}
