//! The housekeeping thread: what must happen although nobody asked.
//!
//! Once a second it ends sessions whose time has come (and tells their tabs two minutes before),
//! counts visible tabs as activity, and ends the sessions of users that another process deleted.
use super::app::App;
use crate::session::Session;
use crate::store::UserId;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);
/// After how many ticks users are looked at although nobody changed the database: a session may
/// have begun just as its user was deleted.
const LOOK_ANYWAY: u32 = 5;
/// How long before a session's end its pages say so.
const WARNING: Duration = Duration::from_secs(120);

pub fn start(app: Weak<App>) {
    thread::Builder::new()
        .name("keeper".into())
        .spawn(move || run(&app))
        .expect("a thread can be started while starting up");
}

#[expect(clippy::disallowed_methods, reason = "the keeper's own thread")]
fn run(app: &Weak<App>) {
    let mut warned = HashSet::new();
    let mut data_version = None;
    for tick in 0u32.. {
        thread::sleep(TICK);
        if tick % LOOK_ANYWAY == 0 {
            data_version = None;
        }
        let Some(app) = app.upgrade() else { return };
        app.count_visible_tabs();
        app.end_expired();
        app.ceremonies.sweep();
        app.warn_of_the_end(&mut warned);
        app.end_deleted_users(&mut data_version);
    }
}

impl App {
    /// Ends one session: its tabs are told, and the user's live state goes with the last one.
    pub fn end_session(&self, session: &Arc<Session>) {
        self.sessions.end(session);
        self.session_is_over(session);
    }

    /// Ends every session of a user who is no more.
    pub fn end_user(&self, user: UserId) {
        self.sessions.end_user(user);
        self.drawn.forget_user(user);
        self.live.forget(user);
    }

    fn session_is_over(&self, session: &Session) {
        self.drawn.forget(&session.key);
        if self.sessions.has_user(session.user) {
            if let Some(account) = self.live.find(session.user) {
                account.sign_out(&session.key);
            }
        } else {
            self.live.forget(session.user);
        }
    }

    fn count_visible_tabs(&self) {
        for key in self.live.visible_sessions() {
            self.sessions.touch_key(&key);
        }
    }

    fn end_expired(&self) {
        for session in self.sessions.sweep() {
            log::info!("user={} session ended: its time is over", session.user.0);
            self.session_is_over(&session);
        }
    }

    fn warn_of_the_end(&self, warned: &mut HashSet<[u8; 32]>) {
        let ending = self.sessions.ending_soon(WARNING);
        // A session that was prolonged is warned anew the next time.
        warned.retain(|key| ending.iter().any(|(session, _)| session.key == *key));
        for (session, remaining) in ending {
            if warned.insert(session.key)
                && let Some(account) = self.live.find(session.user)
            {
                let data = format!("{{\"seconds\":{}}}", remaining.as_secs());
                account.tell(&session.key, "session-ending", &data);
            }
        }
    }

    fn end_deleted_users(&self, seen: &mut Option<i64>) {
        let version = match self.store.data_version() {
            Ok(version) => version,
            Err(e) => return log::error!("store: {e}"),
        };
        if *seen == Some(version) {
            return;
        }
        let users = self.sessions.users();
        match self.store.users_alive(&users) {
            Ok(alive) => {
                *seen = Some(version);
                for gone in users.iter().filter(|user| !alive.contains(user)) {
                    log::info!("user={} sessions ended: the user was deleted", gone.0);
                    self.end_user(*gone);
                }
            }
            Err(e) => log::error!("store: {e}"),
        }
    }
}
