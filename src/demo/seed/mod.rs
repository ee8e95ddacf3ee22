//! A past for the demo's participants: weeks of conversation, with everything a chat must bear in it
//! (long, right-to-left, markup-like, pictures, unknown kinds, every delivery state).
//!
//! The same seed and time give the same story. Alice and Bob get the two sides of one thread, ids
//! included.
mod cast;
mod filler;
mod jpeg;
pub mod picture;
mod png;
mod random;
mod script;
mod thread;

pub use cast::{Cast, Role};

use super::Participant;
use super::address::Address;
use super::api::uploads;
use super::behaviour::Kind;
use super::db::contacts::{self, Profile};
use super::db::{DbError, messages, meta};
use random::Random;
use rusqlite::{Connection, Result as SqlResult, params};
use std::sync::Arc;
use thread::{Planned, Thread};

const ALICE_AND_BOB: &str = include_str!("text/alice-bob.txt");
const ALICE: &str = include_str!("text/alice.txt");
const BOB: &str = include_str!("text/bob.txt");
const ROOM: &str = include_str!("text/room.txt");

/// Gives the participant their past. Which role they play follows from the cast, or else from their
/// name; whoever plays none gets nothing.
pub fn fill(participant: &Arc<Participant>, seed: u64, cast: &Cast) -> Result<(), DbError> {
    let (me, now) = (participant.me.clone(), participant.now());
    let (cast, kind) = (cast.clone(), participant.kind);
    participant.db.run(move |t| {
        let by_name =
            || Ok::<_, rusqlite::Error>(Role::parse(&meta::text(t, "name")?.to_lowercase()));
        let role = match cast.role_of(&me) {
            Some(role) => Some(role),
            None => by_name()?,
        };
        let Some(role) = role else { return Ok(()) };
        let story = Story { seed, now, me, cast, role };
        story.introduce(t)?;
        if kind == Kind::Room {
            return story.join_members(t);
        }
        let threads = story.threads().map_err(|_| rusqlite::Error::InvalidQuery)?;
        story.write(t, threads)
    })?;
    participant.delivery.wake();
    Ok(())
}

/// What the story is told from.
struct Story {
    seed: u64,
    now: i64,
    me: Address,
    cast: Cast,
    role: Role,
}

impl Story {
    /// Our own profile.
    fn introduce(&self, db: &Connection) -> SqlResult<()> {
        let picture = uploads::keep(db, &picture::avatar(self.role.word()))?;
        meta::set(db, "name", self.role.name().as_bytes())?;
        meta::set(db, "bio", self.role.bio().as_bytes())?;
        meta::set(db, "avatar", format!("{}/{picture}", self.me).as_bytes())
    }

    /// Alice and Bob are in the room from the start.
    fn join_members(&self, db: &Connection) -> SqlResult<()> {
        for role in [Role::Alice, Role::Bob] {
            let member = self.cast.address(role);
            contacts::add(db, member, self.now)?;
            contacts::describe(db, member, &profile_of(role))?;
            contacts::set_member(db, member, true)?;
        }
        Ok(())
    }

    fn threads(&self) -> Result<Vec<Thread>, String> {
        let others = match self.role {
            Role::Alice => ALICE,
            Role::Bob => BOB,
            Role::Room | Role::Echo => return Ok(Vec::new()),
        };
        let mut threads = vec![self.alice_and_bob()?, self.room()?, self.echo()?];
        for section in others.split("# ").filter(|section| !section.is_empty()) {
            threads.push(self.section(section)?);
        }
        Ok(threads)
    }

    /// All threads' messages in the order of time, as if they had come one by one.
    fn write(&self, db: &Connection, threads: Vec<Thread>) -> SqlResult<()> {
        for Thread { with, .. } in &threads {
            let mut profile = with.profile.clone();
            if with.has_avatar {
                let picture = uploads::keep(db, &picture::avatar(&with.profile.avatar))?;
                profile.avatar = format!("{}/{picture}", self.me);
            }
            contacts::add(db, &with.peer, self.now - script::DAY * 60)?;
            contacts::describe(db, &with.peer, &profile)?;
        }
        let mut planned: Vec<(usize, Planned)> = Vec::new();
        let mut read_until = Vec::new();
        for (n, thread) in threads.into_iter().enumerate() {
            read_until.push((thread.with.peer, thread.read_until, 0));
            planned.extend(thread.messages.into_iter().map(|message| (n, message)));
        }
        planned.sort_by_key(|(_, message)| message.new.created_at);
        for (n, message) in planned {
            let new = message.with_picture(db, &self.me)?;
            let row_id = messages::insert(db, &new)?;
            let (_, until, read) = &mut read_until[n];
            if until.is_none_or(|until| new.created_at <= until) {
                *read = row_id;
            }
        }
        let mut mark = db.prepare("UPDATE contacts SET last_read = ?2 WHERE peer = ?1")?;
        for (peer, _, read) in read_until {
            mark.execute(params![peer.canonical(), read])?;
        }
        Ok(())
    }

    fn random(&self, thread: &str) -> Random {
        Random::of(self.seed, thread)
    }
}

/// The avatar is named by the role's word until there is a file of it.
fn profile_of(role: Role) -> Profile {
    Profile {
        name: role.name().to_owned(),
        avatar: role.word().to_owned(),
        kind: role.kind().name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::db::messages::Message;

    const NOW: i64 = 1_747_044_000_000;

    fn told(role: Role, seed: u64) -> Connection {
        let mut cast = Cast::default();
        for (n, role) in Role::ALL.into_iter().enumerate() {
            cast.set(role, &format!("http://localhost:{}", 9101 + n)).unwrap();
        }
        let me = cast.address(role).clone();
        let story = Story { seed, now: NOW, me, cast, role };
        let db = crate::demo::db::in_memory();
        story.introduce(&db).unwrap();
        story.write(&db, story.threads().unwrap()).unwrap();
        db
    }

    fn thread(db: &Connection, peer: &str) -> Vec<Message> {
        let peer = Address::parse(peer).unwrap();
        messages::page(db, &peer, None, i64::MAX).unwrap()
    }

    #[test]
    fn alice_has_everything_a_chat_must_bear() {
        let db = told(Role::Alice, 7);
        let bob = thread(&db, "localhost:9102");
        assert!(bob.len() >= 400, "{}", bob.len());
        let days: std::collections::HashSet<i64> =
            bob.iter().map(|m| m.created_at / script::DAY).collect();
        assert!(days.len() >= 30, "{}", days.len());
        assert!(bob.iter().all(|m| m.created_at < NOW));
        assert!(bob.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
        let contacts = contacts::list(&db).unwrap();
        assert!(contacts.len() >= 8);
        assert!(contacts.iter().any(|c| c.name.chars().count() >= 60));
        assert!(contacts.iter().any(|c| c.unread > 99));
        assert!(contacts.iter().filter(|c| c.unread > 0).count() >= 3);
        assert!(contacts.iter().any(|c| c.unread == 0 && c.last_message_at.is_some()));
        assert!(contacts.iter().any(|c| c.last_message_at.is_none()));
        let has = |sql: &str| {
            let sql = format!("SELECT 1 FROM messages WHERE {sql}");
            assert!(db.prepare(&sql).unwrap().exists([]).unwrap(), "{sql}");
        };
        for state in ["pending", "sending", "delivered", "failed-permanent", "failed-pending-user"]
        {
            has(&format!("state = '{state}'"));
        }
        has("length(words) = 4000");
        has("words LIKE '%<script>%'");
        has("words GLOB '*[א-ي]*'");
        has("payload LIKE '%courier.track/v2%'");
        has("payload LIKE '%image/jpeg%' AND NOT outbound");
        has("payload LIKE '%image/png%' AND outbound");
        has("payload LIKE '%\"action\":\"broadcast\"%' AND words <> ''");
        has("words LIKE '%https://%'");
    }

    #[test]
    fn both_sides_tell_one_story_and_the_seed_decides_it() {
        let (alice, bob) = (told(Role::Alice, 7), told(Role::Bob, 7));
        let ids = |db: &Connection, peer: &str, outbound: bool| {
            let of = thread(db, peer).into_iter().filter(|m| m.outbound == outbound);
            of.map(|m| (m.id, m.created_at)).collect::<Vec<_>>()
        };
        let sent = ids(&alice, "localhost:9102", true);
        assert_eq!(sent, ids(&bob, "localhost:9101", false));
        assert_eq!(ids(&alice, "localhost:9102", false), ids(&bob, "localhost:9101", true));
        assert_eq!(sent, ids(&told(Role::Alice, 7), "localhost:9102", true));
        assert_ne!(sent, ids(&told(Role::Alice, 8), "localhost:9102", true));
    }

    #[test]
    fn the_day_s_hour_does_not_matter() {
        for hour in 0..24 {
            let now = NOW - NOW.rem_euclid(script::DAY) + hour * 3_600_000;
            let cast = Cast::default();
            let me = cast.address(Role::Alice).clone();
            let story = Story { seed: 1, now, me, cast, role: Role::Alice };
            let thread = story.alice_and_bob().unwrap();
            assert!(thread.messages.iter().all(|m| m.new.created_at < now), "{hour}");
        }
    }
}
