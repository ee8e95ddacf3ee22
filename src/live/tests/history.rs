//! Parts of a thread away from its newest, and search.
use crate::live::testing::*;
use crate::live::{Account, Live, Range, Thread};
use crate::posta::{Message, PostaError};
use std::sync::Arc;

fn rows(thread: &Thread) -> (i64, i64) {
    (thread.messages[0].row_id, thread.messages.last().unwrap().row_id)
}

/// The rows of the neighbours.
fn beside(thread: &Thread) -> (Option<i64>, Option<i64>) {
    let row = |message: &Option<Message>| message.as_ref().map(|m| m.row_id);
    (row(&thread.above), row(&thread.below))
}

fn after(user: &Arc<Account>, row: i64) -> Result<Thread, PostaError> {
    let user = user.clone();
    on_coroutine(move || user.after(&peer("bob"), row))
}

fn around(user: &Arc<Account>, row: i64) -> Result<Option<Thread>, PostaError> {
    let user = user.clone();
    on_coroutine(move || user.around(&peer("bob"), row))
}

fn before(user: &Arc<Account>, row: i64) -> Thread {
    let user = user.clone();
    on_coroutine(move || user.before(&peer("bob"), row)).unwrap()
}

#[test]
fn every_part_knows_its_neighbours() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=500, 500);
    let user = account(&live, &fake);
    let newest = user.thread(&peer("bob"), Range::Newest);
    assert_eq!((rows(&newest), beside(&newest)), ((451, 500), (Some(450), None)));
    let older = before(&user, 451);
    assert_eq!((rows(&older), beside(&older)), ((401, 450), (Some(400), Some(451))));
    let oldest = before(&user, 21);
    assert_eq!((rows(&oldest), beside(&oldest)), ((1, 20), (None, Some(21))));
    let newer = after(&user, 100).unwrap();
    assert_eq!((rows(&newer), beside(&newer)), ((101, 150), (Some(100), Some(151))));
    assert!(newer.has_older && newer.has_newer);
    let last = after(&user, 460).unwrap();
    assert_eq!(
        (rows(&last), beside(&last), last.has_newer),
        ((461, 500), (Some(460), None), false)
    );
    assert!(after(&user, 500).unwrap().messages.is_empty());
}

#[test]
fn what_is_around_a_message_is_shown_with_it_in_the_middle() {
    let (live, fake) = (Live::with(short()), Fake::start());
    // Rows of other threads lie between.
    fake.contact("bob", (1..=300).map(|n| n * 1_000), 0);
    fake.contact("ann", [1_001], 0);
    let user = account(&live, &fake);
    let part = around(&user, 100_000).unwrap().unwrap();
    assert_eq!(rows(&part), (76_000, 125_000));
    assert_eq!(beside(&part), (Some(75_000), Some(126_000)));
    assert!(part.has_older && part.has_newer);
    let first = around(&user, 1_000).unwrap().unwrap();
    assert_eq!((rows(&first), first.has_older, first.has_newer), ((1_000, 26_000), false, true));
    let last = around(&user, 300_000).unwrap().unwrap();
    assert_eq!((rows(&last), last.has_older, last.has_newer), ((276_000, 300_000), true, false));
    for gone in [1_001, 0, -5, 999_999_999, i64::MAX, i64::MIN] {
        assert!(around(&user, gone).unwrap().is_none(), "{gone}");
    }
}

#[test]
fn while_the_server_is_away_only_what_is_known_can_be_shown() {
    let (live, fake) = (Live::with(short()), Fake::start());
    fake.contact("bob", 1..=500, 500);
    let user = account(&live, &fake);
    let mut tab = TestTab::plain(&user, "a");
    tab.skip_to("resync");
    user.thread(&peer("bob"), Range::Newest);
    fake.go_away();
    assert!(matches!(after(&user, 100), Err(PostaError::Unreachable(_))));
    assert!(matches!(around(&user, 100), Err(PostaError::Unreachable(_))));
    let last = after(&user, 460).unwrap();
    assert_eq!((rows(&last), last.has_newer), ((461, 500), false));
}

#[test]
fn search_asks_for_all_or_one_and_believes_only_that_one() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let user = account(&live, &fake);
    let search = |one: bool, body: &str| {
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        fake.script().answers.push_back(answer);
        let user = user.clone();
        let found = on_coroutine(move || {
            let bob = peer("bob");
            user.search("a&b c", one.then_some(&bob)).unwrap()
        });
        found.iter().map(|m| (m.row_id, m.peer.display().to_owned())).collect::<Vec<_>>()
    };
    let both = r#"[{"rowId":1,"peer":"bob.example","payload":{"text":"a"}},
                   {"rowId":2,"peer":"ann.example","payload":{"text":"b"}}]"#;
    let (bob, ann) = ((1, "bob.example".to_owned()), (2, "ann.example".to_owned()));
    assert_eq!(search(false, both), [ann, bob.clone()]);
    assert_eq!(search(true, both), std::slice::from_ref(&bob));
    assert_eq!(search(true, r#"[{"rowId":1,"payload":{"text":"a"}}]"#), [bob]);
    assert_eq!(search(false, "[]"), []);
    assert_eq!(fake.asked("GET /api/v1/search?q=a%26b%20c&limit=100"), 4);
    assert_eq!(fake.asked("GET /api/v1/search?q=a%26b%20c&limit=100&peer=bob.example"), 2);
}
