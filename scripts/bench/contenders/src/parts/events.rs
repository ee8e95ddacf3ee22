//! (c) How long an upstream event takes to the tabs: to every one of 10,000, beside axum, and to those
//! of 500 users while pages are served.
use super::Bench;
use crate::http::{Client, get, request};
use crate::load::{self, Load};
use crate::people;
use crate::process::Process;
use crate::stats::{Table, at, median};
use crate::tabs::{self, Tabs};
use crate::world::World;
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

const TABS: usize = 10_000;
/// Tabs of one user at most.
const PER_USER: usize = 2_000;
/// Events in one turn.
const EVENTS: usize = 5;

const USERS: usize = 500;
const EVENTS_A_SECOND: f64 = 200.0;
const PAGES_A_SECOND: f64 = 500.0;
const LASTS: Duration = Duration::from_secs(10);

pub fn run(bench: &mut Bench) {
    to_all(bench);
    to_users(bench);
}

/// p50, p99 and the last, in milliseconds.
type Times = [f64; 3];

fn times(since: Instant, moments: &[Instant]) -> Times {
    let ms: Vec<f64> =
        moments.iter().map(|moment| moment.duration_since(since).as_secs_f64() * 1e3).collect();
    [at(&ms, 0.5), at(&ms, 0.99), at(&ms, 1.0)]
}

/// The median of each.
fn medians(times: &[Times]) -> Times {
    [0, 1, 2].map(|column| median(times.iter().map(|row| row[column]).collect()))
}

fn to_all(bench: &mut Bench) {
    let file = bench.directory("axum").join("answer");
    std::fs::write(&file, "content-type: text/plain\n\nok\n").expect("the file can be written");
    let axum = Process::contender("axum", &[&file, &file]);
    let mut world = World::new(bench, "all", TABS.div_ceil(PER_USER), false);
    world.come(0..TABS.div_ceil(PER_USER), 0);
    let mut found: [Vec<Times>; 2] = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for _ in 0..bench.rounds.div_ceil(2) {
        let own = own(&mut world, TABS);
        let theirs = theirs(&axum, TABS);
        ratios.push(medians(&own)[2] / medians(&theirs)[2]);
        found[0].extend(own);
        found[1].extend(theirs);
    }
    println!("one event to each of {TABS} tabs, {} times", found[0].len());
    let mut table = Table::new(&["server", "p50 ms", "p99 ms", "last ms"]);
    for (name, found) in ["chat-posta", "axum"].iter().zip(&found) {
        let [p50, p99, last] = medians(found).map(|ms| format!("{ms:.1}"));
        table.row(&[(*name).to_owned(), p50, p99, last]);
    }
    table.print();
    bench.targets.at_most("(c) last of 10,000 tabs, of axum's", median(ratios), 0.9, "×");
}

/// Opens so many tabs, tells them of some events, and closes them.
pub fn own(world: &mut World, count: usize) -> Vec<Times> {
    let users = count.div_ceil(PER_USER);
    let mut tabs = Tabs::new();
    let requests: Vec<_> = (0..count)
        .map(|number| tabs::request(&world.cookies[number % users], number, "", false))
        .collect();
    tabs.open(world.service.address, requests);
    while world.upstream.followed() < users {
        tabs.drain(Duration::from_millis(20));
    }
    events(&mut tabs, |_| world.upstream.receive(0..users))
}

fn theirs(axum: &Process, count: usize) -> Vec<Times> {
    let mut tabs = Tabs::new();
    let question = request("GET", "/events", &[("accept", "text/event-stream")], b"");
    tabs.open(axum.address, (0..count).map(|_| question.clone()));
    let mut client = Client::connect(axum.address).expect("it accepts");
    events(&mut tabs, |number| {
        let since = Instant::now();
        let published = client.ask(&request("POST", &format!("/publish/{number}"), &[], b""));
        assert_eq!(published.expect("it answers").status, 204);
        (number, since)
    })
}

fn events(tabs: &mut Tabs, mut tell: impl FnMut(usize) -> (usize, Instant)) -> Vec<Times> {
    tabs.drain(Duration::from_secs(1));
    (1..=EVENTS)
        .map(|number| {
            let (row, since) = tell(number);
            let moments = tabs.all_hear(row);
            tabs.drain(Duration::from_millis(300));
            times(since, &moments)
        })
        .collect()
}

fn to_users(bench: &mut Bench) {
    let mut world = World::new(bench, "events", USERS, false);
    world.come(0..USERS, 2);
    world.settle();
    let pages: Vec<Vec<u8>> = world
        .cookies
        .iter()
        .map(|cookie| get(&format!("/c/{}", people::peer(0)), cookie))
        .collect();
    let (mut found, mut served) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds.div_ceil(2) {
        let (times, rate) = under_load(&mut world, &pages);
        found.push(times);
        served.push(rate);
    }
    let [p50, p99, last] = medians(&found);
    println!(
        "\n{USERS} users with 2 tabs each (one of which shows the conversation), {EVENTS_A_SECOND} events \
         and {:.0} pages a second: p50 {p50:.2} ms, p99 {p99:.2} ms, last {last:.2} ms",
        median(served)
    );
    bench.targets.at_most("(c) p99 from event to tab while pages are served", p99, 2.5, "ms");
}

/// Times, and how many pages a second were served meanwhile.
fn under_load(world: &mut World, pages: &[Vec<u8>]) -> (Times, f64) {
    let address = world.service.address;
    let World { upstream, tabs, .. } = world;
    thread::scope(|scope| {
        let pages = scope.spawn(|| {
            let (connections, rate) = (32, Some(PAGES_A_SECOND));
            load::run(&Load { address, requests: pages, connections, time: LASTS, rate })
                .per_second()
        });
        let since = Instant::now();
        // By user and row.
        let mut told: HashMap<(usize, usize), Instant> = HashMap::new();
        let mut late = Vec::new();
        let mut count = 0;
        while since.elapsed() < LASTS {
            let due = (since.elapsed().as_secs_f64() * EVENTS_A_SECOND) as usize;
            while count < due {
                let user = count * 7 % USERS;
                let (row, at) = upstream.receive(user..user + 1);
                told.insert((user, row), at);
                count += 1;
            }
            tabs.listen(Duration::from_millis(1), &mut |heard| {
                if let Some(at) = told.get(&(heard.tab / 2, heard.row)) {
                    late.push(heard.at.duration_since(*at).as_secs_f64() * 1e3);
                }
            });
        }
        late.sort_by(f64::total_cmp);
        assert!(late.len() > count, "{} heard of {count} events", late.len());
        tabs.drain(Duration::from_millis(500));
        ([at(&late, 0.5), at(&late, 0.99), at(&late, 1.0)], pages.join().expect("no panic"))
    })
}
