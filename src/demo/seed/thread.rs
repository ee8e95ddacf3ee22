//! Turns scripts into the threads of one participant's state.
use super::filler::{self, WordGame};
use super::random::Random;
use super::script::{self, DAY, Line, Said, Script};
use super::{Story, picture, profile_of};
use crate::demo::address::Address;
use crate::demo::api::uploads;
use crate::demo::db::contacts::Profile;
use crate::demo::db::messages::{DELIVERED, New, PENDING};
use crate::demo::envelope::{self, Key};
use crate::demo::payload;
use crate::demo::seed::cast::Role;
use crate::demo::view::time;
use rusqlite::{Connection, Result as SqlResult};
use serde_json::{Value, json};

/// Days of small talk.
const DAYS: i64 = 42;
const HOUR: i64 = 3_600_000;
/// Messages of the busy choir, and how many of them are unread.
const CHOIR: i64 = 150;
const CHOIR_UNREAD: usize = 120;
/// When a message that could not be delivered yet is tried again.
const NEXT_TRY: i64 = 30 * 60_000;

/// The other side of a thread.
pub struct With {
    pub peer: Address,
    /// The avatar is only the name of a picture.
    pub profile: Profile,
    pub has_avatar: bool,
}

pub struct Thread {
    pub with: With,
    pub messages: Vec<Planned>,
    /// Unix milliseconds; `None` when everything was read.
    pub read_until: Option<i64>,
}

/// A message, and the picture that it is about if it is.
pub struct Planned {
    pub new: New,
    picture: Option<uploads::Picture>,
}

impl Planned {
    /// Stores the picture, under our own roof whoever sent it, and points the message at it.
    pub fn with_picture(self, db: &Connection, me: &Address) -> SqlResult<New> {
        let Planned { mut new, picture } = self;
        if let Some(picture) = picture {
            let name = uploads::keep(db, &picture)?;
            new.payload = uploads::link(&format!("{me}/{name}"), &picture);
        }
        Ok(new)
    }
}

impl Story {
    /// The long thread; `a` is Alice.
    pub fn alice_and_bob(&self) -> Result<Thread, String> {
        let mut random = self.random("alice-bob");
        let mut script = script::read(super::ALICE_AND_BOB, self.now, &mut random)?;
        let (mine, partner) = match self.role {
            Role::Alice => ("a", Role::Bob),
            _ => ("b", Role::Alice),
        };
        let read_until = read_until(&script, mine);
        self.small_talk(&mut script.lines, &mut random);
        Ok(self.thread(self.with(partner), script, mine, read_until, random))
    }

    /// The weather in the morning and a word game in the evening, unless they are talking anyway.
    fn small_talk(&self, lines: &mut Vec<Line>, random: &mut Random) {
        let midnight = self.now - self.now.rem_euclid(DAY);
        let mut game = WordGame::new();
        let mut more = Vec::new();
        for day in (2..DAYS).rev() {
            let morning = midnight - day * DAY + 6 * HOUR + random.within(0, HOUR);
            let evening = midnight - day * DAY + 22 * HOUR + random.within(0, HOUR / 2);
            let weather = filler::weather(random);
            let words = game.evening(random);
            let quiet = |at: i64| lines.iter().all(|line| (line.at - at).abs() > HOUR);
            if quiet(morning) {
                let [hill, harbour] = weather;
                more.push(line("a", morning, hill));
                more.push(line("b", morning + random.within(60_000, 600_000), harbour));
            }
            if quiet(evening) {
                let mut at = evening;
                for (turn, text) in words {
                    more.push(line(if turn { "b" } else { "a" }, at, text));
                    at += random.within(20_000, 240_000);
                }
            }
        }
        lines.append(&mut more);
        lines.sort_by_key(|line| line.at);
    }

    /// The allotment's room: what others write comes as broadcasts.
    pub fn room(&self) -> Result<Thread, String> {
        let mut random = self.random("room");
        let script = script::read(super::ROOM, self.now, &mut random)?;
        let read_until = read_until(&script, self.role.word());
        Ok(self.thread(self.with(Role::Room), script, self.role.word(), read_until, random))
    }

    pub fn echo(&self) -> Result<Thread, String> {
        let text = "= 49h\nb: Hello. I answer what I am sent. Say “help” to see what else I do.\n";
        let mut random = self.random("echo");
        let script = script::read(text, self.now, &mut random)?;
        Ok(self.thread(self.with(Role::Echo), script, "a", None, random))
    }

    /// A thread with somebody made up: `address | name | kind | avatar or noavatar`, then the script.
    pub fn section(&self, section: &str) -> Result<Thread, String> {
        let (head, text) = section.split_once('\n').unwrap_or((section, ""));
        let parts: Vec<&str> = head.split(" | ").collect();
        let &[address, name, kind, avatar] = parts.as_slice() else {
            return Err(format!("not the head of a section: {head}"));
        };
        let peer = Address::parse(address).ok_or(format!("no address: {address}"))?;
        let mut random = self.random(address);
        let mut script = script::read(text, self.now, &mut random)?;
        if script.generate.as_deref() == Some("choir") {
            script.lines = self.choir(&mut random);
            script.read = vec![("a".to_owned(), script.lines.len() - CHOIR_UNREAD)];
        }
        let has_avatar = avatar == "avatar";
        let avatar = if has_avatar { address.to_owned() } else { String::new() };
        let profile = Profile { name: name.to_owned(), avatar, kind: kind.to_owned() };
        let read_until = read_until(&script, "a");
        let with = With { peer, profile, has_avatar };
        Ok(self.thread(with, script, "a", read_until, random))
    }

    fn choir(&self, random: &mut Random) -> Vec<Line> {
        let mut at = self.now - 9 * DAY;
        let step = (self.now - at) / (CHOIR + 1);
        (0..CHOIR)
            .map(|_| {
                at += step;
                let who = random.pick(&["tove", "anton", "mira", "silje"]);
                line(who, at - random.within(0, step / 2), filler::choir(random))
            })
            .collect()
    }

    fn with(&self, role: Role) -> With {
        let peer = self.cast.address(role).clone();
        With { peer, profile: profile_of(role), has_avatar: true }
    }

    fn thread(
        &self,
        with: With,
        script: Script,
        mine: &str,
        read_until: Option<i64>,
        mut random: Random,
    ) -> Thread {
        let messages = script
            .lines
            .into_iter()
            .filter_map(|line| {
                // Drawn for every line, so that both sides agree on the ids.
                let id = uuid(&mut random);
                self.plan(line, id, &with, mine)
            })
            .collect();
        Thread { with, messages, read_until }
    }

    /// The message as our state has it; `None` when it never reached us.
    fn plan(&self, line: Line, id: String, with: &With, mine: &str) -> Option<Planned> {
        let outbound = line.who == mine;
        if !outbound && line.state != DELIVERED {
            return None;
        }
        let (said, picture) = match line.said {
            Said::Text(text) => (payload::text(&text), None),
            Said::Link { url, name } => {
                (json!({"kind": payload::LINK, "url": url, "name": name}), None)
            }
            Said::Raw(payload) => (payload, None),
            Said::Image { picture, alt } => (Value::Null, picture::named(&picture, &alt)),
        };
        let payload = match with.profile.kind.as_str() {
            "room" if !outbound => self.broadcast(&line.who, &id, &with.peer, line.at, &said),
            _ => said,
        };
        let new = New {
            id,
            peer: with.peer.clone(),
            outbound,
            payload,
            state: outbound.then_some(line.state),
            error: line.error,
            created_at: line.at,
            next_at: (line.state == PENDING).then_some(self.now + NEXT_TRY),
            attempts: if line.state == DELIVERED { 0 } else { 3 },
            sealed: None,
        };
        Some(Planned { new, picture })
    }

    /// What a room passed on, signed by whoever wrote it.
    fn broadcast(&self, who: &str, id: &str, room: &Address, at: i64, said: &Value) -> Value {
        let author = self.cast.find(who);
        let key = Key::from_secret(&self.random(author.canonical()).bytes());
        envelope::broadcast(&key.seal(id, &author, room, &time(at), said))
    }
}

fn line(who: &str, at: i64, text: String) -> Line {
    Line { who: who.to_owned(), at, said: Said::Text(text), state: DELIVERED, error: None }
}

/// When what `who` read last was written.
fn read_until(script: &Script, who: &str) -> Option<i64> {
    let (_, count) = script.read.iter().find(|(reader, _)| reader == who)?;
    Some(count.checked_sub(1).and_then(|n| script.lines.get(n)).map_or(0, |line| line.at))
}

fn uuid(random: &mut Random) -> String {
    let hex: String = random.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    [
        &hex[..8],
        &hex[8..12],
        &format!("4{}", &hex[13..16]),
        &format!("a{}", &hex[17..20]),
        &hex[20..],
    ]
    .join("-")
}
