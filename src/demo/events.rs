//! Live events: a bounded buffer that streams read from, each with a place of its own.
//!
//! An id is `<start>-<n>`: the process's start in milliseconds and a count, so that an id from before
//! a restart is known to be one. Whoever asks for what is no longer here is told so.
use super::bell::Bell;
use crate::http::sse;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Events {
    start: i64,
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The newest events; the last one is number `last`.
    kept: VecDeque<Arc<Event>>,
    last: u64,
    streams: Vec<(u64, Bell)>,
    next_stream: u64,
    /// Streams opened before this number was reached must end.
    end_before: u64,
}

#[derive(Debug)]
pub struct Event {
    pub id: String,
    name: Cow<'static, str>,
    data: String,
}

impl Event {
    /// As it goes over the wire.
    pub fn frame(&self) -> Vec<u8> {
        frame(Some(&self.id), &self.name, &self.data)
    }
}

/// An event as bytes; without an id it does not move where a client resumes.
pub fn frame(id: Option<&str>, name: &str, data: &str) -> Vec<u8> {
    let mut bytes = id.map(|id| format!("id: {id}\n").into_bytes()).unwrap_or_default();
    bytes.extend_from_slice(&sse::frame(name, data));
    bytes
}

/// What a reader missed.
#[derive(Debug)]
pub enum Missed {
    /// In order; may be none.
    These(Vec<Arc<Event>>),
    /// Some of it is no longer kept.
    TooMuch,
}

impl Events {
    pub fn new(start: i64, capacity: usize) -> Events {
        Events { start, capacity, inner: Mutex::default() }
    }

    /// Adds an event and wakes all streams.
    pub fn publish(&self, name: impl Into<Cow<'static, str>>, data: String) {
        let mut inner = self.lock();
        inner.last += 1;
        let id = format!("{}-{}", self.start, inner.last);
        inner.kept.push_back(Arc::new(Event { id, name: name.into(), data }));
        if inner.kept.len() > self.capacity {
            inner.kept.pop_front();
        }
        ring(&inner);
    }

    /// The number of the newest event.
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.start)
    }

    /// The number behind an id of this process.
    pub fn number(&self, id: &str) -> Option<u64> {
        let (start, number) = id.split_once('-')?;
        let number = number.parse().ok()?;
        (start.parse() == Ok(self.start) && number <= self.last()).then_some(number)
    }

    /// What came after event `number`.
    pub fn after(&self, number: u64) -> Missed {
        let inner = self.lock();
        let missed = inner.last.saturating_sub(number);
        match usize::try_from(missed).ok().and_then(|m| inner.kept.len().checked_sub(m)) {
            Some(skip) => Missed::These(inner.kept.iter().skip(skip).cloned().collect()),
            None => Missed::TooMuch,
        }
    }

    /// Drops what is kept: streams that resume must be told to start over.
    pub fn forget(&self) {
        let mut inner = self.lock();
        inner.kept.clear();
        // A gap in the numbers: even who had seen everything has missed something now.
        inner.last += 1;
        ring(&inner);
    }

    /// Ends every open stream.
    pub fn end_streams(&self) {
        let mut inner = self.lock();
        inner.end_before = inner.next_stream;
        ring(&inner);
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        self.lock().streams.len()
    }

    /// Enters the calling coroutine as a stream.
    pub fn enter(self: &Arc<Self>) -> Stream {
        let bell = Bell::here();
        let mut inner = self.lock();
        let key = inner.next_stream;
        inner.next_stream += 1;
        inner.streams.push((key, bell.clone()));
        Stream { events: self.clone(), key, bell }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never waits: waking a coroutine only puts it in a queue.
fn ring(inner: &Inner) {
    inner.streams.iter().for_each(|(_, bell)| bell.ring());
}

/// One open stream; leaves when dropped.
pub struct Stream {
    events: Arc<Events>,
    key: u64,
    pub bell: Bell,
}

impl Stream {
    pub fn must_end(&self) -> bool {
        self.key < self.events.lock().end_before
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.events.lock().streams.retain(|(key, _)| *key != self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(missed: Missed) -> Option<Vec<String>> {
        match missed {
            Missed::These(events) => Some(events.iter().map(|e| e.id.clone()).collect()),
            Missed::TooMuch => None,
        }
    }

    #[test]
    fn replay_is_bounded_and_a_gap_is_known() {
        let events = Events::new(7, 3);
        assert_eq!(ids(events.after(0)), Some(vec![]));
        for n in 0..4 {
            events.publish("inbound", n.to_string());
        }
        assert_eq!(ids(events.after(4)), Some(vec![]));
        assert_eq!(ids(events.after(2)), Some(vec!["7-3".into(), "7-4".into()]));
        assert_eq!(ids(events.after(1)).unwrap().len(), 3);
        assert_eq!(ids(events.after(0)), None);
        events.forget();
        assert_eq!(ids(events.after(4)), None);
        assert_eq!(ids(events.after(events.last())), Some(vec![]));
    }

    #[test]
    fn ids_of_another_start_are_unknown() {
        let events = Events::new(7, 3);
        events.publish("inbound", "{}".into());
        assert_eq!(events.number("7-1"), Some(1));
        for id in ["6-1", "7-2", "7-", "7", "", "x-1", "7--1"] {
            assert_eq!(events.number(id), None, "{id}");
        }
        assert_eq!(events.number(&events.id(1)), Some(1));
    }

    #[test]
    fn streams_come_and_go() {
        let events = Arc::new(Events::new(7, 3));
        let inside = events.clone();
        let stream = may::go!(move || {
            let stream = inside.enter();
            assert_eq!(inside.streams(), 1);
            inside.publish("inbound", "{}".into());
            stream.bell.wait(std::time::Duration::from_secs(60));
            assert!(!stream.must_end());
            inside.end_streams();
            assert!(stream.must_end());
            assert!(!inside.enter().must_end());
        });
        stream.join().unwrap();
        assert_eq!(events.streams(), 0);
    }
}
