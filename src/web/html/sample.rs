//! People and messages to look at and to test with: every shape a page must hold.
use crate::ops::time::Timestamp;
use crate::posta::{Contact, Content, Direction, Identity, Image, Message, PeerUrl, State};
use std::time::Duration;

pub fn now() -> Timestamp {
    "2026-05-14T15:42:00Z".parse().expect("a moment")
}

pub fn peer(url: &str) -> PeerUrl {
    PeerUrl::parse(url).expect("a peer")
}

pub fn me() -> Identity {
    Identity { url: peer("alice.example"), name: "Alice Moe".into(), avatar: None }
}

pub fn contact(url: &str, name: &str) -> Contact {
    Contact {
        peer: peer(url),
        name: name.into(),
        avatar: None,
        kind: "person".into(),
        last_message_at: Some(now()),
        last_read_row: 0,
        unread: None,
    }
}

pub const LONG_NAME: &str = "Maximiliana Konstantinopolitańska-Żółkiewska von und zu Übersee";

/// The usual few, and the unusual.
pub fn contacts() -> Vec<Contact> {
    let mut all = vec![
        contact("bob.example", "Bob Dahl"),
        contact("letters.example/rooms/book-club", "Book club"),
        contact("cara.example", "Cara"),
        contact("konstantinopolitanska.with-a-very-long-name.example/users/maximiliana", LONG_NAME),
        contact("echo.example", ""),
        contact("rtl.example", "נועה לוי"),
        contact("evil.example", "<script>alert('name')</script>"),
        contact("smith.example", "Jørgen Ås Łukasz"),
    ];
    all[2].avatar = Some("https://cara.example/avatar.png".into());
    all[5].avatar = Some("https://rtl.example/broken.png".into());
    all
}

pub fn many_contacts() -> Vec<Contact> {
    (1..=200).map(|n| contact(&format!("p{n}.example"), &format!("Person {n}"))).collect()
}

/// Writes a conversation, a minute apart unless told otherwise.
pub struct Letters {
    pub messages: Vec<Message>,
    pub peer: PeerUrl,
    at: Timestamp,
}

impl Letters {
    pub fn with(peer: PeerUrl, from: &str) -> Self {
        Letters { messages: Vec::new(), peer, at: from.parse().expect("a moment") }
    }

    pub fn later(&mut self, minutes: u64) -> &mut Self {
        self.at += Duration::from_secs(60 * minutes);
        self
    }

    pub fn put(&mut self, direction: Direction, content: Content) -> &mut Self {
        let row_id = self.messages.len() as i64 + 1;
        self.messages.push(Message {
            row_id,
            id: format!("m{row_id}"),
            peer: self.peer.clone(),
            direction,
            content,
            state: (direction == Direction::Outbound).then_some(State::Delivered),
            last_error_code: None,
            created_at: Some(self.at),
        });
        self.at += Duration::from_secs(50);
        self
    }

    pub fn hear(&mut self, text: &str) -> &mut Self {
        self.put(Direction::Inbound, Content::Text(text.into()))
    }

    pub fn say(&mut self, text: &str) -> &mut Self {
        self.put(Direction::Outbound, Content::Text(text.into()))
    }

    pub fn state(&mut self, state: State, code: Option<&str>) -> &mut Self {
        let last = self.messages.last_mut().expect("a message");
        last.state = Some(state);
        last.last_error_code = code.map(str::to_owned);
        self
    }

    pub fn passed_on(&mut self, author: &str, content: Content) -> &mut Self {
        let content = Box::new(content);
        self.put(Direction::Inbound, Content::Broadcast { author: peer(author), content })
    }
}

pub fn picture(url: &str, alt: &str) -> Content {
    let alt = Some(alt.to_owned());
    Content::Image(Image { url: url.into(), alt, ..Image::default() })
}

pub fn usual() -> Letters {
    let mut all = Letters::with(peer("bob.example"), "2026-05-13T18:20:00Z");
    all.hear("Are you coming on Saturday? Ingrid asked.")
        .hear("She is bringing the big pot.")
        .later(9)
        .say("Yes, I'll be there from noon. Is there anything I should bring?")
        .later(4)
        .hear("Bread, if you pass the good bakery: https://bakery.example/open?day=saturday.")
        .hear("Otherwise just yourself")
        .later(840)
        .say("Got the bread. Two loaves of the dark one, and I found the letter you wrote me in 2019, \
              the one about the lighthouse. I'll bring that as well.")
        .say("It still makes me laugh.")
        .later(3)
        .hear("❤️")
        .hear("No! I had forgotten that one completely.")
        .put(Direction::Inbound, picture("https://bob.example/upload-1.jpg", "The pot, last year"))
        .later(12)
        .say("See you at noon")
        .state(State::Delivered, None);
    all
}

pub fn states() -> Letters {
    let mut all = Letters::with(peer("bob.example"), "2026-05-14T14:00:00Z");
    all.say("Delivered, first of a cluster")
        .say("Delivered")
        .later(5)
        .say("Waiting")
        .state(State::Pending, None)
        .later(5)
        .say("On its way")
        .state(State::Sending, None)
        .later(5)
        .say("Refused for good")
        .state(State::FailedPermanent, Some("forbidden"))
        .later(5)
        .say("A code nobody has heard of")
        .state(State::FailedPermanent, Some("teapot-<b>"))
        .later(5)
        .say(
            "Three times I tried, and each time nobody came to the door, so it waits for me to say \
              whether to try again.",
        )
        .state(State::FailedPendingUser, Some("unreachable"));
    all
}

pub fn shapes() -> Letters {
    let mut all = Letters::with(peer("cara.example"), "2026-05-14T09:00:00Z");
    all.hear("👍")
        .say("👩‍👩‍👧‍👦🇳🇴")
        .later(5)
        .hear("<script>alert('x')</script> & <b>not bold</b> https://a.example/\"onmouseover=\"x")
        .hear("fn main() {\n    let answer = compute(vec![1, 2, 3], |n| n * 2).into_iter().filter(|n| n % 3 == 0).collect::<Vec<_>>();\n\n    println!(\"{answer:?}\");\n}")
        .say("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft0123456789012345678901234567890123456789")
        .later(5)
        .hear("שלום! מה שלומך? פגשתי אתמול את Bob והוא סיפר לי הכול.")
        .hear("English first\nثم العربية في السطر الثاني\nand back")
        .say("أهلا وسهلا")
        .later(5)
        .put(Direction::Inbound, Content::Unsupported { kind: "posta.dance/v2".into() })
        .put(Direction::Outbound, Content::Unsupported { kind: String::new() })
        .later(5)
        .put(
            Direction::Inbound,
            Content::Link {
                url: "https://files.example/2026/minutes-of-the-annual-meeting.pdf".into(),
                name: Some("Minutes.pdf".into()),
            },
        )
        .put(
            Direction::Outbound,
            Content::Link { url: "https://maps.example/place/lighthouse".into(), name: None },
        )
        .put(
            Direction::Inbound,
            Content::Link { url: "javascript:alert(1)".into(), name: Some("Free money".into()) },
        )
        .later(5)
        .put(Direction::Inbound, picture("https://cara.example/tall.png", "A tall picture"))
        .put(Direction::Outbound, picture("https://cara.example/wide.png", "A wide picture"))
        .put(Direction::Inbound, picture("https://cara.example/broken.png", "The picture that never came"))
        .put(Direction::Inbound, picture("none:", ""))
        .later(5)
        .hear("Short, then long:")
        .hear("The quick brown fox jumps over the lazy dog. ".repeat(89).trim_end());
    all
}

pub fn room() -> Letters {
    let mut all = Letters::with(peer("letters.example/rooms/book-club"), "2026-05-14T12:00:00Z");
    let text = |text: &str| Content::Text(text.into());
    all.passed_on("bob.example", text("Shall we read the Undset next?"))
        .passed_on("bob.example", text("All three volumes"))
        .passed_on("cara.example", text("Only if there is cake."))
        .passed_on("somebody.with-no-contact.example/users/dora", text("I have never finished it."))
        .passed_on("smith.example", picture("https://smith.example/wide.png", "The three volumes"))
        .later(3)
        .say("There is always cake.")
        .later(3)
        .passed_on("echo.example", Content::Leave)
        .put(Direction::Inbound, Content::Leave)
        .put(Direction::Outbound, Content::Leave);
    all
}

pub fn pictures() -> Letters {
    let mut all = Letters::with(peer("cara.example"), "2026-05-14T09:00:00Z");
    for n in 0..30 {
        let name = ["tall", "wide", "square"][n % 3];
        let url = format!("https://cara.example/{name}.png?{n}");
        let direction = if n % 4 == 3 { Direction::Outbound } else { Direction::Inbound };
        all.put(direction, picture(&url, "Holiday"));
    }
    all
}
