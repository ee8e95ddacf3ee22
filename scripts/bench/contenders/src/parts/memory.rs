//! (b) Resident bytes: at start, for each idle tab, for each idle connection, for each live user.
use super::{Bench, descriptors};
use crate::http::{get, request};
use crate::process::{Process, Service};
use crate::stats::Table;
use crate::tabs;
use crate::world::World;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// Tabs of one user at most.
const PER_USER: usize = 1_990;
/// The most tabs; fewer where descriptors are fewer.
const TABS: usize = 30_000;
const CONNECTIONS: usize = 4_000;
const USERS: usize = 1_000;

pub fn run(bench: &mut Bench) {
    let service = Service::start(bench.program(), &bench.directory("start"), &[]);
    let at_start = service.resident();
    println!("at start: {:.2} MB", at_start / 1e6);
    bench.targets.at_most("(b) resident at start", at_start / 1e6, 8.0, "MB");
    let own = per_connection(&service.process, "/healthz");
    drop(service);
    let minihttp = per_connection(&minihttp(bench), "/healthz");
    println!(
        "idle keep-alive connection: {own:.0} bytes, may_minihttp {minihttp:.0} ({CONNECTIONS} of them)"
    );

    let most = TABS.min(room(descriptors()) - 300);
    let counts = [1_000, 10_000, most];
    let mut table = Table::new(&["idle tabs in one process", "bytes each"]);
    let mut last = 0.0;
    for (count, each) in per_tab(bench, &counts) {
        table.row(&[count.to_string(), format!("{each:.0}")]);
        last = each;
    }
    table.print();
    if most < TABS {
        println!(
            "(this machine gives a process {} descriptors: {most} tabs are the most)",
            descriptors()
        );
    }
    bench.targets.at_most(&format!("(b) each of {most} idle tabs"), last, 512.0, "bytes");
    let share = last.max(own) / minihttp;
    bench.targets.at_most(
        "(b) idle tab or connection, of may_minihttp's connection",
        share,
        0.5,
        "×",
    );

    let mut table = Table::new(&["live users, each with an event stream and a tab", "bytes each"]);
    for (secure, name, limit) in [(false, "plain", 20.0), (true, "TLS", 45.0)] {
        let each = per_user(bench, USERS, secure);
        table.row(&[format!("{USERS}, {name}"), format!("{each:.0}")]);
        bench.targets.at_most(&format!("(b) live user, {name}"), each / 1e3, limit, "kB");
    }
    table.print();
}

/// Connections that chat-posta takes with so many descriptors; as in src/http/server/accept.rs.
fn room(descriptors: usize) -> usize {
    descriptors - (descriptors / 4).min(8_512)
}

/// After a request each.
fn per_connection(process: &Process, path: &str) -> f64 {
    let question = request("GET", path, &[], b"");
    let open = |count: usize| -> Vec<TcpStream> {
        (0..count).map(|_| kept(process.address, &question)).collect()
    };
    let _first = open(200);
    thread::sleep(Duration::from_millis(500));
    let before = process.resident();
    let _more = open(CONNECTIONS);
    thread::sleep(Duration::from_secs(3));
    (process.resident() - before) / CONNECTIONS as f64
}

fn kept(address: SocketAddr, question: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it accepts");
    stream.write_all(question).expect("it reads");
    let count = stream.read(&mut [0; 4096]).expect("it answers");
    assert!(count > 0, "it answers");
    stream
}

fn minihttp(bench: &Bench) -> Process {
    let file = bench.directory("minihttp").join("answer");
    std::fs::write(&file, "content-type: text/plain\n\nok\n").expect("the file can be written");
    Process::contender("minihttp", &[&file, &file])
}

/// For each of so many tabs of one process, growing.
pub fn per_tab(bench: &Bench, counts: &[usize]) -> Vec<(usize, f64)> {
    let most = counts.iter().max().expect("there are counts");
    let users = most.div_ceil(PER_USER);
    let mut world = World::new(bench, "tabs", users, false);
    world.come(0..users, 1);
    let request = |world: &World, number: usize| {
        // Everybody has a tab of number 0 already.
        tabs::request(&world.cookies[number % users], number + 1, "", false)
    };
    // What a rush of connections leaves behind is there before.
    let first = 200;
    let requests: Vec<_> = (0..first).map(|number| request(&world, number)).collect();
    world.tabs.open(world.service.address, requests);
    world.settle();
    let before = world.service.resident();
    let (mut open, mut found) = (0, Vec::new());
    for &count in counts {
        let requests: Vec<_> =
            (open..count).map(|number| request(&world, first + number)).collect();
        world.tabs.open(world.service.address, requests);
        open = count;
        world.settle();
        found.push((count, (world.service.resident() - before) / count as f64));
    }
    found
}

/// For each of so many live users.
pub fn per_user(bench: &Bench, users: usize, secure: bool) -> f64 {
    let mut world = World::new(bench, "users", users, secure);
    let before = world.begin(1);
    let each = world.fill(before, users, 1);
    // It still serves them.
    let reply = crate::http::ask(world.service.address, &get("/", &world.cookies[users - 1]));
    assert_eq!(reply.expect("it answers").status, 200);
    each
}
