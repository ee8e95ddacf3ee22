//! A demo posta-server as a process, and its client API.
use super::process::{Directory, Process};
use super::stream::Stream;
use super::until;
use serde_json::{Value, json};

/// What was answered; the body is null when it is not JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

pub struct Posta {
    name: String,
    flags: Vec<String>,
    directory: Directory,
    process: Option<Process>,
    /// Canonical.
    pub url: String,
    pub token: String,
    pub pairing: String,
}

impl Posta {
    /// Attempts to deliver follow each other quickly, and streams show signs of life often, so that
    /// tests are quick; further flags as the command takes them.
    pub fn start(name: &str, flags: &[&str]) -> Posta {
        let mut posta = Posta {
            name: name.to_owned(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            directory: Directory::new(),
            process: None,
            url: String::new(),
            token: String::new(),
            pairing: String::new(),
        };
        posta.restart();
        posta
    }

    /// Starts again, on the same port and state.
    pub fn restart(&mut self) {
        self.process = None;
        let state = self.state();
        let mut arguments = vec!["demo-server", "--state", &state, "--name", &self.name, "--admin"];
        for (flag, value) in [("--retry", "200ms"), ("--heartbeat", "500ms")] {
            if !self.flags.iter().any(|given| given == flag) {
                arguments.extend([flag, value]);
            }
        }
        arguments.extend(self.flags.iter().map(String::as_str));
        let process = Process::start(&arguments, "ready ");
        let word = |name: &str| {
            let words = process.ready.split(' ').filter_map(|word| word.split_once('='));
            words.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
        };
        self.url = word("url").unwrap();
        if let Some(pairing) = word("pairing") {
            self.token = pairing.split_once("#token=").unwrap().1.to_owned();
            self.pairing = pairing;
        }
        self.process = Some(process);
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    pub fn state(&self) -> String {
        self.directory.file("state.db")
    }

    /// The display form of the URL.
    pub fn peer(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// For connections without a name.
    pub fn address(&self) -> String {
        self.peer().replace("localhost", "127.0.0.1")
    }

    pub fn request(&self, method: minreq::Method, path: &str) -> minreq::Request {
        minreq::Request::new(method, format!("{}{path}", self.url))
            .with_header("authorization", format!("Bearer {}", self.token))
            .with_timeout(20)
    }

    pub fn get(&self, path: &str) -> Answer {
        send(self.request(minreq::Method::Get, path))
    }

    pub fn delete(&self, path: &str) -> Answer {
        send(self.request(minreq::Method::Delete, path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(minreq::Method::Post, path).with_body(body.to_string()))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(minreq::Method::Patch, path).with_body(body.to_string()))
    }

    /// Queues a text; its row.
    pub fn send_text(&self, peer: &str, text: &str) -> i64 {
        let payload = json!({"kind": "posta.text/v1", "body": text});
        let answer = self.post("/api/v1/messages", &json!({"peer": peer, "payload": payload}));
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body["rowId"].as_i64().unwrap()
    }

    /// The newest messages with a peer, newest first.
    pub fn messages(&self, peer: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/messages?peer={peer}&limit=200"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.as_array().unwrap().clone()
    }

    pub fn contacts(&self) -> Vec<Value> {
        self.get("/api/v1/contacts").body.as_array().unwrap().clone()
    }

    /// The message in `row`, once it is in `state`.
    pub fn until_state(&self, peer: &str, row: i64, state: &str) -> Value {
        until(&format!("row {row} is {state}"), || {
            let messages = self.messages(peer);
            messages.into_iter().find(|m| m["rowId"] == row && m["state"] == state)
        })
    }

    /// The newest message with a peer, once its body is `text`.
    pub fn until_text(&self, peer: &str, text: &str) -> Value {
        until(&format!("{} reads {text:?}", self.name), || {
            self.messages(peer).into_iter().find(|message| message["payload"]["body"] == text)
        })
    }

    /// Steps of the test endpoint.
    pub fn tell(&self, steps: Value) -> Value {
        let answer = self.post("/test", &steps);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// No token is good any more, also this one's own.
    pub fn revoke(&self) {
        self.tell(json!({"revokeTokens": true}));
    }

    /// A fresh pairing URI, also when no token is good.
    pub fn mint(&self) -> String {
        let answer = send(
            minreq::post(format!("{}/test", self.url))
                .with_body(json!({"mintToken": "chat"}).to_string()),
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["mintToken"]["pairing"].as_str().unwrap().to_owned()
    }

    /// How things stand.
    pub fn report(&self) -> Value {
        self.get("/test").body
    }

    pub fn events(&self, last_id: Option<&str>) -> Stream {
        Stream::open(&self.url, &self.token, last_id)
    }
}

pub fn send(request: minreq::Request) -> Answer {
    let answer = request.send().unwrap();
    let body = serde_json::from_slice(answer.as_bytes()).unwrap_or(Value::Null);
    Answer { status: answer.status_code, body }
}
