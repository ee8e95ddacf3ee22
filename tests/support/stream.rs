//! A client of an event stream, reading on a thread of its own.
use super::PATIENCE;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

pub struct Stream {
    pub status: u16,
    events: Receiver<Event>,
}

impl Stream {
    pub fn open(url: &str, token: &str, last_id: Option<&str>) -> Stream {
        let mut request = minreq::get(format!("{url}/api/v1/events"))
            .with_header("authorization", format!("Bearer {token}"))
            .with_header("accept", "text/event-stream")
            .with_timeout(120);
        if let Some(id) = last_id {
            request = request.with_header("last-event-id", id);
        }
        Stream::follow(request)
    }

    /// Sends the request, and reads the stream that answers it.
    pub fn follow(request: minreq::Request) -> Stream {
        let answer = request.send_lazy().unwrap();
        let status = answer.status_code;
        let (tell, events) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut id, mut name, mut data) = (None, String::new(), String::new());
            for line in BufReader::new(answer).lines().map_while(Result::ok) {
                match line.split_once(": ") {
                    Some(("id", value)) => id = Some(value.to_owned()),
                    Some(("event", value)) => name = value.to_owned(),
                    Some(("data", value)) => data.push_str(value),
                    _ if line.is_empty() && !data.is_empty() => {
                        let data = serde_json::from_str(&std::mem::take(&mut data)).unwrap();
                        let event = Event { id: id.take(), name: std::mem::take(&mut name), data };
                        if tell.send(event).is_err() {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        });
        Stream { status, events }
    }

    pub fn next(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("an event in time")
    }

    /// The next event of that name, and those before it.
    pub fn until(&self, name: &str) -> (Vec<Event>, Event) {
        let mut before = Vec::new();
        loop {
            let event = self.next();
            if event.name == name {
                return (before, event);
            }
            before.push(event);
        }
    }

    /// Opened, and through with its replay.
    pub fn ready(self) -> Stream {
        self.until("ready");
        self
    }

    /// Nothing comes for a while.
    pub fn is_quiet(&self) -> bool {
        self.events.recv_timeout(Duration::from_millis(300)) == Err(RecvTimeoutError::Timeout)
    }

    /// Waits for the stream's end; what still came.
    pub fn end(&self) -> Vec<Event> {
        let mut rest = Vec::new();
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) => rest.push(event),
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("the stream did not end"),
            }
        }
    }
}
