//! What pages get to see, and what that costs the posta-server.
use crate::live::testing::tab::view;
use crate::live::testing::*;
use crate::live::{Live, Range, Thread};
use crate::posta::Content;
use std::time::{Duration, Instant};

fn rows(thread: &Thread) -> (i64, i64) {
    let rows: Vec<_> = thread.messages.iter().map(|m| m.row_id).collect();
    assert!(rows.is_sorted());
    (rows[0], *rows.last().unwrap())
}

#[test]
fn the_list_counts_and_previews_what_is_unread() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=9, 7);
    fake.contact("ann", 10..=12, 12);
    fake.contact("new", [], 0);
    fake.contact("lots", 20..=400, 0);
    let inbox = account(&live, &fake).inbox();
    let lines: Vec<_> =
        inbox.contacts.iter().map(|row| (row.contact.name.as_str(), row.unread)).collect();
    assert_eq!(lines, [("lots", 100), ("ann", 0), ("bob", 2), ("new", 0)]);
    let preview = inbox.contacts[2].preview.as_ref().unwrap();
    assert_eq!(preview.content, Content::Text("bob 9".into()));
    assert_eq!(inbox.me.unwrap().name, "Me");
    assert!(inbox.contacts[3].preview.is_none());
}

#[test]
fn many_contacts_show_before_their_counts_and_a_trigger_brings_those() {
    let (live, fake) = (Live::with(short()), Fake::start());
    (0..100).for_each(|n| fake.contact(&format!("p{n}"), [n + 1], 0));
    fake.script().latency = Duration::from_millis(30);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    let start = Instant::now();
    let inbox = user.inbox();
    assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
    assert_eq!(inbox.contacts.len(), 100);
    let known =
        |inbox: &crate::live::Inbox| inbox.contacts.iter().filter(|r| r.unread == 1).count();
    assert!(known(&inbox) < 100);
    assert_eq!(inbox.contacts[0].unread, 1, "those on top come first");
    until("the rest is read", || {
        tab.next(SECOND);
        known(&user.known()) == 100
    });
    assert_eq!(fake.asked("GET /api/v1/messages"), 100, "each once");
}

#[test]
fn while_events_are_followed_pages_cost_the_server_nothing() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=80, 80);
    let user = account(&live, &fake);
    let mut tab = TestTab::open(&user, 1, "a", view(Some(&peer("bob")), true));
    tab.skip_to("resync");
    user.inbox();
    assert_eq!(rows(&user.thread(&peer("bob"), Range::Newest)), (31, 80));
    let asked = fake.script().asked.len();
    for _ in 0..5 {
        user.inbox();
        user.thread(&peer("bob"), Range::Newest);
        user.thread(&peer("bob"), Range::From(40));
    }
    assert_eq!(fake.script().asked.len(), asked);
    // Without it every page asks again, the lines of the list only where something moved.
    drop(tab);
    until("the stream is closed", || !fake.has_stream());
    fake.message("bob", 81);
    assert_eq!(user.inbox().contacts[0].preview.as_ref().unwrap().row_id, 81);
    assert_eq!(rows(&user.thread(&peer("bob"), Range::Newest)), (32, 81));
}

#[test]
fn a_thread_is_read_in_parts() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=500, 500);
    let user = account(&live, &fake);
    let bob = peer("bob");
    let thread = user.thread(&bob, Range::Newest);
    assert_eq!((rows(&thread), thread.has_older), ((451, 500), true));
    assert_eq!(thread.contact.unwrap().name, "bob");
    let part = |range| {
        let (user, bob) = (user.clone(), bob.clone());
        on_coroutine(move || user.thread(&bob, range))
    };
    let before = |row| {
        let (user, bob) = (user.clone(), bob.clone());
        on_coroutine(move || user.before(&bob, row)).unwrap()
    };
    let older = before(451);
    assert_eq!((rows(&older), older.has_older), ((401, 450), true));
    let oldest = before(21);
    assert_eq!((rows(&oldest), oldest.has_older), ((1, 20), false));
    assert_eq!(rows(&part(Range::From(420))), (420, 500));
    assert_eq!(rows(&part(Range::From(3))), (201, 500), "no more than a page can hold");
    let nobody = user.thread(&peer("nobody"), Range::Newest);
    assert!(nobody.messages.is_empty() && !nobody.has_older && nobody.contact.is_none());
}

#[test]
fn pages_that_ask_at_once_share_one_call() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 5);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    user.inbox();
    user.thread(&peer("bob"), Range::Newest);
    let before = fake.asked("GET /api/v1/messages");
    fake.script().latency = Duration::from_millis(150);
    fake.inbound(1, "bob", 6);
    tab.skip_to("thread-updated");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(rows(&user.thread(&peer("bob"), Range::From(1))), (1, 6));
                assert_eq!(user.inbox().contacts[0].preview.as_ref().unwrap().row_id, 6);
            });
        }
    });
    assert_eq!(fake.asked("GET /api/v1/messages"), before + 1);
}

#[test]
fn a_slow_server_s_news_follow_by_trigger() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 5);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    user.thread(&peer("bob"), Range::Newest);
    user.inbox();
    fake.script().latency = Duration::from_millis(1500);
    fake.inbound(1, "bob", 6);
    tab.skip_to("thread-updated");
    assert_eq!(rows(&user.thread(&peer("bob"), Range::Newest)), (1, 5), "what is known");
    assert_eq!(tab.next(2 * SECOND).as_deref(), Some(r#"thread-updated {"peer":"bob.example"}"#));
    assert_eq!(rows(&user.thread(&peer("bob"), Range::Newest)), (1, 6));
}

#[test]
fn sending_shows_in_all_tabs() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=5, 5);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    let sender = user.clone();
    let sent = on_coroutine(move || sender.send_text(&peer("bob"), "hi <b>", "a-key")).unwrap();
    assert_eq!(sent.row_id, Some(1000));
    assert!(tab.next(SECOND).unwrap().contains("1000"));
    let posted = r#"POST /api/v1/messages {"payload":{"body":"hi <b>","kind":"posta.text/v1"},"peer":"bob.example"}"#;
    assert_eq!(fake.asked(posted), 1);
    let again = user.clone();
    on_coroutine(move || again.retry(1000)).unwrap();
    assert_eq!(fake.asked("POST /api/v1/messages/1000/retry"), 1);
}
