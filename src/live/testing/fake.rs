//! A posta-server that does as it is told, on threads of its own: it lists what it was given, counts
//! and delays calls, refuses them, drops streams and goes away.
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

#[derive(Clone)]
pub struct Fake {
    port: u16,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
pub struct Script {
    pub contacts: Vec<Value>,
    /// Of each peer, oldest first.
    pub messages: HashMap<String, Vec<Value>>,
    /// Answers nothing: connections are closed at once.
    pub away: bool,
    /// Has no event stream.
    pub no_events: bool,
    /// Answers every call with this status.
    pub refuse: Option<u16>,
    /// The next answers, word for word; an empty one closes the connection instead.
    pub answers: VecDeque<String>,
    pub latency: Duration,
    /// Sent when an event stream opens, after what a resumed one missed.
    pub replay: String,
    /// Everything asked so far: `GET /api/v1/…`, with the resumed id for event streams and the
    /// body for posts.
    pub asked: Vec<String>,
    streams: Vec<TcpStream>,
}

pub const READY: &str = "event: ready\ndata: {}\n\n";

impl Fake {
    pub fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Script { replay: READY.into(), ..Script::default() };
        let fake = Fake { port, script: Arc::new(Mutex::new(script)) };
        let accepting = fake.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (fake, socket) = (accepting.clone(), socket.unwrap());
                thread::spawn(move || fake.serve(socket));
            }
        });
        fake
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// A contact with inbound messages in these rows, read up to one.
    pub fn contact(&self, name: &str, rows: impl IntoIterator<Item = i64>, read: i64) {
        let url = format!("{name}.example");
        let mut script = self.script();
        script.contacts.push(json!({"url": url, "name": name, "lastReadRowId": read}));
        script.messages.insert(url, Vec::new());
        drop(script);
        for row in rows {
            self.message(name, row);
        }
    }

    /// A new inbound message, without an event.
    pub fn message(&self, name: &str, row: i64) {
        let url = format!("{name}.example");
        let at = format!("2025-05-12T10:{:02}:{:02}Z", row / 60 % 60, row % 60);
        let mut script = self.script();
        let payload = json!({"kind": "posta.text/v1", "body": format!("{name} {row}")});
        script.messages.entry(url.clone()).or_default().push(json!({
            "rowId": row, "direction": "inbound", "payload": payload, "createdAt": at,
        }));
        for contact in script.contacts.iter_mut().filter(|c| c["url"] == url.as_str()) {
            contact["lastMessageAt"] = at.as_str().into();
        }
    }

    /// Writes an event to the open streams.
    pub fn event(&self, id: u64, name: &str, data: Value) {
        self.raw(&format!("id: {id}\nevent: {name}\ndata: {data}\n\n"));
    }

    pub fn inbound(&self, id: u64, name: &str, row: i64) {
        self.message(name, row);
        self.event(id, "inbound", json!({"peer": format!("https://{name}.example"), "rowId": row}));
    }

    pub fn raw(&self, text: &str) {
        self.script().streams.retain_mut(|stream| stream.write_all(text.as_bytes()).is_ok());
    }

    /// Closes the open event streams.
    pub fn drop_streams(&self) {
        for stream in self.script().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn go_away(&self) {
        self.script().away = true;
        self.drop_streams();
    }

    pub fn come_back(&self) {
        self.script().away = false;
    }

    /// How often something was asked whose line begins so.
    pub fn asked(&self, start: &str) -> usize {
        self.script().asked.iter().filter(|line| line.starts_with(start)).count()
    }

    /// Event streams opened so far, by the id they resumed from.
    pub fn streams(&self) -> Vec<String> {
        let script = self.script();
        let opened = script.asked.iter().filter_map(|l| l.strip_prefix("GET /api/v1/events"));
        opened.map(|rest| rest.trim().to_owned()).collect()
    }

    /// Whether an event stream is open, judged by writing to it.
    pub fn has_stream(&self) -> bool {
        self.raw(":\n\n");
        !self.script().streams.is_empty()
    }

    fn serve(&self, socket: TcpStream) {
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        while let Some((line, last_id, body)) = read_request(&mut reader) {
            let target = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            let events = target.starts_with("GET /api/v1/events");
            let (away, refuse, latency, verbatim) = {
                let mut script = self.script();
                let more = if events { last_id } else { body };
                script.asked.push(format!("{target} {more}").trim_end().to_owned());
                let verbatim = script.answers.pop_front();
                let refuse = script.refuse.or((events && script.no_events).then_some(404));
                (script.away, refuse, script.latency, verbatim)
            };
            thread::sleep(latency);
            if let Some(verbatim) = &verbatim {
                let _ = (&socket).write_all(verbatim.as_bytes());
            }
            if away || verbatim.is_some() {
                return;
            }
            if let Some(status) = refuse {
                if !answer(&socket, status, &json!({"error": "no", "message": "refused"})) {
                    return;
                }
                continue;
            }
            if events {
                return self.open_stream(socket);
            }
            let (status, value) = self.reply(&target);
            if !answer(&socket, status, &value) {
                return;
            }
        }
    }

    fn open_stream(&self, mut socket: TcpStream) {
        let mut script = self.script();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let greeting = format!("{head}{}", script.replay);
        if socket.write_all(greeting.as_bytes()).is_ok() {
            script.streams.push(socket);
        }
    }

    fn reply(&self, target: &str) -> (u16, Value) {
        let script = self.script();
        let query = |name: &str| {
            let query = target.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")[..]))
        };
        if target.starts_with("GET /api/v1/identity") {
            (200, json!({"url": "https://me.example", "name": "Me"}))
        } else if target.starts_with("GET /api/v1/contacts") {
            (200, json!({"contacts": script.contacts}))
        } else if target.starts_with("GET /api/v1/messages") {
            let before = query("before").map_or(i64::MAX, |row| row.parse().unwrap());
            let limit = query("limit").unwrap().parse().unwrap();
            let all = script.messages.get(query("peer").unwrap());
            let page = all.into_iter().flatten().rev();
            let page = page.filter(|m| m["rowId"].as_i64().unwrap() < before).take(limit);
            (200, page.cloned().collect())
        } else if target.starts_with("POST /api/v1/messages") {
            (202, json!({"rowId": 1000, "id": "x", "state": "pending"}))
        } else {
            (200, json!({}))
        }
    }
}

/// Request line, `Last-Event-ID` and body.
fn read_request(reader: &mut impl BufRead) -> Option<(String, String, String)> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let (mut last_id, mut length) = (String::new(), 0);
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        let field = field.trim_end();
        let Some((name, value)) = field.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "last-event-id" => last_id = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, last_id, String::from_utf8(body).unwrap()))
}

fn answer(mut socket: &TcpStream, status: u16, body: &Value) -> bool {
    let body = body.to_string();
    let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(text.as_bytes()).is_ok()
}
