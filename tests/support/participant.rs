//! A participant made by the test itself: serves an actor doc, signs what it likes.
use super::posta::{Answer, Posta, send};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as B64;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub struct Participant {
    pub url: String,
    key: SigningKey,
    /// What is served; a test may change it.
    pub doc: Arc<Mutex<Value>>,
    /// How often it was asked for.
    pub asked: Arc<AtomicUsize>,
}

impl Participant {
    pub fn start(name: &str) -> Participant {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let key = key(1);
        let doc = json!({"url": url, "name": name, "kind": "person", "avatar": "",
                         "publicKeys": [public(&key)]});
        let doc = Arc::new(Mutex::new(doc));
        let asked = Arc::new(AtomicUsize::new(0));
        let (served, counted) = (doc.clone(), asked.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
                while lines.next().is_some_and(|line| !line.is_empty()) {}
                counted.fetch_add(1, Ordering::Relaxed);
                let body = served.lock().unwrap().to_string();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len());
                let _ = write!(&connection, "{head}connection: close\r\n\r\n{body}");
            }
        });
        Participant { url, key, doc, asked }
    }

    /// Takes another key and says so in its doc.
    pub fn change_key(&mut self, secret: u8) {
        self.key = key(secret);
        self.doc.lock().unwrap()["publicKeys"] = json!([public(&self.key)]);
    }

    pub fn envelope(&self, id: &str, to: &str, body: &str) -> Value {
        json!({
            "version": 1, "id": id, "from": self.url, "to": to,
            "keyId": public(&self.key)["id"], "sentAt": "2025-05-12T10:00:00Z",
            "payload": {"kind": "posta.text/v1", "body": body},
        })
    }

    pub fn sign(&self, bytes: &[u8]) -> String {
        B64.encode(self.key.sign(bytes).to_bytes())
    }

    /// Signs and delivers.
    pub fn deliver(&self, to: &Posta, envelope: &Value) -> Answer {
        let bytes = envelope.to_string().into_bytes();
        let signature = self.sign(&bytes);
        deliver(to, bytes, Some(&signature))
    }
}

pub fn deliver(to: &Posta, bytes: Vec<u8>, signature: Option<&str>) -> Answer {
    let mut request = minreq::post(format!("{}/", to.url))
        .with_header("content-type", "application/posta+json")
        .with_timeout(20)
        .with_body(bytes);
    if let Some(signature) = signature {
        request = request.with_header("posta-signature", signature);
    }
    send(request)
}

fn key(secret: u8) -> SigningKey {
    SigningKey::from_bytes(&[secret; 32])
}

fn public(key: &SigningKey) -> Value {
    let bytes = key.verifying_key();
    json!({"id": format!("key-{}", bytes.as_bytes()[0]), "type": "Ed25519",
           "key": B64.encode(bytes.as_bytes())})
}
