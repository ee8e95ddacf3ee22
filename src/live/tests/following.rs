//! The upstream stream: shared, kept for a while, resumed, and turned into few triggers.
use crate::live::testing::fake::READY;
use crate::live::testing::tab::view;
use crate::live::testing::*;
use crate::live::{Live, Range};
use serde_json::json;
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_millis(250);

/// Two contacts, known and live, with one tab that has heard of the first connection.
fn begin(live: &Live, fake: &Fake) -> (std::sync::Arc<crate::live::Account>, TestTab) {
    fake.contact("bob", 1..=5, 5);
    fake.contact("ann", 6..=9, 9);
    let user = account(live, fake);
    user.inbox();
    let mut tab = TestTab::plain(&user, "first");
    tab.skip_to("resync");
    settle(&user);
    tab.all(Duration::from_millis(1));
    (user, tab)
}

#[test]
fn all_tabs_share_one_stream_that_outlives_them_a_little() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut one) = begin(&live, &fake);
    let mut two = TestTab::open(&user, 2, "second", view(None, false));
    fake.inbound(1, "bob", 20);
    let told = Some(r#"thread-updated {"peer":"bob.example","rowId":20}"#.to_owned());
    assert_eq!((one.next(SECOND), two.next(SECOND)), (told.clone(), told));
    assert_eq!(fake.streams().len(), 1);

    drop((one, two));
    let left = Instant::now();
    std::thread::sleep(short().grace / 2);
    assert!(fake.has_stream());
    let mut back = TestTab::plain(&user, "back");
    fake.inbound(2, "bob", 21);
    assert!(back.next(SECOND).unwrap().contains("21"));
    assert_eq!(fake.streams().len(), 1, "whoever comes back in time finds it open");

    drop(back);
    until("the stream is closed", || !fake.has_stream());
    assert!(left.elapsed() > short().grace);
    assert_eq!(user.inbox().contacts.len(), 2);
    let mut anew = TestTab::plain(&user, "anew");
    anew.skip_to("resync");
    assert_eq!(fake.streams().len(), 2);
}

#[test]
fn a_hundred_events_of_one_thread_are_few_triggers() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut tab) = begin(&live, &fake);
    for row in 20..120 {
        fake.inbound(row as u64, "bob", row);
    }
    let told = tab.all(QUIET);
    assert!((1..20).contains(&told.len()), "{told:?}");
    assert_eq!(told.last().unwrap(), r#"thread-updated {"peer":"bob.example","rowId":119}"#);
    let inbox = user.inbox();
    assert_eq!((inbox.contacts[0].contact.name.as_str(), inbox.contacts[0].unread), ("bob", 100));
    assert_eq!(inbox.contacts[0].preview.as_ref().unwrap().row_id, 119);
}

#[test]
fn the_burst_before_ready_is_one_trigger() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 0);
    fake.contact("ann", 6..=9, 0);
    let burst: String = (1..=9)
        .map(|row| {
            let name = if row < 6 { "bob" } else { "ann" };
            format!("event: inbound\ndata: {{\"peer\":\"{name}.example\",\"rowId\":{row}}}\n\n")
        })
        .collect();
    fake.script().replay = format!("{burst}{READY}");
    let user = account(&live, &fake);
    assert_eq!(user.inbox().contacts[0].unread, 4);
    let calls = fake.asked("GET /api/v1/messages");
    let mut tab = TestTab::plain(&user, "a");
    assert_eq!(tab.all(2 * QUIET), ["resync {}"]);
    assert_eq!(fake.asked("GET /api/v1/messages"), calls, "all of it was known already");
}

#[test]
fn a_replay_without_an_end_ends_by_itself() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.script().replay = "event: inbound\ndata: {\"peer\":\"bob.example\"}\n\n".into();
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    assert_eq!(tab.all(3 * QUIET), ["resync {}"]);
}

#[test]
fn a_broken_stream_resumes_after_the_last_event() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (_user, mut tab) = begin(&live, &fake);
    fake.event(41, "contact-changed", json!({}));
    assert_eq!(tab.next(SECOND).as_deref(), Some("contact-changed {}"));
    // Nothing was missed, and nobody is told anything.
    fake.drop_streams();
    until("it resumes", || fake.streams() == ["", "41"]);
    assert_eq!(tab.all(QUIET), Vec::<String>::new());
    // One event was missed.
    fake.message("bob", 30);
    let missed = "id: 42\nevent: inbound\ndata: {\"peer\":\"bob.example\",\"rowId\":30}\n\n";
    fake.script().replay = format!("{missed}{READY}");
    fake.drop_streams();
    assert_eq!(tab.all(2 * QUIET), [r#"thread-updated {"peer":"bob.example","rowId":30}"#]);
    assert_eq!(fake.streams(), ["", "41", "41"]);
    // Too much was missed.
    fake.script().replay = format!("event: resync\ndata: {{}}\n\n{READY}");
    fake.drop_streams();
    assert_eq!(tab.all(2 * QUIET), ["resync {}"]);
    assert_eq!(fake.streams().last().unwrap(), "42");
}

#[test]
fn a_reconnect_without_an_id_is_a_gap() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut tab) = begin(&live, &fake);
    fake.message("ann", 31);
    fake.drop_streams();
    assert_eq!(tab.next(SECOND).as_deref(), Some("resync {}"));
    assert_eq!(user.inbox().contacts[0].unread, 1);
}

#[test]
fn tries_grow_rarer() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (_user, _tab) = begin(&live, &fake);
    fake.go_away();
    std::thread::sleep(Duration::from_millis(900));
    // 50, 100, 200 and then some 300 ms apart; unhurried ones would be dozens.
    let tries = fake.streams().len() - 1;
    assert!((3..=7).contains(&tries), "{tries} tries");
}

#[test]
fn the_watermark_moves_before_the_trigger_of_a_thread_one_looks_at() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut list) = begin(&live, &fake);
    let mut open = TestTab::open(&user, 1, "open", view(Some(&peer("bob")), true));
    fake.script().latency = Duration::from_millis(100);
    fake.inbound(1, "bob", 20);
    assert!(open.next(SECOND).unwrap().contains("20"));
    assert_eq!(fake.asked(r#"POST /api/v1/contacts/read {"rowId":20,"url":"bob.example"}"#), 1);
    list.skip_to("thread-updated");
    assert_eq!(user.inbox().contacts[0].unread, 0);

    // Another thread's trigger does not wait for it.
    fake.inbound(2, "ann", 21);
    open.skip_to(r#"thread-updated {"peer":"ann.example""#);
    assert_eq!(fake.asked("POST /api/v1/contacts/read"), 1);
    assert_eq!(user.inbox().contacts[0].unread, 1);
}

#[test]
fn a_hidden_tab_reads_nothing() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, _list) = begin(&live, &fake);
    let mut open = TestTab::open(&user, 1, "open", view(Some(&peer("bob")), true));
    user.view(&[1; 32], "open", view(Some(&peer("bob")), false));
    fake.inbound(1, "bob", 20);
    assert!(open.next(SECOND).unwrap().contains("20"));
    assert_eq!(fake.asked("POST /api/v1/contacts/read"), 0);
    assert_eq!(user.inbox().contacts[0].unread, 1);
}

#[test]
fn a_tab_that_comes_back_to_a_thread_reads_what_came_meanwhile() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut list) = begin(&live, &fake);
    fake.inbound(1, "bob", 20);
    list.skip_to("thread-updated");
    assert_eq!(user.inbox().contacts[0].unread, 1);
    let open = TestTab::open(&user, 1, "open", view(Some(&peer("bob")), false));
    assert_eq!(user.known().contacts[0].unread, 1);
    user.view(&[1; 32], "open", view(Some(&peer("bob")), true));
    assert_eq!(user.known().contacts[0].unread, 0);
    drop(open);
    until("the tab is missed", || live.tabs() == 1);
    fake.inbound(2, "bob", 21);
    list.skip_to(r#"thread-updated {"peer":"bob.example","rowId":21"#);
    until("it is unread", || user.inbox().contacts[0].unread == 1);
    let _open = TestTab::open(&user, 1, "open", view(Some(&peer("bob")), true));
    assert_eq!(user.known().contacts[0].unread, 0);
    until("the server is told", || fake.asked(r#"POST /api/v1/contacts/read {"rowId":21"#) == 1);
}

#[test]
fn an_inbound_event_without_a_peer_may_be_about_anything() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, _list) = begin(&live, &fake);
    let mut open = TestTab::open(&user, 1, "open", view(Some(&peer("bob")), true));
    user.thread(&peer("bob"), Range::Newest);
    fake.message("bob", 20);
    fake.message("ann", 21);
    fake.event(1, "inbound", json!({"something": "else"}));
    assert_eq!(open.next(SECOND).as_deref(), Some("resync {}"));
    let inbox = user.inbox();
    let line = |at: usize| (inbox.contacts[at].contact.name.as_str(), inbox.contacts[at].unread);
    assert_eq!((line(0), line(1)), (("ann", 1), ("bob", 0)), "bob's thread is being looked at");
    assert_eq!(user.thread(&peer("bob"), Range::Newest).messages.last().unwrap().row_id, 20);
}

#[test]
fn the_echo_of_one_s_own_reading_is_not_news() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let (user, mut tab) = begin(&live, &fake);
    fake.inbound(1, "bob", 20);
    tab.skip_to("thread-updated");
    assert_eq!(user.inbox().contacts[0].unread, 1);
    user.opened(&peer("bob"), 20);
    assert_eq!(user.known().contacts[0].unread, 0, "at once");
    assert_eq!(tab.next(SECOND).as_deref(), Some("contact-changed {}"));
    until("the server is told", || fake.asked("POST /api/v1/contacts/read") == 1);
    fake.event(2, "read-watermark-changed", json!({"url": "bob.example", "rowId": 20}));
    assert_eq!(tab.all(QUIET), Vec::<String>::new());

    // Reading elsewhere is.
    fake.inbound(3, "ann", 21);
    tab.skip_to("thread-updated");
    assert_eq!(user.inbox().contacts[0].unread, 1);
    fake.event(4, "read-watermark-changed", json!({"peer": "https://ann.example", "rowId": 21}));
    assert_eq!(tab.next(SECOND).as_deref(), Some("contact-changed {}"));
    assert_eq!(user.inbox().contacts[0].unread, 0);
}

#[test]
fn many_threads_at_once_are_everything() {
    let (live, fake) = (Live::with(short()), Fake::start());
    (0..12).for_each(|n| fake.contact(&format!("p{n}"), [n + 1], 99));
    let user = account(&live, &fake);
    user.inbox();
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    let events: String = (0..12)
        .map(|n| {
            format!("event: inbound\ndata: {{\"peer\":\"p{n}.example\",\"rowId\":{}}}\n\n", 100 + n)
        })
        .collect();
    fake.raw(&events);
    assert_eq!(tab.all(QUIET), ["resync {}"]);
}
