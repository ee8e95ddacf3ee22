//! chat-posta with people in it: each signed up, their list of conversations read, a tab or two open,
//! and their events followed.
use crate::http::{Client, get};
use crate::process::Service;
use crate::tabs::{self, Tabs};
use crate::upstream::Upstream;
use crate::{parts::Bench, people};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

pub struct World {
    pub upstream: Upstream,
    pub service: Service,
    pub cookies: Vec<String>,
    pub tabs: Tabs,
}

/// Enough for everything that is allocated once.
const FIRST: usize = 5;

impl World {
    /// So many people, each with a posta-server of their own, not yet here.
    pub fn new(bench: &Bench, name: &str, people: usize, secure: bool) -> World {
        let directory = bench.directory(name);
        let upstream = match secure {
            true => Upstream::secure(people, &directory),
            false => Upstream::start(people),
        };
        let authority = upstream.authority.as_ref().map(|file| file.display().to_string());
        let mut flags = Vec::new();
        if let Some(file) = &authority {
            flags.extend(["--upstream-ca", file]);
        }
        let service = Service::start(bench.program(), &directory, &flags);
        World { upstream, service, cookies: Vec::new(), tabs: Tabs::new() }
    }

    /// The next people sign up, look at their conversations, and leave `tabs` tabs open each: the
    /// first shows a conversation.
    pub fn come(&mut self, people: Range<usize>, tabs: usize) {
        for user in people.clone() {
            let cookie = self.service.sign_up(&self.upstream, user..user + 1).remove(0);
            let mut client = Client::connect(self.service.address).expect("it accepts");
            let reply = client.ask(&get("/", &cookie)).expect("it answers");
            assert_eq!(reply.status, 200, "{}", reply.text());
            let requests = (0..tabs).map(|tab| {
                let (peer, visible) =
                    if tab == 0 { (people::peer(0), true) } else { (String::new(), false) };
                tabs::request(&cookie, tab, &peer, visible)
            });
            self.tabs.open(self.service.address, requests);
            self.cookies.push(cookie);
        }
        let since = Instant::now();
        while tabs > 0 && self.upstream.followed() < people.end {
            assert!(since.elapsed() < Duration::from_secs(20), "not everybody is followed");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The first people, so that what everybody shares is there; and how much is resident then.
    pub fn begin(&mut self, tabs: usize) -> f64 {
        self.come(0..FIRST, tabs);
        self.settle();
        self.service.resident()
    }

    /// All the others; how much is resident for each of them.
    pub fn fill(&mut self, before: f64, people: usize, tabs: usize) -> f64 {
        let there = self.cookies.len();
        self.come(there..people, tabs);
        self.settle();
        (self.service.resident() - before) / (people - FIRST) as f64
    }

    /// What goes on by itself comes to its end.
    pub fn settle(&mut self) {
        let mut calls = self.upstream.calls();
        for _ in 0..40 {
            self.tabs.drain(Duration::from_millis(250));
            let now = self.upstream.calls();
            if std::mem::replace(&mut calls, now) == now {
                break;
            }
        }
        self.tabs.drain(Duration::from_millis(500));
    }
}
