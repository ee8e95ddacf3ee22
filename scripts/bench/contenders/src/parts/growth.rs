//! (g) How each of the others grows as its load doubles.
use super::added::{self, Call};
use super::{Bench, descriptors, events, idle, memory, start};
use crate::http::get;
use crate::load::{self, Load};
use crate::process::Service;
use crate::stats::{Table, at};
use crate::world::World;
use std::thread;
use std::time::Duration;

pub fn run(bench: &mut Bench) {
    let service = Service::start(bench.program(), &bench.directory("growth"), &[]);
    let mut table = Table::new(&["(a) connections", "requests/s", "p50 ms", "p99 ms"]);
    for connections in [16, 32, 64, 128, 256, 512] {
        let loaded = load::run(&Load {
            address: service.address,
            requests: &[get("/healthz", "")],
            connections,
            time: bench.turn,
            rate: None,
        });
        let ms = |share| format!("{:.2}", at(&loaded.latencies, share) * 1e3);
        table.row(&[
            connections.to_string(),
            format!("{:.0}", loaded.per_second()),
            ms(0.5),
            ms(0.99),
        ]);
    }
    table.print();
    drop(service);

    let most = descriptors() / 4 * 3;
    let counts: Vec<usize> = [1_000, 2_000, 4_000, 8_000, 16_000]
        .into_iter()
        .filter(|count| *count < most - 300)
        .collect();
    let mut table = Table::new(&["(b) idle tabs", "bytes each"]);
    for (count, each) in memory::per_tab(bench, &counts) {
        table.row(&[count.to_string(), format!("{each:.0}")]);
    }
    table.print();

    let mut world = World::new(bench, "growing", 5, false);
    world.come(0..5, 0);
    let mut table = Table::new(&["(c) tabs that hear of one event", "p50 ms", "last ms"]);
    for count in [1_250, 2_500, 5_000, 10_000] {
        let times = events::own(&mut world, count);
        let middle =
            |column: usize| crate::stats::median(times.iter().map(|row| row[column]).collect());
        table.row(&[count.to_string(), format!("{:.1}", middle(0)), format!("{:.1}", middle(2))]);
    }
    table.print();
    drop(world);

    let mut world = World::new(bench, "callers", 1, false);
    world.come(0..1, 1);
    world.settle();
    let mut table = Table::new(&["(d) callers at once", "added p50 ms", "added p99 ms"]);
    for callers in [1, 2, 4, 8] {
        let found = thread::scope(|scope| {
            let calls: Vec<_> = (0..callers)
                .map(|caller| {
                    let world = &world;
                    scope.spawn(move || added::measure(world, Call::History, caller))
                })
                .collect();
            calls.into_iter().map(|call| call.join().expect("no panic")).collect::<Vec<_>>()
        });
        let middle = |share: usize| {
            crate::stats::median(found.iter().map(|call| call[share + 2] - call[share]).collect())
        };
        table.row(&[callers.to_string(), format!("{:.3}", middle(0)), format!("{:.3}", middle(1))]);
    }
    table.print();
    drop(world);

    let mut table =
        Table::new(&["(b, e, f) users", "bytes each", "start ms", "% of a core when idle"]);
    for users in [125, 250, 500] {
        table.row(&[
            users.to_string(),
            format!("{:.0}", memory::per_user(bench, users, false)),
            format!("{:.1}", start::again(bench, users)),
            format!("{:.2}", idle::share(bench, users, Duration::from_secs(16))),
        ]);
    }
    table.print();
}
