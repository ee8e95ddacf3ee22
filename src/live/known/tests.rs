//! What the list of conversations says after which reads, changes and openings.
use super::*;
use crate::live::testing::{message, peer};

const MINUTE: Duration = Duration::from_secs(60);

fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(1_700_000_000 + second).unwrap())
}

fn contact(name: &str, second: i64, read: i64) -> Contact {
    Contact {
        peer: peer(name),
        name: name.into(),
        avatar: None,
        kind: String::new(),
        last_message_at: at(second),
        last_read_row: read,
        unread: None,
    }
}

/// Inbound rows, newest first.
fn inbound(name: &str, rows: &[i64]) -> Vec<Message> {
    rows.iter().map(|&row| message(&peer(name), row)).collect()
}

fn outbound(name: &str, row: i64, state: State) -> Message {
    Message { direction: Direction::Outbound, state: Some(state), ..message(&peer(name), row) }
}

fn contacts(known: &mut Known, contacts: &[Contact], tick: u64) -> Rereads {
    known.take_contacts(contacts.to_vec(), tick, MINUTE, Instant::now())
}

fn newest(known: &mut Known, name: &str, messages: &[Message], tick: u64) -> bool {
    known.take_newest(&peer(name), messages, tick, Instant::now())
}

/// Unread count and previewed row of each line.
fn lines(known: &Known) -> Vec<(String, u64, Option<i64>)> {
    let line = |row: Row| (row.contact.name, row.unread, row.preview.map(|m| m.row_id));
    known.rows().into_iter().map(line).collect()
}

fn line(name: &str, unread: u64, row: impl Into<Option<i64>>) -> (String, u64, Option<i64>) {
    (name.into(), unread, row.into())
}

/// Bob with rows 1 to 5, read up to 3.
fn bob() -> Known {
    let mut known = Known::default();
    contacts(&mut known, &[contact("bob", 5, 3)], 1);
    newest(&mut known, "bob", &inbound("bob", &[5, 4, 3, 2, 1]), 2);
    known
}

#[test]
fn contacts_show_at_once_and_lines_fill_in() {
    let mut known = Known::default();
    let list = [contact("bob", 5, 3), contact("ann", 9, 0), contact("new", 1, 0)];
    let rereads = contacts(&mut known, &list, 1);
    assert_eq!(rereads.soon, [peer("ann"), peer("bob"), peer("new")]);
    assert_eq!(rereads.later, []);
    assert_eq!(lines(&known), [line("ann", 0, None), line("bob", 0, None), line("new", 0, None)]);

    assert!(newest(&mut known, "bob", &inbound("bob", &[5, 4, 3]), 2));
    assert_eq!(lines(&known)[1], line("bob", 2, 5));
    assert!(!newest(&mut known, "bob", &inbound("bob", &[5, 4, 3]), 3), "nothing new");
    assert_eq!(known.stale().len(), 2);
}

#[test]
fn the_newest_message_decides_the_order() {
    let mut known = Known::default();
    contacts(&mut known, &[contact("bob", 5, 0), contact("ann", 9, 0)], 1);
    let mut latest = message(&peer("bob"), 7);
    latest.created_at = at(20);
    newest(&mut known, "bob", &[latest], 2);
    assert_eq!(lines(&known)[0].0, "bob");
}

#[test]
fn opening_makes_read_at_once_and_for_good() {
    let mut known = bob();
    assert_eq!(lines(&known), [line("bob", 2, 5)]);
    assert!(known.mark(&peer("bob"), 4), "something unread was passed");
    assert_eq!(lines(&known), [line("bob", 1, 5)]);
    assert!(known.mark(&peer("bob"), 5));
    assert!(!known.mark(&peer("bob"), 5) && !known.mark(&peer("bob"), 2), "never backwards");
    assert!(!known.mark(&peer("bob"), 6), "a row of one's own: nothing unread was passed");
    assert_eq!(lines(&known), [line("bob", 0, 5)]);

    // The server has not heard of it yet, or has forgotten.
    contacts(&mut known, &[contact("bob", 5, 3)], 3);
    newest(&mut known, "bob", &inbound("bob", &[5, 4, 3]), 4);
    assert_eq!(lines(&known), [line("bob", 0, 5)]);
    assert_eq!(known.contact(&peer("bob")).unwrap().last_read_row, 6);
    newest(&mut known, "bob", &inbound("bob", &[7, 5, 4]), 5);
    assert_eq!(lines(&known), [line("bob", 1, 7)]);
    assert_eq!(known.newest_unread(&peer("bob")), Some(7));
}

#[test]
fn reading_on_another_device_counts() {
    let mut known = bob();
    contacts(&mut known, &[contact("bob", 5, 4)], 3);
    assert_eq!(lines(&known), [line("bob", 1, 5)]);
    assert_eq!(known.watermark(&peer("bob")), 4);
}

#[test]
fn a_watermark_may_come_before_the_contact() {
    let mut known = Known::default();
    assert!(known.mark(&peer("bob"), 5));
    contacts(&mut known, &[contact("bob", 5, 3)], 1);
    newest(&mut known, "bob", &inbound("bob", &[5, 4]), 2);
    assert_eq!(lines(&known), [line("bob", 0, 5)]);
    for row in 0..2 * MAX_STRAY_WATERMARKS {
        known.mark(&peer(&format!("p{row}")), 1);
    }
    assert!(known.watermarks.len() <= MAX_STRAY_WATERMARKS + 1);
    assert_eq!(known.watermark(&peer("bob")), 5);
}

#[test]
fn contacts_tell_which_threads_moved() {
    let mut known = Known::default();
    let list = [contact("a", 5, 0), contact("b", 6, 0), contact("c", 7, 0), contact("d", 8, 0)];
    contacts(&mut known, &list, 1);
    for name in ["a", "b"] {
        newest(&mut known, name, &inbound(name, &[1]), 2);
    }
    newest(&mut known, "c", &[outbound("c", 1, State::Pending)], 2);
    newest(&mut known, "d", &[outbound("d", 1, State::Delivered)], 2);
    let again = [contact("a", 5, 0), contact("b", 16, 0), contact("c", 7, 0), contact("d", 8, 0)];
    let rereads = contacts(&mut known, &again, 3);
    assert_eq!(rereads.soon, [peer("b"), peer("c")], "b moved, c was still being delivered");
    assert_eq!(rereads.later, []);

    known.all_changed(4);
    let rereads = contacts(&mut known, &again, 5);
    assert_eq!(rereads.soon, [peer("b"), peer("c")]);
    assert_eq!(rereads.later, [peer("d"), peer("a")]);
}

#[test]
fn an_event_s_message_is_not_news_when_the_contacts_tell_of_it() {
    let mut known = bob();
    let mut latest = message(&peer("bob"), 6);
    latest.created_at = at(30);
    newest(&mut known, "bob", &[latest], 3);
    let rereads = contacts(&mut known, &[contact("bob", 30, 3)], 4);
    assert_eq!(rereads, Rereads { changed: true, ..Rereads::default() });
    assert_eq!(contacts(&mut known, &[contact("bob", 30, 3)], 5), Rereads::default());
}

#[test]
fn a_contact_without_a_time_is_trusted_for_a_while() {
    let mut known = Known::default();
    let silent = Contact { last_message_at: None, ..contact("bob", 0, 0) };
    let start = Instant::now();
    known.take_contacts(vec![silent.clone()], 1, MINUTE, start);
    known.take_newest(&peer("bob"), &[], 2, start);
    let mut rereads = |after| known.take_contacts(vec![silent.clone()], 3, MINUTE, start + after);
    assert_eq!(rereads(MINUTE / 2), Rereads::default());
    assert_eq!(rereads(MINUTE).later, [peer("bob")]);
}

#[test]
fn an_answer_asked_for_before_a_change_does_not_hide_it() {
    let mut known = bob();
    known.changed(&peer("bob"), 5);
    newest(&mut known, "bob", &inbound("bob", &[5, 4]), 4);
    assert_eq!(known.stale(), [peer("bob")]);
    newest(&mut known, "bob", &inbound("bob", &[6, 5, 4]), 7);
    assert!(known.stale().is_empty());
    assert!(!newest(&mut known, "bob", &inbound("bob", &[5, 4]), 6), "it took longer");
    assert_eq!(lines(&known), [line("bob", 3, 6)]);
}

#[test]
fn replayed_rows_that_were_read_are_old_news() {
    let mut known = bob();
    assert!(known.has_row(&peer("bob"), 5) && known.has_row(&peer("bob"), 3));
    assert!(!known.has_row(&peer("bob"), 6) && !known.has_row(&peer("ann"), 1));
    known.changed(&peer("bob"), 9);
    assert!(!known.has_row(&peer("bob"), 5));
}

#[test]
fn the_server_s_own_count_is_taken_until_more_was_read_here() {
    let mut known = Known::default();
    let counted = |read| Contact { unread: Some(40), ..contact("bob", 5, read) };
    contacts(&mut known, &[counted(3)], 1);
    assert_eq!(lines(&known), [line("bob", 40, None)]);
    newest(&mut known, "bob", &inbound("bob", &[5, 4]), 2);
    assert_eq!(lines(&known), [line("bob", 40, 5)]);
    assert!(known.mark(&peer("bob"), 5));
    assert_eq!(lines(&known), [line("bob", 0, 5)]);
    assert!(known.counts_itself(&peer("bob")));
}

#[test]
fn who_is_removed_is_gone() {
    let mut known = bob();
    contacts(&mut known, &[], 3);
    assert!(lines(&known).is_empty() && !known.lists(&peer("bob")));
    assert!(!newest(&mut known, "bob", &inbound("bob", &[9]), 4));
}

#[test]
fn previews_are_short() {
    let mut known = bob();
    let mut long = message(&peer("bob"), 9);
    let inner = Box::new(Content::Text("å".repeat(5_000)));
    long.content = Content::Broadcast { author: peer("ann"), content: inner };
    newest(&mut known, "bob", &[long], 5);
    let preview = known.rows().remove(0).preview.unwrap();
    let Content::Broadcast { content, .. } = preview.content else { panic!() };
    assert_eq!(*content, Content::Text("å".repeat(MAX_PREVIEW)));
}
