//! (a) `/healthz` and a signed-in thread page, against the same bytes with the same fields from axum
//! and from may_minihttp.
use super::Bench;
use crate::http::{self, Reply, get};
use crate::load::{self, Load, Loaded};
use crate::people;
use crate::process::{Process, Service};
use crate::stats::{Table, at, median};
use crate::tabs::{self, Tabs};
use crate::upstream::Upstream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CONNECTIONS: usize = 64;

pub fn run(bench: &mut Bench) {
    let directory = bench.directory("pages");
    let upstream = Upstream::start(1);
    let service = Service::start(bench.program(), &directory, &[]);
    let cookie = service.sign_up(&upstream, 0..1).remove(0);
    // Whoever reads a page has it open: its events keep right what is known.
    let mut tabs = Tabs::new();
    tabs.open(service.address, [tabs::request(&cookie, 0, "", false)]);
    let path = format!("/c/{}", people::peer(0));
    let (health, page) = (get("/healthz", &cookie), get(&path, &cookie));
    for _ in 0..3 {
        tabs.drain(Duration::from_millis(300));
        http::ask(service.address, &page).expect("it answers");
    }
    let given = [("health", &health), ("page", &page)].map(|(name, request)| {
        let reply = http::ask(service.address, request).expect("it answers");
        written(&reply, &directory.join(name))
    });
    let files = [given[0].as_path(), given[1].as_path()];
    let axum = Process::contender("axum", &files);
    let minihttp = Process::contender("minihttp", &files);
    for (what, own, theirs) in [
        ("/healthz", health, get("/healthz", &cookie)),
        ("thread page", page, get("/page", &cookie)),
    ] {
        compare(
            bench,
            what,
            (&service.process, own),
            [("axum", &axum), ("may_minihttp", &minihttp)],
            theirs,
        );
    }
}

fn compare(
    bench: &mut Bench,
    what: &str,
    (own, request): (&Process, Vec<u8>),
    others: [(&str, &Process); 2],
    theirs: Vec<u8>,
) {
    let contenders: Vec<(&str, &Process, &[u8])> =
        std::iter::once(("chat-posta", own, &request[..]))
            .chain(others.map(|(name, process)| (name, process, &theirs[..])))
            .collect();
    let sizes: Vec<usize> = contenders
        .iter()
        .map(|(_, process, request)| http::ask(process.address, request).expect("it answers"))
        .map(|reply| reply.head.len() + reply.body.len())
        .collect();
    let mut turns: Vec<Vec<(Loaded, f64)>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..bench.rounds + 1 {
        for offset in 0..contenders.len() {
            let number = (round + offset) % contenders.len();
            let (_, process, request) = contenders[number];
            let before = process.cpu();
            let loaded = load::run(&Load {
                address: process.address,
                requests: &[request.to_vec()],
                connections: CONNECTIONS,
                time: bench.turn,
                rate: None,
            });
            let cpu = process.cpu() - before;
            if round > 0 {
                turns[number].push((loaded, cpu)); // the first one warms up
            }
        }
    }
    println!("\n{what}, {} turns of {:?} each", bench.rounds, bench.turn);
    let mut table = Table::new(&[
        "server",
        "bytes",
        "requests/s",
        "chat-posta's ratio to it",
        "p50 ms",
        "p99 ms",
        "CPU µs/request",
    ]);
    let ratio = |number: usize| {
        let pairs = turns[0].iter().zip(&turns[number]);
        median(pairs.map(|((own, _), (other, _))| own.per_second() / other.per_second()).collect())
    };
    for (number, (name, ..)) in contenders.iter().enumerate() {
        let of = |value: &dyn Fn(&(Loaded, f64)) -> f64| {
            median(turns[number].iter().map(value).collect())
        };
        table.row(&[
            (*name).to_owned(),
            sizes[number].to_string(),
            format!("{:.0}", of(&|(loaded, _)| loaded.per_second())),
            format!("{:.2}", ratio(number)),
            format!("{:.2}", of(&|(loaded, _)| at(&loaded.latencies, 0.5) * 1e3)),
            format!("{:.2}", of(&|(loaded, _)| at(&loaded.latencies, 0.99) * 1e3)),
            format!("{:.1}", of(&|(loaded, cpu)| cpu / loaded.answers as f64 * 1e6)),
        ]);
    }
    table.print();
    if what == "/healthz" {
        bench.targets.at_least(
            "(a) /healthz, of the faster contender",
            ratio(1).min(ratio(2)),
            1.0,
            "×",
        );
    } else {
        bench.targets.at_least("(a) thread page, of axum", ratio(1), 1.0, "×");
    }
}

/// Fields and body in a file, less the fields that every server makes itself.
fn written(reply: &Reply, file: &Path) -> PathBuf {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let own = ["date: ", "content-length: ", "connection: "];
    let fields = reply.head.lines().skip(1).filter(|line| !line.is_empty());
    let fields: Vec<&str> =
        fields.filter(|line| !own.iter().any(|name| line.starts_with(name))).collect();
    let text = format!("{}\n\n{}", fields.join("\n"), reply.text());
    std::fs::write(file, text).expect("the file can be written");
    file.to_owned()
}
