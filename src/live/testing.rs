//! What the tests of this room share: a scripted posta-server, tabs, and small things.
pub mod fake;
pub mod tab;

pub use fake::Fake;
pub use tab::TestTab;

use super::{Account, Live, Options};
use crate::http::client::{self, Client, Origin};
use crate::http::stack;
use crate::posta::{Content, Direction, Message, PeerUrl, Server};
use crate::store::UserId;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub fn peer(name: &str) -> PeerUrl {
    PeerUrl::parse(&format!("{name}.example")).unwrap()
}

/// An inbound text.
pub fn message(peer: &PeerUrl, row_id: i64) -> Message {
    Message {
        row_id,
        id: format!("m{row_id}"),
        peer: peer.clone(),
        direction: Direction::Inbound,
        content: Content::Text(format!("message {row_id}")),
        state: None,
        last_error_code: None,
        created_at: None,
    }
}

pub const SECOND: Duration = Duration::from_secs(1);

/// Intervals that let a test end.
pub fn short() -> Options {
    let ms = Duration::from_millis;
    Options {
        heartbeat: ms(150),
        grace: ms(300),
        window: ms(30),
        backoff: (ms(50), ms(400)),
        healthy: SECOND,
        doubt: ms(50),
        refused: ms(300),
        again: (ms(100), ms(800)),
        replay: (ms(200), SECOND),
        poll: ms(50),
    }
}

pub const ME: UserId = UserId(1);

/// A user of a scripted posta-server.
pub fn account(live: &Live, fake: &Fake) -> Arc<Account> {
    account_at(live, Origin { tls: false, host: "127.0.0.1".into(), port: fake.port() })
}

/// A user whose posta-server is there.
pub fn account_at(live: &Live, origin: Origin) -> Arc<Account> {
    stack::prepare();
    let options =
        client::Options { allow_private: true, agent: "test".into(), ..Default::default() };
    let token = zeroize::Zeroizing::new("mst_test".to_owned());
    live.account(ME, &Server::new(Client::new(options), origin, token))
}

/// Runs on a coroutine, as requests do.
pub fn on_coroutine<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    stack::spawn_connection(move || tell.send(work()).unwrap()).unwrap();
    told.recv_timeout(20 * SECOND).expect("the coroutine ended")
}

/// Waits until something is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + 5 * SECOND;
    while !so() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until nothing is being read and nothing has to be told.
pub fn settle(account: &Account) {
    until("all is read", || {
        let state = account.state();
        state.reads.is_idle() && !state.unshown
    });
}
