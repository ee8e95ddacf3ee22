//! Parked sockets: greeted, told, dropped when slow, missed when gone.
use crate::live::hub::Hub;
use crate::live::testing::tab::{pair, view};
use crate::live::testing::*;
use crate::live::trigger::Trigger;
use crate::live::watch::Watch;
use crate::live::{Live, View};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn hub() -> Arc<Hub> {
    Hub::new(&Watch::start(Duration::from_secs(3600)).unwrap())
}

fn park(hub: &Hub, session: u8, name: &str, view: View) -> std::net::TcpStream {
    let (client, parked) = pair();
    hub.add(parked, b"event: hello\ndata: {}\n\n", [session; 32], name.into(), view);
    client
}

fn hidden() -> View {
    view(None, false)
}

#[test]
fn a_closed_tab_is_missed_at_once_and_starts_the_grace() {
    let hub = hub();
    assert!(hub.empty_for().is_some());
    let (a, b) = (park(&hub, 1, "a", hidden()), park(&hub, 1, "b", hidden()));
    assert_eq!((hub.count(), hub.empty_for()), (2, None));
    drop(a);
    until("the first is missed", || hub.count() == 1);
    assert_eq!(hub.empty_for(), None);
    // Only its sending half: nobody sends on an event stream but to say goodbye.
    b.shutdown(std::net::Shutdown::Write).unwrap();
    until("the second is missed", || hub.count() == 0);
    assert!(hub.empty_for().unwrap() < Duration::from_secs(1));
}

#[test]
fn a_tab_that_comes_back_replaces_itself() {
    let hub = hub();
    let _a = park(&hub, 1, "a", hidden());
    let _again = park(&hub, 1, "a", hidden());
    assert_eq!(hub.count(), 1);
    let _other = park(&hub, 2, "a", hidden());
    assert_eq!(hub.count(), 2, "another session's tab of that name is another tab");
}

#[test]
fn a_slow_tab_is_dropped_and_the_others_are_told() {
    let hub = hub();
    let _slow = park(&hub, 1, "slow", hidden());
    let mut quick = TestTab::over(park(&hub, 1, "quick", hidden()));
    let frame = [b"event: resync\ndata: ".as_slice(), &[b'x'; 4000], b"\n\n"].concat();
    let mut told = 0;
    while hub.count() == 2 {
        hub.tell(&frame, None);
        told += 1;
        assert!(told < 20_000, "a socket nobody reads took 80 MB");
        assert!(quick.next(SECOND).unwrap().starts_with("resync"));
    }
    hub.tell(&Trigger::ContactChanged.frame(), None);
    assert_eq!(quick.next(SECOND).as_deref(), Some("contact-changed {}"));
}

#[test]
fn what_a_tab_sends_is_discarded_until_it_is_too_much() {
    let hub = hub();
    let mut client = park(&hub, 1, "a", hidden());
    client.write_all(&[0; 60_000]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(hub.count(), 1);
    let _ = client.write_all(&[0; 60_000]);
    until("the talker is dropped", || hub.count() == 0);
}

#[test]
fn words_reach_the_session_they_are_for() {
    let hub = hub();
    let mut one = TestTab::over(park(&hub, 1, "a", hidden()));
    let mut two = TestTab::over(park(&hub, 2, "a", hidden()));
    hub.tell(b"event: session-ending\ndata: {}\n\n", Some(&[1; 32]));
    assert_eq!(one.next(SECOND).as_deref(), Some("session-ending {}"));
    hub.close(&Trigger::SignedOut.frame(), Some(&[2; 32]));
    assert_eq!(two.next(SECOND).as_deref(), Some("signed-out {}"));
    assert!(two.ends(SECOND) && hub.count() == 1);
    assert_eq!(one.next(Duration::from_millis(50)), None);
}

#[test]
fn views_are_kept_per_tab() {
    let hub = hub();
    let (bob, ann) = (peer("bob"), peer("ann"));
    let _a = park(&hub, 1, "a", view(Some(&bob), true));
    let _b = park(&hub, 2, "b", view(Some(&ann), false));
    assert!(hub.shows(&bob) && !hub.shows(&ann));
    hub.set_view(&[2; 32], "b", view(Some(&ann), true));
    assert_eq!(hub.shown(), [ann.clone(), bob.clone()]);
    hub.set_view(&[1; 32], "b", view(Some(&bob), true));
    assert!(hub.shows(&ann), "a session cannot speak for another's tab");
    hub.set_view(&[1; 32], "a", view(Some(&bob), false));
    let mut sessions = Vec::new();
    hub.visible_sessions(&mut sessions);
    assert_eq!((hub.shown(), sessions), (vec![ann], vec![[2; 32]]));
}

#[test]
fn every_tab_of_every_user_gets_heartbeats() {
    let watch = Watch::start(Duration::from_millis(50)).unwrap();
    let hubs = [Hub::new(&watch), Hub::new(&watch)];
    let mut tabs = hubs.each_ref().map(|hub| TestTab::over(park(hub, 1, "a", hidden())));
    for tab in &mut tabs {
        for _ in 0..3 {
            assert_eq!(tab.next_of_all(SECOND, &["hello"]).as_deref(), Some("ping {}"));
        }
    }
}

/// Tabs come, go and are told things from many threads; at the end exactly those are left that
/// stayed, and each of them has heard the last word.
#[test]
fn tabs_may_join_and_leave_at_the_same_time() {
    let hub = hub();
    let over = AtomicBool::new(false);
    let mut stayed = std::thread::scope(|scope| {
        let joins = (0..4u8).map(|thread| {
            let hub = &hub;
            scope.spawn(move || {
                let mut kept = Vec::new();
                for n in 0..60 {
                    let tab = park(hub, thread, &format!("t{n}"), hidden());
                    if n % 3 == 0 {
                        kept.push(TestTab::over(tab));
                    }
                }
                kept
            })
        });
        let joins: Vec<_> = joins.collect();
        let teller = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                hub.tell(&Trigger::ContactChanged.frame(), None);
                hub.tell(&Trigger::Ping.frame(), Some(&[2; 32]));
            }
        });
        let kept: Vec<_> = joins.into_iter().flat_map(|join| join.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        teller.join().unwrap();
        kept
    });
    until("those who left are gone", || hub.count() == stayed.len());
    hub.tell(&Trigger::Resync.frame(), None);
    for tab in &mut stayed {
        tab.skip_to("resync");
    }
    drop(stayed);
    until("all have left", || hub.count() == 0);
}

#[test]
fn signing_out_and_stopping_reach_the_tabs() {
    let (live, fake) = (Live::with(short()), Fake::start());
    let user = account(&live, &fake);
    let mut one = TestTab::open(&user, 1, "a", hidden());
    let mut two = TestTab::open(&user, 2, "b", view(None, true));
    assert_eq!((live.visible_sessions(), live.tabs()), (vec![[2; 32]], 2));
    user.sign_out(&[1; 32]);
    one.skip_to("signed-out");
    assert!(one.ends(SECOND));
    live.forget(ME);
    two.skip_to("signed-out");
    assert!(two.ends(SECOND) && live.find(ME).is_none());
    // Who held on to the account gets the same answer.
    let mut late = TestTab::open(&user, 2, "c", hidden());
    late.skip_to("signed-out");

    let next = account(&live, &fake);
    assert!(!Arc::ptr_eq(&next, &user));
    let mut tab = TestTab::plain(&next, "a");
    live.shutdown();
    tab.skip_to("bye");
    assert!(tab.ends(SECOND));
}

/// What DESIGN asks of an idle tab, measured where it is made: its socket and a few hundred bytes.
#[test]
fn a_thousand_tabs_cost_little() {
    let hub = hub();
    let warm: Vec<_> = (0..50).map(|n| park(&hub, 9, &format!("w{n}"), hidden())).collect();
    let before = resident();
    let start = Instant::now();
    let tabs: Vec<_> = (0..1000)
        .map(|n| park(&hub, 1, &format!("{n:036}"), view(Some(&peer("bob")), true)))
        .collect();
    let grown = resident().saturating_sub(before);
    assert_eq!(hub.count(), 1050);
    let told = Instant::now();
    hub.tell(&Trigger::Resync.frame(), None);
    println!(
        "1000 tabs parked in {:?}: {} KiB more; all told in {:?}",
        told - start,
        grown / 1024,
        told.elapsed()
    );
    assert_eq!(hub.count(), 1050);
    // Tests run beside this one in the same process; the figure of record is measured apart.
    assert!(grown < 8 << 20, "{grown} bytes");
    drop((warm, tabs));
}

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
