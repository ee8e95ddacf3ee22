//! What `doctor` sees beyond this host: our own pages as browsers get them, and posta-servers.
use super::{Finding, fail, ok, warn};
use crate::cli::healthcheck;
use crate::config::Config;
use crate::http::client::{Answer, Call, CallBody, CallError, Client, Deadlines, Options, Origin};
use crate::http::{Method, stack};
use crate::web::origin_of;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(5),
    total: Duration::from_secs(10),
};
/// Largest answer looked at, in bytes.
const MAX_ANSWER: u64 = 64 << 10;
/// Clocks farther apart than this, in seconds, make invites and sessions end at odd times.
const SKEW: i64 = 30;

/// What of an answer is looked at.
struct Seen {
    status: u16,
    is_json: bool,
    hsts: bool,
    csp: bool,
    /// How far the answerer's clock is ahead of ours, in seconds.
    ahead: Option<i64>,
    body: Vec<u8>,
}

/// Asks from a coroutine, where the client is at home, and waits here.
fn ask(
    origin: Origin,
    target: &'static str,
    allow_private: bool,
) -> Result<Result<Seen, CallError>, String> {
    let (tell, told) = mpsc::channel();
    let work = move || {
        let agent = concat!("chat-posta/", env!("CARGO_PKG_VERSION")).to_owned();
        let client = Client::new(Options { allow_private, agent, ..Options::default() });
        let call = Call {
            method: Method::Get,
            origin: &origin,
            target,
            fields: &[("accept", "application/json, text/plain")],
            body: CallBody::Empty,
            deadlines: DEADLINES,
            max_answer: MAX_ANSWER,
        };
        let _ = tell.send(client.call(call).map(see));
    };
    stack::spawn_connection(work).map_err(|e| e.to_string())?;
    told.recv().map_err(|_| "asking ran into a bug".to_owned())
}

fn see(mut answer: Answer) -> Seen {
    let field = |name: &str| answer.fields.get(name);
    let date = field("date").and_then(|date| rfc2822::parse(date).ok());
    let now = Timestamp::now().as_second();
    let (status, ahead) = (answer.status, date.map(|date| date.timestamp().as_second() - now));
    let is_json = field("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let hsts = field("strict-transport-security").is_some();
    let csp = field("content-security-policy").is_some();
    let mut body = Vec::new();
    // What is cut short is judged by what came.
    let _ = answer.read_to_end(&mut body);
    Seen { status, is_json, hsts, csp, ahead, body }
}

/// Whether browsers reach this service at its base URL, and whether the clocks agree.
pub fn base_url(config: &Config) -> (Finding, Finding) {
    const WHAT: &str = "base URL";
    let base = &config.base_url;
    let url = base.origin();
    let origin = Origin { tls: base.https, host: base.host.clone(), port: base.port };
    let unknown = || warn("clock", "nobody answered to compare it with");
    match ask(origin, "/healthz", true) {
        Err(why) => (fail(WHAT, why), unknown()),
        Ok(Err(e)) => {
            let said = format!(
                "{url} does not answer from here ({e}); check DNS, the proxy, and that the \
                 service runs"
            );
            (fail(WHAT, said), unknown())
        }
        Ok(Ok(seen)) => {
            let is_ours = seen.status == 200 && seen.body == b"ok\n" && seen.csp;
            let reached = if !is_ours {
                let status = seen.status;
                fail(WHAT, format!("{url}: something else answers /healthz (status {status})"))
            } else if base.https && !seen.hsts {
                let said = "no Strict-Transport-Security: the running service has another base_url";
                warn(WHAT, format!("{url}: {said}, or the proxy drops the field"))
            } else {
                ok(WHAT, format!("{url} reaches the service"))
            };
            (reached, clock(seen.ahead))
        }
    }
}

fn clock(ahead: Option<i64>) -> Finding {
    match ahead {
        None => warn("clock", "the answer had no date to compare it with"),
        Some(ahead) if ahead.abs() > SKEW => {
            let (by, way) = (ahead.abs(), if ahead > 0 { "behind" } else { "ahead of" });
            warn(
                "clock",
                format!("this host is {by} s {way} the other; set up time synchronisation"),
            )
        }
        Some(_) => ok("clock", format!("{:.0}", Timestamp::now())),
    }
}

/// Whether a posta-server answers, by the same rules that the service calls it by.
pub fn posta_server(config: &Config, url: &str) -> Vec<Finding> {
    const WHAT: &str = "posta-server";
    let trimmed = url.trim_end_matches('/');
    let full =
        if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
    let Some(origin) = origin_of(&full) else {
        return vec![fail(WHAT, format!("{url}: expected a URL such as https://alice.example"))];
    };
    match ask(origin, "/api/v1/identity", config.allow_private_upstreams) {
        Err(why) => vec![fail(WHAT, why)],
        Ok(Err(CallError::Forbidden)) => {
            let said = "its name leads to a private address; allow_private_upstreams permits that";
            vec![fail(WHAT, format!("{full}: {said}"))]
        }
        Ok(Err(e)) => vec![fail(WHAT, format!("{full}: {e}; ask its owner whether it runs"))],
        // Without a token it must refuse, in its own form (JSON).
        Ok(Ok(seen)) if seen.status == 401 && seen.is_json => {
            vec![ok(WHAT, format!("{full} answers")), clock_of(WHAT, seen.ahead)]
        }
        Ok(Ok(seen)) => {
            let status = seen.status;
            let said = format!("{full}: it answers like no posta-server (status {status})");
            vec![fail(WHAT, format!("{said}; is the host right, and its proxy?"))]
        }
    }
}

fn clock_of(what: &'static str, ahead: Option<i64>) -> Finding {
    match ahead {
        Some(ahead) if ahead.abs() > SKEW => {
            let (by, way) = (ahead.abs(), if ahead > 0 { "ahead of" } else { "behind" });
            warn(what, format!("its clock is {by} s {way} ours: times of messages will look odd"))
        }
        _ => ok(what, "its clock agrees with ours"),
    }
}

/// Whether the operator's listener answers, where one is set up.
pub fn operator(address: SocketAddr) -> Finding {
    match healthcheck::ask(healthcheck::reachable(address)) {
        Ok(_) => ok("ops_listen", format!("{address} answers")),
        Err(why) => warn("ops_listen", format!("{address}: {why}")),
    }
}
