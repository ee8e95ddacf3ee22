//! Who is in the story, and where each of them is reached.
use crate::demo::address::Address;
use crate::demo::behaviour::Kind;

/// The four that really answer; all others are made up and reached nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Alice,
    Bob,
    Room,
    Echo,
}

/// Role, word for it, name, kind, and a line about them.
const ROLES: [(Role, &str, &str, Kind, &str); 4] = [
    (
        Role::Alice,
        "alice",
        "Alice",
        Kind::Person,
        "Swims before work. Plot 14, the one with the hose.",
    ),
    (Role::Bob, "bob", "Bob", Kind::Person, "Draws boats. Owns one, in a sense."),
    (
        Role::Room,
        "room",
        "The Allotment",
        Kind::Room,
        "Plots 9 to 21. Courgettes at your own risk.",
    ),
    (Role::Echo, "echo", "Echo", Kind::Agent, "Answers what it is sent."),
];

impl Role {
    pub const ALL: [Role; 4] = [Role::Alice, Role::Bob, Role::Room, Role::Echo];

    pub fn parse(word: &str) -> Option<Role> {
        ROLES.iter().find(|role| role.1 == word).map(|role| role.0)
    }

    /// As it stands on a command line.
    pub fn word(self) -> &'static str {
        ROLES[self as usize].1
    }

    pub fn name(self) -> &'static str {
        ROLES[self as usize].2
    }

    pub fn kind(self) -> Kind {
        ROLES[self as usize].3
    }

    pub fn bio(self) -> &'static str {
        ROLES[self as usize].4
    }
}

/// Addresses of the four; `<word>.example` unless set.
#[derive(Debug, Clone)]
pub struct Cast([Address; 4]);

impl Default for Cast {
    fn default() -> Self {
        Cast(Role::ALL.map(|role| made_up(role.word())))
    }
}

impl Cast {
    /// Fails when `url` is no participant's.
    pub fn set(&mut self, role: Role, url: &str) -> Result<(), ()> {
        self.0[role as usize] = Address::parse(url).ok_or(())?;
        Ok(())
    }

    pub(super) fn address(&self, role: Role) -> &Address {
        &self.0[role as usize]
    }

    pub(super) fn role_of(&self, address: &Address) -> Option<Role> {
        Role::ALL.into_iter().find(|role| self.address(*role) == address)
    }

    /// The address of whoever a script calls by that word.
    pub(super) fn find(&self, word: &str) -> Address {
        Role::parse(word).map_or_else(|| made_up(word), |role| self.address(role).clone())
    }
}

fn made_up(word: &str) -> Address {
    Address::parse(&format!("{word}.example")).expect("scripts name hosts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_an_address() {
        for (n, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!((role as usize, ROLES[n].0), (n, role));
        }
        let mut cast = Cast::default();
        assert_eq!(cast.find("bob").display(), "bob.example");
        cast.set(Role::Bob, "http://localhost:9102").unwrap();
        assert_eq!(cast.find("bob").display(), "localhost:9102");
        assert_eq!(cast.role_of(&cast.find("bob")), Some(Role::Bob));
        assert_eq!(cast.find("mira").display(), "mira.example");
        assert_eq!(cast.set(Role::Bob, "not a url"), Err(()));
    }
}
