//! `chat-posta demo` as a newcomer meets it: what it prints, who answers, how it ends.
mod support;

use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::posta::send;
use support::process::{Directory, binary};
use support::until;

struct Demo {
    child: Child,
    /// What was printed by the time it ran.
    said: Vec<String>,
    directory: Directory,
}

impl Demo {
    fn start(directory: Directory, flags: &[&str]) -> Demo {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = binary()
            .args(["demo", "--listen", &port.to_string()])
            .args(flags)
            .env("TMPDIR", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in lines.map_while(Result::ok) {
            said.push(line);
            if said.last().unwrap().contains("Ctrl-C") {
                break;
            }
        }
        Demo { child, said, directory }
    }

    /// The words after `word`, wherever they stand.
    fn after(&self, word: &str) -> Vec<String> {
        let found = self.said.iter().filter_map(|line| line.split_once(&format!("{word}  ")));
        found.map(|(_, rest)| rest.trim().to_owned()).collect()
    }

    fn interrupt(mut self) -> Directory {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        std::mem::replace(&mut self.directory, Directory::new())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn left_in(directory: &Directory) -> Vec<PathBuf> {
    std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// One after the other: while one demo is away, another would take its ports.
#[test]
fn a_demo_is_forgotten_or_kept() {
    it_says_what_to_do_in_a_few_lines_and_leaves_nothing_behind();
    what_is_kept_goes_on();
}

fn it_says_what_to_do_in_a_few_lines_and_leaves_nothing_behind() {
    let demo = Demo::start(Directory::new(), &[]);
    assert!(demo.said.len() <= 15, "{:#?}", demo.said);
    let (links, pairings) = (demo.after("open"), demo.after("paste"));
    assert_eq!((links.len(), pairings.len()), (2, 2), "{:#?}", demo.said);
    for link in &links {
        let page = minreq::get(link).send().unwrap();
        assert_eq!(page.status_code, 200);
        assert!(page.as_str().unwrap().contains("Paste your posta+v1:// URI"));
    }
    let (host, token) = pairings[0]
        .strip_prefix("posta+v1://")
        .and_then(|rest| rest.split_once("#token="))
        .unwrap();
    let bearer = format!("Bearer {token}");
    let call = |request: minreq::Request| {
        let answer = send(request.with_header("authorization", &bearer).with_timeout(20));
        assert!(answer.status < 300, "{answer:?}");
        answer.body
    };
    let get = |path: &str| call(minreq::get(format!("http://{host}{path}")));
    assert_eq!(get("/api/v1/identity")["name"], "Alice");
    let contacts = get("/api/v1/contacts");
    let url = |name: &str| {
        let contact = contacts.as_array().unwrap().iter().find(|c| c["name"] == name);
        contact.unwrap()["url"].as_str().unwrap().to_owned()
    };
    assert!(get(&format!("/api/v1/messages?peer={}&limit=200", url("Bob")))[199].is_object());

    // Echo answers, and the room passes on: all four are really there.
    let post = |peer: &str, body: &str| {
        let payload = json!({"kind": "posta.text/v1", "body": body});
        let body = json!({"peer": peer, "payload": payload}).to_string();
        call(minreq::post(format!("http://{host}/api/v1/messages")).with_body(body));
    };
    post(&url("Echo"), "ahoy");
    until("echo answers", || {
        let newest = get(&format!("/api/v1/messages?peer={}", url("Echo")))[0].clone();
        (newest["direction"] == "inbound" && newest["payload"]["body"] == "ahoy").then_some(())
    });
    for peer in ["Bob", "The Allotment"] {
        post(&url(peer), "ahoy");
        until("it arrives", || {
            let newest = get(&format!("/api/v1/messages?peer={}", url(peer)))[0].clone();
            (newest["state"] == "delivered").then_some(())
        });
    }
    assert!(!left_in(&demo.directory).is_empty());
    let directory = demo.interrupt();
    assert_eq!(left_in(&directory), Vec::<PathBuf>::new());
}

fn what_is_kept_goes_on() {
    let directory = Directory::new();
    let db = directory.file("kept/demo.db");
    let demo = Demo::start(directory, &["--db", &db]);
    let first = demo.after("paste");
    let directory = demo.interrupt();
    let demo = Demo::start(directory, &["--db", &db]);
    let second = demo.after("paste");
    // The same addresses; nobody has signed up, so there are fresh tokens, and the old ones work.
    let address = |uri: &String| uri.split('#').next().unwrap().to_owned();
    assert_eq!(
        first.iter().map(address).collect::<Vec<_>>(),
        second.iter().map(address).collect::<Vec<_>>()
    );
    let (host, token) =
        first[0].strip_prefix("posta+v1://").unwrap().split_once("#token=").unwrap();
    let identity = minreq::get(format!("http://{host}/api/v1/identity"))
        .with_header("authorization", format!("Bearer {token}"))
        .send()
        .unwrap();
    assert_eq!(identity.status_code, 200);
    demo.interrupt();
}
