//! (d) What chat-posta adds to a call of the posta-server: the same call made directly and through a
//! page, in turn, on connections kept alive on both sides.
use super::Bench;
use crate::http::{Client, Reply, request};
use crate::people;
use crate::process::encode;
use crate::stats::{Table, at, median};
use crate::world::World;
use std::time::Instant;

const PAIRS: usize = 300;

pub fn run(bench: &mut Bench) {
    let mut world = World::new(bench, "added", 1, false);
    world.come(0..1, 1);
    world.settle();
    let mut table = Table::new(&[
        "call",
        "directly p50 ms",
        "p99",
        "through chat-posta p50 ms",
        "p99",
        "added p50 ms",
        "p99",
    ]);
    let mut added = Vec::new();
    for call in [Call::History, Call::Send] {
        let rounds: Vec<[f64; 4]> =
            (0..bench.rounds).map(|round| measure(&world, call, round)).collect();
        let column = |number: usize| median(rounds.iter().map(|round| round[number]).collect());
        let [p50, p99] = [0, 1].map(|share| {
            median(rounds.iter().map(|round| round[share + 2] - round[share]).collect())
        });
        let cells = [column(0), column(1), column(2), column(3), p50, p99];
        let mut row = vec![call.name().to_owned()];
        row.extend(cells.map(|ms| format!("{ms:.3}")));
        table.row(&row);
        added.push((call, p50));
    }
    table.print();
    for (call, p50) in added {
        bench.targets.at_most(&format!("(d) added at p50, {}", call.name()), p50, 0.3, "ms");
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Call {
    /// 50 older messages, drawn.
    History,
    /// A message is sent.
    Send,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Call::History => "50 older messages",
            Call::Send => "sending a message",
        }
    }

    /// The same, asked of the posta-server and of chat-posta.
    fn requests(
        self,
        cookie: &str,
        account: &str,
        origin: &str,
        number: usize,
    ) -> (Vec<u8>, Vec<u8>) {
        let peer = people::peer(0);
        let bearer = ("authorization", "Bearer mst_0");
        match self {
            Call::History => {
                // Further up than what is kept, and never twice in a row the same.
                let before = people::row(0, 100 + number * 53 % 1_200);
                let direct = format!("/api/v1/messages?peer={peer}&limit=52&before={before}");
                let own = format!("/c/{peer}/messages?before={before}");
                (
                    request("GET", &direct, &[bearer], b""),
                    request("GET", &own, &[("cookie", cookie), ("hx-request", "true")], b""),
                )
            }
            Call::Send => {
                let key = format!("{number:08x}-0000-4000-8000-000000000000");
                let body = format!(
                    "{{\"peer\":\"{peer}\",\"payload\":{{\"kind\":\"posta.text/v1\",\"body\":\"hello\"}}}}"
                );
                let json =
                    [bearer, ("content-type", "application/json"), ("idempotency-key", &key)];
                let form = format!("text=hello&key={key}&account={}", encode(account));
                let fields = [
                    ("cookie", cookie),
                    ("origin", origin),
                    ("content-type", "application/x-www-form-urlencoded"),
                ];
                let own = format!("/c/{peer}/messages");
                (
                    request("POST", "/api/v1/messages", &json, body.as_bytes()),
                    request("POST", &own, &fields, form.as_bytes()),
                )
            }
        }
    }
}

/// Directly p50 and p99, through p50 and p99, in milliseconds.
pub fn measure(world: &World, call: Call, round: usize) -> [f64; 4] {
    let mut direct = Client::connect(world.upstream.socket(0)).expect("it accepts");
    let mut own = Client::connect(world.service.address).expect("it accepts");
    let cookie = &world.cookies[0];
    let page = own.ask(&crate::http::get("/", cookie)).expect("it answers").text();
    let account = page.split("data-account=\"").nth(1).and_then(|rest| rest.split('"').next());
    let account = account.expect("a page names its account").to_owned();
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for pair in 0..PAIRS {
        let (to_server, to_own) =
            call.requests(cookie, &account, &world.service.origin, round * PAIRS + pair);
        times[0].push(timed(&mut direct, &to_server));
        times[1].push(timed(&mut own, &to_own));
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    [at(&times[0], 0.5), at(&times[0], 0.99), at(&times[1], 0.5), at(&times[1], 0.99)]
}

fn timed(client: &mut Client, request: &[u8]) -> f64 {
    let since = Instant::now();
    let Reply { status, head, .. } = client.ask(request).expect("it answers");
    assert!((200..300).contains(&status), "{head}");
    since.elapsed().as_secs_f64() * 1e3
}
