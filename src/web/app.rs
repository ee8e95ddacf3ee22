//! One request's way through the house: route, origin, session, handler, headers, log.
use super::drawn::Drawn;
use super::failure::{Answer, Failure};
use super::handover::Handover;
use super::routes::{self, Found, Handler, Params};
use super::{cookie, headers, keeper, origin, plain};
use crate::config::Config;
use crate::http::client::Client;
use crate::http::server::{Record, Service};
use crate::http::{Method, Note, Request, Response};
use crate::live::{Account, Live};
use crate::ops::clock::Clock;
use crate::ops::encode::decimal;
use crate::ops::log::line;
use crate::ops::metrics::{Family, Histogram, Metrics};
use crate::posta::Actors;
use crate::session::{Ceremonies, Limits, Session, Sessions};
use crate::store::{Store, StoreError, UserId};
use crate::webauthn::Policy;
use log::Level;
use std::sync::{Arc, Mutex, PoisonError};

/// Everything a handler may use.
pub struct App {
    pub config: Config,
    pub store: Store,
    pub sessions: Sessions,
    pub ceremonies: Ceremonies,
    pub limits: Limits,
    pub live: Live,
    pub client: Client,
    /// What peers say of themselves, for whoever is about to write to them.
    pub actors: Actors,
    pub clock: Clock,
    /// Pages drawn a moment ago.
    pub drawn: Drawn,
    /// What an authenticator's answer must satisfy.
    pub policy: Policy,
    /// The PRF input of this deployment, the same for every passkey.
    pub prf_salt: [u8; 32],
    /// Signs `/media/` URLs; new at every start.
    pub media_key: [u8; 32],
    /// Those that did not come to take this process' place.
    pub refused: Mutex<Option<Refused>>,
    /// Requests answered, by route and status, and how long those took that a handler saw.
    requests: Family,
    durations: Histogram,
    /// Connections that ended with an answer, by reason.
    closes: Family,
}

/// How many successors did not come up, and why the latest did not, in ASCII.
pub struct Refused {
    pub count: u32,
    pub why: String,
}

impl App {
    /// Puts the rooms together and starts the housekeeping thread; goes on with what a predecessor
    /// handed over.
    pub fn start(
        config: Config,
        store: Store,
        clock: Clock,
        metrics: &Metrics,
        handover: Option<Handover>,
    ) -> Result<Arc<App>, StoreError> {
        let prf_salt = store.prf_salt()?;
        let client = Client::new(crate::http::client::Options {
            allow_private: config.allow_private_upstreams,
            roots: config.upstream_ca.clone(),
            agent: concat!("chat-posta/", env!("CARGO_PKG_VERSION")).to_owned(),
            timing: Some(metrics.histogram(
                "chat_posta_upstream_duration_seconds",
                "Calls to posta-servers until their answer's head or their failure, by outcome.",
                "outcome",
            )),
        });
        let app = Arc::new(App {
            sessions: Sessions::new(clock.clone(), config.session_idle, config.session_max),
            ceremonies: Ceremonies::new(clock.clone()),
            limits: Limits::new(),
            live: Live::new(),
            drawn: Drawn::default(),
            actors: Actors::new(client.clone()),
            client,
            policy: Policy::strict(config.base_url.rp_id().to_owned(), config.base_url.origin()),
            prf_salt,
            media_key: handover
                .as_ref()
                .and_then(Handover::media_key)
                .unwrap_or_else(crate::ops::random::bytes),
            refused: Mutex::default(),
            requests: metrics.family(
                "chat_posta_http_requests_total",
                "Requests answered, by route and status.",
                &["route", "status"],
            ),
            durations: metrics.histogram(
                "chat_posta_http_request_duration_seconds",
                "From the end of a request's head to the end of its answer, by route.",
                "route",
            ),
            closes: metrics.family(
                "chat_posta_http_closes_total",
                "Connections that ended with an answer, by reason.",
                &["reason"],
            ),
            clock,
            store,
            config,
        });
        if let Some(handover) = handover {
            app.sessions.receive(handover.into_sessions(&app.store)?, &app.client);
        }
        keeper::start(Arc::downgrade(&app));
        Ok(app)
    }

    /// Notes that a successor did not come up.
    pub fn refuse_successor(&self, why: &str) {
        let visible = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let count = refused.as_ref().map_or(0, |refused| refused.count) + 1;
        *refused = Some(Refused { count, why: why.chars().map(visible).collect() });
    }

    /// Whether browsers reach us by https.
    pub fn https(&self) -> bool {
        self.config.base_url.https
    }

    /// The session of the request's cookie.
    pub fn session(&self, request: &Request<'_>) -> Option<Arc<Session>> {
        self.sessions.find(cookie::read(request, self.https())?)
    }

    /// The live state of the session's user.
    pub fn account(&self, session: &Session) -> Arc<Account> {
        self.live.account(session.user, &session.server)
    }

    /// Route, answer, and who asked.
    fn route(&self, request: &mut Request<'_>) -> (&'static str, Option<UserId>, Answer) {
        // The path is borrowed by the parameters, so handlers find none in the request.
        let path = std::mem::take(&mut request.path);
        let found = routes::find(request.method, &path);
        let (pattern, user, answer) = match found {
            Found::Nothing => ("none", None, Err(Failure::NotFound)),
            Found::WrongMethod(allow) => ("none", None, Err(Failure::WrongMethod(allow))),
            Found::Route(route, params) => {
                let (user, answer) = self.handle(route.handler, request, &params);
                (route.pattern, user, answer)
            }
        };
        request.path = path;
        (pattern, user, answer)
    }

    fn handle(
        &self,
        handler: Handler,
        request: &mut Request<'_>,
        params: &Params<'_>,
    ) -> (Option<UserId>, Answer) {
        if !origin::is_own(request, &self.policy.origin) {
            return (None, Err(Failure::ForeignOrigin));
        }
        let (signed, active) = match handler {
            Handler::Public(public) => return (None, public(self, request, params)),
            Handler::Active(signed) => (signed, true),
            Handler::Passive(signed) => (signed, false),
        };
        let Some(session) = self.session(request) else {
            return (None, Err(Failure::SignedOut));
        };
        if active {
            self.sessions.touch(&session);
        }
        (Some(session.user), signed(self, &session, request, params))
    }
}

impl Service for App {
    fn call(&self, request: &mut Request<'_>) -> Response {
        let (route, user, answer) = self.route(request);
        let mut response = answer.unwrap_or_else(|failure| {
            note(&failure, route, request.id);
            match failure {
                Failure::SignedOut => plain::signed_out(request),
                failure => failure.answer(navigates(request), request.id),
            }
        });
        headers::add(&mut response, self.https());
        response.note = Note { route, caller: user.map(|user| user.0), https: request.https };
        response
    }

    fn refuse(&self, status: u16, reason: &str) -> Response {
        let mut response = Response::new(status)
            .bytes("text/plain; charset=utf-8", format!("{reason}\n").into_bytes());
        headers::add(&mut response, self.https());
        response
    }

    /// One line a request: the route, never the URL, which may hold an invite or a peer.
    fn finished(&self, record: &Record) {
        let Record { id, method, status, bytes_out, duration, close, client_ip, note } = *record;
        // A request refused before it had a handler has no route.
        let has_route = !note.route.is_empty();
        let route = if has_route { note.route } else { "none" };
        self.requests.count(&[route, decimal(status.into(), &mut [0; 20])]);
        if has_route {
            self.durations.observe(route, duration);
        }
        if let Some(reason) = close {
            self.closes.count(&[reason.label()]);
        }
        let Some(line) = line(Level::Info, module_path!()) else { return };
        let line = line.number("id", id).word("method", method.map_or("-", Method::as_str));
        // How the browser came is part of the line: a proxy that forgets to say so shows here.
        let line = match has_route {
            true => {
                line.word("route", route).word("scheme", if note.https { "https" } else { "http" })
            }
            false => line,
        };
        let line = match note.caller.and_then(|user| u64::try_from(user).ok()) {
            Some(user) => line.number("user", user),
            None => line,
        };
        let tenths = u64::try_from((duration.as_micros() + 50) / 100).unwrap_or(u64::MAX);
        let line = line.number("status", status.into()).number("bytes", bytes_out);
        let line = line.tenths("ms", tenths).address("client", client_ip);
        match close {
            Some(reason) => line.quoted("close", &reason.to_string()).write(),
            None => line.write(),
        }
    }
}

/// What the operator should know of a failure; what the visitor did wrong is at debug.
fn note(failure: &Failure, route: &str, id: u64) {
    match failure {
        Failure::Store(e) => log::error!("id={id} route={route} store: {e}"),
        Failure::Posta(e) => log::warn!("id={id} route={route} posta-server: {e}"),
        other => log::debug!("id={id} route={route} {other:?}"),
    }
}

/// Whether the browser is loading a page, rather than a script or htmx asking for a part of one.
pub fn navigates(request: &Request<'_>) -> bool {
    if is_htmx(request) {
        return false;
    }
    match request.fields.get("sec-fetch-dest") {
        Some(dest) => dest == "document",
        None => request.fields.get("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

pub fn is_htmx(request: &Request<'_>) -> bool {
    request.fields.get("hx-request") == Some("true")
}

/// Where to go after signing in: a path of ours, never another site's.
pub fn safe_next(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && next.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\');
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_never_leads_to_another_site() {
        for (next, expected) in [
            ("/c/alice.example?x=1", "/c/alice.example?x=1"),
            ("/", "/"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\\b", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("/\t/evil.example", "/"),
            ("/ø", "/"),
        ] {
            assert_eq!(safe_next(next), expected, "{next:?}");
        }
    }
}
