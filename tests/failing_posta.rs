//! A person's own posta-server fails in every way it can: what they see, that it comes back by
//! itself, and that nothing is lost or sent twice.
mod support;

use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};
use support::chat::{Chat, Reply};
use support::hostile::{Fault, Hostile};
use support::posta::Posta;
use support::stream::Stream;
use support::until;

const THREAD: &str = "/c/bob.example";
const KEY: &str = "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77";
/// A page that shows what is known may take this long: its own patience, and a busy machine.
const PROMPT: Duration = Duration::from_secs(5);

/// One way to fail, and what a person then sees.
struct Row {
    name: &'static str,
    /// `None` when nobody listens at all.
    fault: Option<Fault>,
    /// The banner's state.
    state: &'static str,
    /// Beside a list that is known.
    beside: &'static str,
    /// In place of a list that was never read.
    instead: &'static str,
    /// What sending a message gets.
    sent: (u16, &'static str),
    /// What somebody is told who wants to sign up.
    sign_up: &'static str,
}

const AWAY: (u16, &str) = (502, "Your posta-server can't be reached. Try again in a moment.");
const CONFUSED: (u16, &str) =
    (502, "Your posta-server answered something that could not be understood.");
const BACK: &str = "Your conversations appear here when your posta-server is back.";
const STALE: &str = "This list may be out of date: your posta-server answers something that can&#39;t be \
                     understood. It is asked again by itself.";
const UNCLEAR: &str = "Your conversations can&#39;t be shown: your posta-server answers something that \
                       can&#39;t be understood. It is asked again by itself.";
const UNREACHED: &str = "Couldn&#39;t reach your posta-server.";
const NO_SERVER: &str = "What answers at that address does not seem to be a posta-server.";

fn table() -> Vec<Row> {
    let away = |name, fault| Row {
        name,
        fault,
        state: "unreachable",
        beside: "",
        instead: BACK,
        sent: AWAY,
        sign_up: UNREACHED,
    };
    let confused = |name, fault| Row {
        name,
        fault: Some(fault),
        state: "ok",
        beside: STALE,
        instead: UNCLEAR,
        sent: CONFUSED,
        sign_up: NO_SERVER,
    };
    let refusing = |name, status: &str, sent| Row {
        name,
        fault: Some(Fault::refusal(status)),
        state: "ok",
        beside: "This list may be out of date: your posta-server refused: as told. It is asked",
        instead: "Your conversations can&#39;t be shown: your posta-server refused: as told. It is",
        sent,
        sign_up: "Your posta-server answered with an error",
    };
    let page = "<!doctype html><title>Welcome to this hotel</title>";
    vec![
        away("refuses connections", None),
        away("never answers", Some(Fault::Hang)),
        away("drips", Some(Fault::Drip(Duration::from_millis(300)))),
        away("closes", Some(Fault::Close)),
        away("breaks off", Some(Fault::Cut)),
        away("speaks another protocol", Some(Fault::Say("SSH-2.0-OpenSSH_9.2\r\n".into()))),
        away("a proxy says 502", Some(Fault::refusal("502 Bad Gateway"))),
        Row {
            sent: (503, "Your posta-server refused: as told"),
            sign_up: "Your posta-server answered with an error (500).",
            ..away("500s", Some(Fault::refusal("500 Internal Server Error")))
        },
        confused("a page instead of JSON", Fault::answer("200 OK", "text/html", page)),
        confused("truncated JSON", Fault::Halve),
        confused("redirects", Fault::answer("302 Found\r\nlocation: http://a.invalid/", "a/b", "")),
        refusing(
            "too many requests",
            "429 Too Many Requests",
            (503, "Your posta-server refused: as told"),
        ),
        refusing(
            "knows no such call",
            "404 Not Found",
            (422, "Your posta-server refused: as told"),
        ),
        Row {
            name: "the token is revoked",
            fault: Some(Fault::refusal("401 Unauthorized")),
            state: "refused",
            beside: "",
            instead: "Your conversations appear here when you have paired again.",
            sent: (502, "Your posta-server no longer accepts this device's token."),
            sign_up: "Token rejected by your posta-server.",
        },
    ]
}

impl Row {
    fn begin(&self, hostile: &Hostile) {
        match &self.fault {
            Some(fault) => hostile.break_with("", fault.clone()),
            None => hostile.refuse(),
        }
    }

    fn end(&self, hostile: &Hostile) {
        match self.fault {
            Some(_) => hostile.heal(),
            None => hostile.welcome(),
        }
    }
}

fn inject(posta: &Posta, bodies: &[String]) {
    let message =
        |body| json!({"peer": "bob.example", "payload": {"kind": "posta.text/v1", "body": body}});
    let all: Vec<_> = bodies.iter().map(message).collect();
    posta.tell(json!({"inject": all}));
}

fn say(posta: &Posta, body: &str) {
    inject(posta, &[body.to_owned()]);
}

fn banner(page: &str) -> String {
    let health = page.split_once("id=\"health\"").expect("a banner").1;
    let state = health.split_once("data-state=\"").expect("with a state").1;
    state.split_once('"').unwrap().0.to_owned()
}

/// Alice behind a proxy that behaves for now, signed up, with one message from Bob.
fn member(chat: &Chat, name: &str) -> (Posta, Hostile, String) {
    let posta = Posta::start(name, &[]);
    let hostile = Hostile::before(&posta);
    say(&posta, "before");
    let (_, cookie) = chat.sign_up(&chat.invite(), &hostile.pairing(&posta));
    (posta, hostile, cookie)
}

/// The same, with a tab open and everything read.
fn reader(chat: &Chat, name: &str) -> (Posta, Hostile, String, Stream) {
    let (posta, hostile, cookie) = member(chat, name);
    let tab = chat.tab(&cookie, "first", "bob.example", false);
    tab.until("resync");
    for path in ["/", THREAD] {
        until("all is known", || chat.get(path, &cookie).body.contains("before").then_some(()));
    }
    (posta, hostile, cookie, tab)
}

fn send(chat: &Chat, cookie: &str, text: &str, key: &str) -> Reply {
    chat.post_form(&format!("{THREAD}/messages"), cookie, &[("text", text), ("key", key)])
}

fn copies(posta: &Posta, body: &str) -> usize {
    let messages = posta.messages("bob.example");
    messages.iter().filter(|message| message["payload"]["body"] == body).count()
}

/// Both pages, promptly, in the state of the row and with what is known.
fn shows_what_is_known(row: &Row, chat: &Chat, cookie: &str) {
    until(row.name, || {
        let since = Instant::now();
        let page = chat.get("/", cookie);
        assert!(since.elapsed() < PROMPT, "{}: {:?}", row.name, since.elapsed());
        let says = banner(&page.body) == row.state && page.body.contains(row.beside);
        (says && page.body.contains("list-trouble") != row.beside.is_empty()).then_some(())
    });
    for path in ["/", THREAD] {
        let since = Instant::now();
        let page = chat.get(path, cookie);
        assert!(since.elapsed() < PROMPT, "{} {path}: {:?}", row.name, since.elapsed());
        assert_eq!(page.status, 200, "{} {path}", row.name);
        assert!(page.body.contains("before"), "{} {path} shows what is known", row.name);
        assert_eq!(banner(&page.body), row.state, "{} {path}", row.name);
    }
    // A part that is not known must not look like the beginning of the conversation.
    let older = chat.get(&format!("{THREAD}/messages?before=1"), cookie);
    assert!(matches!(older.status, 422 | 502 | 503), "{}: {}", row.name, older.status);
}

/// Nothing is known, and it is not called nothing.
fn claims_nothing(row: &Row, chat: &Chat, cookie: &str) {
    for path in ["/", THREAD] {
        until(row.name, || {
            let page = chat.get(path, cookie).body;
            assert!(!page.contains("No conversations yet") && !page.contains("Say hi"), "{page}");
            page.contains(row.instead).then_some(())
        });
    }
    for path in ["/sidebar?open=", &format!("{THREAD}/messages?from=1")] {
        let status = chat.get(path, cookie).status;
        assert_eq!(status, 502, "{}: {path} would wipe what a page shows", row.name);
    }
}

/// One row on three services: with everything known, with nothing, and as a stranger.
fn check(row: &Row, known: &Chat, fresh: &Chat, strange: &Chat) {
    let (posta, hostile, cookie, tab) = reader(known, "alice");
    let (second, behind, empty) = member(fresh, "ann");
    row.begin(&hostile);
    row.begin(&behind);

    thread::scope(|scope| {
        scope.spawn(|| {
            shows_what_is_known(row, known, &cookie);
            let sent = send(known, &cookie, "hello", KEY);
            assert_eq!((sent.status, sent.body.trim()), row.sent, "{}", row.name);
        });
        scope.spawn(|| claims_nothing(row, fresh, &empty));
        let told = strange.connect(&strange.invite(), &behind.pairing(&second)).err();
        let told = told.expect("nobody signs up that way").body;
        assert!(told.contains(row.sign_up), "{}: {told}", row.name);
    });

    row.end(&hostile);
    row.end(&behind);
    say(&posta, "after");
    // By itself: only the tab is open, and asks when it is told something.
    until(&format!("{}: the tab hears of what came", row.name), || {
        tab.next();
        known.get("/sidebar?open=", &cookie).body.contains("after").then_some(())
    });
    let page = known.get("/", &cookie).body;
    assert_eq!(banner(&page), "ok", "{}", row.name);
    assert!(!page.contains("list-trouble"), "{}", row.name);
    until(&format!("{}: what was unknown is there", row.name), || {
        fresh.get("/", &empty).body.contains("before").then_some(())
    });
    assert_eq!(send(known, &cookie, "hello", KEY).status, 204, "{}", row.name);
    assert_eq!(copies(&posta, "hello"), 1, "{}", row.name);
}

#[test]
fn each_fault_is_said_and_passes_by_itself() {
    let (known, fresh, strange) = (Chat::start(&[]), Chat::start(&[]), Chat::start(&[]));
    thread::scope(|scope| {
        let rows = table();
        let checks: Vec<_> = (rows.into_iter())
            .map(|row| {
                (
                    row.name,
                    scope.spawn({
                        let (known, fresh, strange) = (&known, &fresh, &strange);
                        move || check(&row, known, fresh, strange)
                    }),
                )
            })
            .collect();
        let failed: Vec<_> = (checks.into_iter())
            .filter_map(|(name, check)| check.join().is_err().then_some(name))
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}

/// The posta-server took the message and was lost before it could say so, or it was lost before it
/// took it: the same message is sent again, and stands there once.
#[test]
fn what_is_sent_into_a_failure_arrives_once() {
    let chat = Chat::start(&[]);
    let (mut posta, hostile, cookie, _tab) = reader(&chat, "alice");
    for (number, fault) in [
        Fault::LoseAnswer,
        Fault::Close,
        Fault::Cut,
        Fault::Halve,
        Fault::CutBody(10),
        Fault::answer("200 OK", "text/html", "<p>Sign in to this hotel"),
        Fault::refusal("503 Service Unavailable"),
        Fault::refusal("429 Too Many Requests"),
    ]
    .into_iter()
    .enumerate()
    {
        let (text, key) =
            (format!("letter {number}"), KEY.replace("9b77", &format!("9c{number:02}")));
        hostile.set("POST /api/v1/messages", fault.clone());
        let sent = send(&chat, &cookie, &text, &key);
        assert!(matches!(sent.status, 502 | 503), "{fault:?}: {}", sent.status);
        hostile.heal();
        assert_eq!(send(&chat, &cookie, &text, &key).status, 204, "{fault:?}");
        assert_eq!(copies(&posta, &text), 1, "{fault:?}");
    }

    // It dies while it works on a message, and comes back.
    posta.tell(json!({"latencyMs": 3000}));
    let dying = thread::scope(|scope| {
        let sending = scope.spawn(|| send(&chat, &cookie, "last words", KEY));
        until("it works on it", || (hostile.asked("POST /api/v1/messages") > 16).then_some(()));
        posta.kill();
        sending.join().unwrap()
    });
    assert_eq!(dying.status, 502, "{}", dying.body);
    posta.restart();
    assert_eq!(send(&chat, &cookie, "last words", KEY).status, 204);
    assert_eq!(copies(&posta, "last words"), 1);
}

fn picture(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(length, 7);
    bytes
}

#[test]
fn a_picture_sent_into_a_failure_arrives_once() {
    let chat = Chat::start(&[]);
    let (posta, hostile, cookie, _tab) = reader(&chat, "alice");
    let put = |key: &str| {
        let fields = [("cookie", cookie.as_str()), ("content-type", "image/png")];
        let path = format!("{THREAD}/images?key={key}&name=a.png&alt={key}");
        chat.try_request(minreq::Method::Post, &path, &fields, picture(300_000)).unwrap()
    };
    let uploads = "POST /api/v1/uploads";
    for (number, (start, fault)) in [
        (uploads, Fault::CutBody(100_000)),
        (uploads, Fault::Close),
        (uploads, Fault::LoseAnswer),
        (uploads, Fault::Halve),
        (uploads, Fault::answer("200 OK", "text/html", "<p>Thanks")),
        (uploads, Fault::refusal("500 Internal Server Error")),
        // Uploaded, and then.
        ("POST /api/v1/messages", Fault::LoseAnswer),
        ("POST /api/v1/messages", Fault::Close),
    ]
    .into_iter()
    .enumerate()
    {
        let key = KEY.replace("9b77", &format!("9d{number:02}"));
        hostile.set(start, fault.clone());
        let sent = put(&key);
        assert!(matches!(sent.status, 502 | 503), "{fault:?}: {} {}", sent.status, sent.body);
        hostile.heal();
        assert_eq!(put(&key).status, 204, "{fault:?}");
        let messages = posta.messages("bob.example");
        let alike =
            messages.iter().filter(|m| m["payload"]["image"]["alt"] == key.as_str()).count();
        assert_eq!(alike, 1, "{fault:?}");
    }
}

/// The rows of a thread's page, as they stand.
fn rows(page: &str) -> Vec<u64> {
    let log = page.split_once("id=\"messages\"").expect("the newest part").1;
    let log = log.split_once("id=\"composer\"").expect("what follows it").0;
    let row = |part: &str| part.split('"').next().unwrap().parse().unwrap();
    log.split("data-row=\"").skip(1).map(row).filter(|row| *row > 0).collect()
}

#[test]
fn events_that_come_twice_swapped_or_with_falling_ids_change_nothing() {
    let chat = Chat::start(&[]);
    thread::scope(|scope| {
        for fault in [Fault::Repeat, Fault::Swap, Fault::Backwards] {
            let chat = &chat;
            scope.spawn(move || {
                let (posta, hostile, cookie, tab) = reader(chat, "alice");
                hostile.break_with("GET /api/v1/events", fault.clone());
                until("there is a stream again", || {
                    (hostile.asked("GET /api/v1/events") > 1).then_some(())
                });
                for round in 0..4 {
                    let bodies: Vec<_> = (0..10).map(|n| format!("message {round}-{n}.")).collect();
                    inject(&posta, &bodies);
                    // The tab is told of it, and finds each once and in order.
                    let shown = until(&format!("{fault:?}: round {round} is shown"), || {
                        tab.next();
                        let page = chat.get(THREAD, &cookie).body;
                        page.contains(&format!("message {round}-9.")).then_some(page)
                    });
                    let mut sorted = rows(&shown);
                    sorted.sort_unstable();
                    sorted.dedup();
                    assert_eq!(rows(&shown), sorted, "{fault:?}");
                    assert_eq!(sorted.len(), 1 + 10 * (round + 1), "{fault:?}");
                    let badge = format!(">{}<", 1 + 10 * (round + 1));
                    let list = chat.get("/sidebar?open=", &cookie).body;
                    assert!(list.contains(&badge), "{fault:?}: {badge} in {list}");
                    // What it resumes from may be an id that was never given.
                    hostile.tear();
                }
            });
        }
    });
}

#[test]
fn events_faster_than_tabs_read_are_few_triggers_and_lose_nothing() {
    let chat = Chat::start(&[]);
    let (posta, _hostile, cookie, tab) = reader(&chat, "alice");
    // It is open, and its person's machine sleeps.
    let sleeper = chat.tab(&cookie, "sleeper", "", true);
    for round in 0..10 {
        let bodies: Vec<_> = (0..200).map(|n| format!("flood {round}-{n}.")).collect();
        inject(&posta, &bodies);
    }
    let mut triggers = 0;
    until("the last one is shown", || {
        triggers += usize::from(tab.next().name == "thread-updated");
        chat.get(THREAD, &cookie).body.contains("flood 9-199.").then_some(())
    });
    assert!(triggers < 400, "{triggers} triggers for 2,000 events");
    assert!(chat.get("/sidebar?open=", &cookie).body.contains("99+"));
    drop(sleeper);
}

#[test]
fn without_an_event_stream_news_come_all_the_same() {
    let chat = Chat::start(&[]);
    let (posta, hostile, cookie, tab) = reader(&chat, "alice");
    let page = Fault::answer("200 OK", "text/html", "<p>It works");
    hostile.break_with("GET /api/v1/events", page);
    until("it has failed", || (hostile.asked("GET /api/v1/events") > 2).then_some(()));
    say(&posta, "without events");
    until("the tab hears of it", || {
        tab.next();
        chat.get("/sidebar?open=", &cookie).body.contains("without events").then_some(())
    });
    assert_eq!(banner(&chat.get("/", &cookie).body), "ok");
}
