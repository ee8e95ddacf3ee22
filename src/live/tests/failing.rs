//! A posta-server that is away, refuses, or comes back.
use crate::http::client::Origin;
use crate::live::testing::tab::view;
use crate::live::testing::*;
use crate::live::{Health, Live, Range};
use crate::posta::PostaError;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn what_is_known_shows_while_the_server_is_away_and_recovers_by_itself() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    let user = account(&live, &fake);
    let mut tab = TestTab::open(&user, 1, "a", view(None, true));
    tab.skip_to("resync");
    user.thread(&peer("bob"), Range::Newest);
    assert_eq!(user.inbox().health, Health::Ok);

    fake.go_away();
    assert_eq!(tab.next(SECOND).as_deref(), Some(r#"health {"state":"unreachable"}"#));
    let start = Instant::now();
    let (inbox, thread) = (user.inbox(), user.thread(&peer("bob"), Range::Newest));
    assert!(start.elapsed() < SECOND);
    assert_eq!((inbox.contacts[0].unread, thread.messages.len()), (2, 5));
    assert!(matches!(inbox.health, Health::Unreachable { last_contact_ms: Some(1..) }));
    let sender = user.clone();
    let sent = on_coroutine(move || sender.send_text(&peer("bob"), "hi", "a-key"));
    assert!(matches!(sent, Err(PostaError::Unreachable(_))));
    // Read while away: it counts here at once, and there when it is back.
    user.opened(&peer("bob"), 5);
    assert_eq!(user.known().contacts[0].unread, 0);
    // A tab that comes now hears how it stands.
    let mut late = TestTab::open(&user, 1, "late", view(None, true));
    assert_eq!(late.next(SECOND).as_deref(), Some(r#"health {"state":"unreachable"}"#));

    fake.message("bob", 6);
    fake.come_back();
    tab.skip_to(r#"health {"state":"ok"}"#);
    tab.skip_to("resync");
    until("the news are read", || user.inbox().contacts[0].unread == 1);
    assert_eq!(user.inbox().health, Health::Ok);
    until("the watermark is told", || {
        fake.asked(r#"POST /api/v1/contacts/read {"rowId":5,"url":"bob.example"}"#) >= 1
    });
}

#[test]
fn without_tabs_the_next_call_finds_it_back() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    fake.go_away();
    let user = account(&live, &fake);
    let inbox = user.inbox();
    assert_eq!(inbox.health, Health::Unreachable { last_contact_ms: None });
    assert!(inbox.contacts.is_empty());
    fake.come_back();
    let inbox = user.inbox();
    assert_eq!((inbox.health, inbox.contacts[0].unread), (Health::Ok, 2));
}

#[test]
fn a_refused_token_is_said_and_not_hammered() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    user.inbox();
    fake.script().refuse = Some(401);
    fake.drop_streams();
    assert_eq!(tab.next(SECOND).as_deref(), Some(r#"health {"state":"refused"}"#));
    let inbox = user.inbox();
    assert_eq!((inbox.health, inbox.contacts.len()), (Health::TokenRefused, 1));
    let tries = fake.streams().len();
    std::thread::sleep(3 * short().refused);
    let tries = fake.streams().len() - tries;
    assert!((2..=4).contains(&tries), "{tries} tries");
    // A page that finds the token accepted again brings everything back.
    fake.script().refuse = None;
    user.inbox();
    tab.skip_to(r#"health {"state":"ok"}"#);
    tab.skip_to("resync");
}

#[test]
fn an_ailing_server_is_as_good_as_away() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let user = account(&live, &fake);
    fake.script().refuse = Some(500);
    assert!(matches!(user.inbox().health, Health::Unreachable { .. }));
    fake.script().refuse = Some(404);
    assert_eq!(user.inbox().health, Health::Ok, "it answers, if nothing useful");
}

#[test]
fn no_secure_connection_is_as_good_as_none() {
    // It speaks no TLS; certificates that are no good are in http/client/tests/tls.rs.
    let (live, fake) = (Live::with(short()), Fake::start());
    let origin = Origin { tls: true, host: "localhost".into(), port: fake.port() };
    let user = account_at(&live, origin);
    assert_eq!(user.inbox().health, Health::Unreachable { last_contact_ms: None });
    let sender = user.clone();
    let sent = on_coroutine(move || sender.send_text(&peer("bob"), "hi", "a-key"));
    assert!(matches!(sent, Err(PostaError::Unreachable(why)) if why.contains("secure")));
    assert_eq!(fake.asked(""), 0, "nothing was said in the clear");
}

#[test]
fn an_answer_that_makes_no_sense_is_told_and_looked_at_again() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    let user = account(&live, &fake);
    let mut tab = TestTab::open(&user, 1, "a", view(Some(&peer("bob")), true));
    tab.skip_to("resync");
    user.thread(&peer("bob"), Range::Newest);
    settle(&user);
    fake.script().refuse = Some(429);
    user.look_again();
    until("it is known", || user.known().trouble.is_some());
    tab.skip_to("contact-changed");
    assert_eq!(user.known().health, Health::Ok, "it answers");
    fake.message("bob", 6);
    fake.script().refuse = None;
    // Nobody asks: the list and the thread that is looked at come by themselves.
    tab.skip_to("thread-updated");
    until("it has passed", || user.known().trouble.is_none());
}

#[test]
fn one_failed_call_makes_the_stream_prove_itself() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    user.inbox();
    fake.script().refuse = Some(503);
    let asking = user.clone();
    assert!(on_coroutine(move || asking.retry(1)).is_err());
    assert_eq!(tab.next(SECOND).as_deref(), Some(r#"health {"state":"unreachable"}"#));
    until("it reconnects", || fake.streams().len() > 1);
    fake.script().refuse = None;
    tab.skip_to(r#"health {"state":"ok"}"#);
    tab.skip_to("resync");
}

#[test]
fn a_server_that_says_nothing_does_not_hold_pages_up() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 3);
    let user = account(&live, &fake);
    user.inbox();
    fake.script().latency = Duration::from_secs(10);
    let start = Instant::now();
    assert_eq!(user.inbox().contacts[0].unread, 2);
    assert!(start.elapsed() < Duration::from_millis(1300), "{:?}", start.elapsed());
}

#[test]
fn a_slow_server_without_events_is_not_asked_in_a_circle() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 5);
    fake.script().no_events = true;
    let user = account(&live, &fake);
    user.thread(&peer("bob"), Range::Newest);
    user.inbox();
    let mut tab = TestTab::open(&user, 1, "a", view(Some(&peer("bob")), true));
    fake.script().latency = Duration::from_millis(1200);
    user.inbox();
    user.thread(&peer("bob"), Range::Newest);
    assert_eq!(tab.all(2 * SECOND), Vec::<String>::new(), "nothing changed");
    fake.message("bob", 6);
    user.inbox();
    user.thread(&peer("bob"), Range::Newest);
    let mut told = tab.all(5 * SECOND);
    told.sort();
    told.dedup(); // its time and its line may come apart
    assert_eq!(told, ["contact-changed {}", r#"thread-updated {"peer":"bob.example"}"#]);
}

#[test]
fn a_server_that_goes_away_is_not_asked_for_every_line() {
    let (live, fake) = (Live::with(short()), Fake::start());
    (0..100).for_each(|n| fake.contact(&format!("p{n}"), [n + 1], 0));
    fake.script().latency = Duration::from_millis(30);
    let user = account(&live, &fake);
    assert_eq!(user.inbox().contacts.len(), 100);
    fake.go_away();
    until("it is noticed", || user.known().health != Health::Ok);
    settle(&user);
    let asked = fake.asked("GET /api/v1/messages");
    assert!(asked < 100, "{asked}");
    fake.come_back();
    user.inbox();
    until("all is known", || user.inbox().contacts.iter().all(|row| row.unread == 1));
}

#[test]
fn pairing_again_goes_on_at_once_and_elsewhere_starts_over() {
    let (live, old, new) = (Live::with(short()), Fake::start(), Fake::start());
    old.contact("bob", 1..=5, 5);
    new.contact("ann", 1..=2, 1);
    let user = account(&live, &old);
    let mut tab = TestTab::plain(&user, "tab");
    tab.skip_to("resync");
    old.event(7, "contact-changed", json!({}));
    tab.skip_to("contact-changed");
    // A token that is refused, also while the stream is being opened.
    old.script().refuse = Some(401);
    old.drop_streams();
    tab.skip_to("health");
    old.script().refuse = None;
    let place = |fake: &Fake| Origin { tls: false, host: "127.0.0.1".into(), port: fake.port() };
    let again = Arc::clone(&user);
    let origin = place(&old);
    on_coroutine(move || again.paired(origin, "mst_fresh"));
    until("there is a stream again", || old.has_stream());
    assert_eq!(old.streams().last().unwrap(), "", "whatever was missed is read anew");
    tab.skip_to("resync");
    settle(&user);
    assert_eq!(user.inbox().contacts[0].contact.peer, peer("bob"));
    // The posta-server has moved: what was known of the other means nothing.
    let again = Arc::clone(&user);
    let origin = place(&new);
    on_coroutine(move || again.paired(origin, "mst_moved"));
    until("there is a stream at the new place", || new.has_stream());
    assert_eq!(new.streams()[0], "", "nothing of the other server is resumed");
    until("it is all as it is there", || {
        let rows = user.inbox().contacts;
        rows.len() == 1 && rows[0].contact.peer == peer("ann") && rows[0].unread == 1
    });
    until("the old stream is closed", || !old.has_stream());
}
