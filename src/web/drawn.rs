//! Pages of threads that were drawn a moment ago, given again as long as nothing they show has changed:
//! people reload, go back, and open the same conversation in the next tab.
//!
//! A page is what one sign-in saw of one thread, at one version of what is known of its user, within
//! one minute, since dates stand in it. It is forgotten with the sign-in at the latest.
use super::key;
use crate::http::{Body, Piece, Response};
use crate::posta::PeerUrl;
use crate::session::Session;
use crate::store::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of all pages: some fifty long ones.
const MOST: usize = 2 << 20;

#[derive(Default)]
pub struct Drawn(Mutex<Books>);

#[derive(Default)]
struct Books {
    pages: HashMap<Name, Page>,
    bytes: usize,
    turns: u64,
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    user: UserId,
    session: [u8; 32],
    peer: PeerUrl,
    /// The inside of the page only.
    fragment: bool,
}

impl Name {
    pub fn new(session: &Session, peer: &PeerUrl, fragment: bool) -> Name {
        Name { user: session.user, session: session.key, peer: peer.clone(), fragment }
    }
}

/// How things were: what is known, and the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub version: u64,
    pub minute: u64,
}

struct Page {
    moment: Moment,
    bytes: Arc<[u8]>,
    /// Where the form's key stands, which is another one in each page.
    key: usize,
    newest: Option<i64>,
    /// When it was asked for last.
    turn: u64,
}

/// A page once more, and the newest message on it.
pub struct Again {
    pub response: Response,
    pub newest: Option<i64>,
}

impl Drawn {
    /// The page as it was drawn at that moment.
    pub fn again(&self, name: &Name, moment: Moment) -> Option<Again> {
        let (bytes, at, newest) = {
            let mut books = self.lock();
            books.turns += 1;
            let turn = books.turns;
            let page = books.pages.get_mut(name).filter(|page| page.moment == moment)?;
            page.turn = turn;
            (page.bytes.clone(), page.key, page.newest)
        };
        let key = key::fresh().into_bytes();
        let (end, length) = (at + key.len(), bytes.len());
        let response = super::page::html_of(Body::Pieces(vec![
            Piece::Shared(bytes.clone(), 0..at),
            Piece::Own(key),
            Piece::Shared(bytes, end..length),
        ]));
        Some(Again { response, newest })
    }

    /// Keeps a page in which the form has this key.
    pub fn keep(
        &self,
        name: Name,
        moment: Moment,
        page: &Response,
        key: &str,
        newest: Option<i64>,
    ) {
        let Body::Bytes(bytes) = &page.body else { return };
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let mut found = text.match_indices(key).map(|(at, _)| at);
        let (Some(at), None) = (found.next(), found.next()) else { return };
        let mut books = self.lock();
        let turn = books.turns;
        let page = Page { moment, bytes: Arc::from(&**bytes), key: at, newest, turn };
        books.put(name, page);
    }

    /// A sign-in is over.
    pub fn forget(&self, session: &[u8; 32]) {
        self.lock().drop_all(|name| name.session == *session);
    }

    /// All of a user's sign-ins are.
    pub fn forget_user(&self, user: UserId) {
        self.lock().drop_all(|name| name.user == user);
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn put(&mut self, name: Name, page: Page) {
        self.bytes += page.bytes.len();
        if let Some(old) = self.pages.insert(name, page) {
            self.bytes -= old.bytes.len();
        }
        while self.bytes > MOST {
            // The one unused longest makes room.
            let unused = self.pages.iter().min_by_key(|(_, page)| page.turn);
            let Some(name) = unused.map(|(name, _)| name.clone()) else { return };
            self.drop_all(|other| *other == name);
        }
    }

    fn drop_all(&mut self, goes: impl Fn(&Name) -> bool) {
        let gone = self.pages.extract_if(|name, _| goes(name));
        self.bytes -= gone.map(|(_, page)| page.bytes.len()).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77";
    const NOW: Moment = Moment { version: 7, minute: 1 };

    fn name(user: i64, session: u8) -> Name {
        let peer = PeerUrl::parse("bob.example").unwrap();
        Name { user: UserId(user), session: [session; 32], peer, fragment: false }
    }

    fn page(text: String) -> Response {
        Response::new(200).bytes("text/html; charset=utf-8", text.into_bytes())
    }

    fn text(again: Again) -> String {
        let Body::Pieces(pieces) = again.response.body else { panic!("pieces") };
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes()).copied().collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_page_comes_again_with_another_key_as_long_as_nothing_has_changed() {
        let drawn = Drawn::default();
        drawn.keep(name(1, 1), NOW, &page(format!("<a {KEY} b>")), KEY, Some(5));
        let again = drawn.again(&name(1, 1), NOW).unwrap();
        assert_eq!(again.newest, Some(5));
        let first = text(again);
        let second = text(drawn.again(&name(1, 1), NOW).unwrap());
        let key = |text: &str| text["<a ".len()..text.len() - " b>".len()].to_owned();
        assert!(key::is_uuid_v4(&key(&first)) && key(&first) != key(&second) && key(&first) != KEY);
        for moment in [Moment { version: 8, ..NOW }, Moment { minute: 2, ..NOW }] {
            assert!(drawn.again(&name(1, 1), moment).is_none(), "{moment:?}");
        }
        assert!(drawn.again(&name(1, 2), NOW).is_none(), "another sign-in's");
        assert!(drawn.again(&Name { fragment: true, ..name(1, 1) }, NOW).is_none());
    }

    #[test]
    fn a_page_whose_key_is_not_found_once_is_not_kept() {
        let drawn = Drawn::default();
        for text in [String::new(), format!("{KEY}{KEY}")] {
            drawn.keep(name(1, 1), NOW, &page(text), KEY, None);
        }
        assert!(drawn.again(&name(1, 1), NOW).is_none());
    }

    #[test]
    fn pages_go_with_their_sign_in_and_when_there_are_too_many() {
        let drawn = Drawn::default();
        let keep = |user, session| {
            let text = format!("{KEY}{}", " ".repeat(MOST / 3));
            drawn.keep(name(user, session), NOW, &page(text), KEY, None);
        };
        let there = |user, session| drawn.again(&name(user, session), NOW).is_some();
        keep(1, 1);
        keep(1, 2);
        assert!(there(1, 1));
        keep(2, 3);
        assert_eq!((there(1, 1), there(1, 2), there(2, 3)), (true, false, true), "the unused one");
        drawn.forget(&[1; 32]);
        assert!(!there(1, 1) && there(2, 3));
        drawn.forget_user(UserId(2));
        assert!(!there(2, 3) && drawn.lock().bytes == 0);
    }
}
