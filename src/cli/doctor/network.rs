//! What `doctor` sees beyond this host: our own pages as browsers get them, and posta-servers.
use super::{Finding, fail, ok, warn};
use crate::cli::healthcheck;
use crate::config::Config;
use crate::http::client::{Answer, Call, CallBody, CallError, Client, Deadlines, Options, Origin};
use crate::http::{Method, stack};
use crate::ops::time::{MONTHS, Timestamp};
use crate::web::origin_of;
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

/// What is asked.
struct Question {
    origin: Origin,
    method: Method,
    target: &'static str,
    fields: Vec<(&'static str, String)>,
    allow_private: bool,
}

impl Question {
    fn get(origin: Origin, target: &'static str, allow_private: bool) -> Question {
        let accept = ("accept", "application/json, text/plain".to_owned());
        Question { origin, method: Method::Get, target, fields: vec![accept], allow_private }
    }
}

/// Asks from a coroutine, where the client is at home, and waits here.
fn ask(config: &Config, question: Question) -> Result<Result<Seen, CallError>, String> {
    let (tell, told) = mpsc::channel();
    let roots = config.upstream_ca.clone();
    let work = move || {
        let Question { origin, method, target, fields, allow_private } = question;
        let agent = concat!("chat-posta/", env!("CARGO_PKG_VERSION")).to_owned();
        let client = Client::new(Options { allow_private, roots, agent, ..Options::default() });
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = if method == Method::Post { CallBody::Bytes(b"{}") } else { CallBody::Empty };
        let call = Call {
            method,
            origin: &origin,
            target,
            fields: &fields,
            body,
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
    let date = field("date").and_then(imf);
    let now = Timestamp::now().as_second();
    let (status, ahead) = (answer.status, date.map(|date| date.as_second() - now));
    let is_json = field("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let hsts = field("strict-transport-security").is_some();
    let csp = field("content-security-policy").is_some();
    let mut body = Vec::new();
    // What is cut short is judged by what came.
    let _ = answer.read_to_end(&mut body);
    Seen { status, is_json, hsts, csp, ahead, body }
}

/// A `Date` field (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf(text: &str) -> Option<Timestamp> {
    let (_, date) = text.split_once(", ")?;
    let [day, month, year, clock, "GMT"] = date.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| name.get(..3) == Some(month))? + 1;
    format!("{year}-{month:02}-{day}T{clock}Z").parse().ok()
}

/// Whether browsers reach this service at its base URL, whether it takes them for its own, and
/// whether the clocks agree.
pub fn base_url(config: &Config) -> Vec<Finding> {
    const WHAT: &str = "base URL";
    let base = &config.base_url;
    let url = base.origin();
    let origin = || Origin { tls: base.https, host: base.host.clone(), port: base.port };
    let seen = match ask(config, Question::get(origin(), "/healthz", true)) {
        Err(why) => return vec![fail(WHAT, why), clock(None)],
        Ok(Err(e)) => {
            let said = format!(
                "{url} does not answer from here ({e}); check DNS, the proxy, and that the \
                 service runs"
            );
            return vec![fail(WHAT, said), clock(None)];
        }
        Ok(Ok(seen)) => seen,
    };
    if seen.status != 200 || seen.body != b"ok\n" || !seen.csp {
        let status = seen.status;
        let said = format!("{url}: something else answers /healthz (status {status})");
        return vec![fail(WHAT, said), clock(seen.ahead)];
    }
    let reached = if base.https && !seen.hsts {
        let said = "no Strict-Transport-Security: the running service has another base_url";
        warn(WHAT, format!("{url}: {said}, or the proxy drops the field"))
    } else {
        ok(WHAT, format!("{url} reaches the service"))
    };
    vec![reached, passkeys(config, origin()), clock(seen.ahead)]
}

/// Begins a sign-in as a page of that origin would, and goes no further.
fn passkeys(config: &Config, origin: Origin) -> Finding {
    const WHAT: &str = "passkeys";
    let (url, own) = (config.base_url.origin(), config.base_url.rp_id());
    let fields = vec![
        ("origin", url.clone()),
        ("sec-fetch-site", "same-origin".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let method = Method::Post;
    let begin = Question { origin, method, target: "/login/options", fields, allow_private: true };
    let seen = match ask(config, begin) {
        Err(why) => return fail(WHAT, why),
        Ok(Err(e)) => return fail(WHAT, format!("{url}: {e}")),
        Ok(Ok(seen)) => seen,
    };
    let answer: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    match (seen.status, answer["publicKey"]["rpId"].as_str()) {
        (200, Some(rp_id)) if rp_id == own => ok(WHAT, format!("pages of {url} may sign in")),
        (429, _) => warn(WHAT, "the service was asked too often to tell; try again in a minute"),
        (403, _) => {
            let said = format!("the running service does not take {url} for its own");
            fail(WHAT, format!("{said}; give it this base_url and restart it"))
        }
        (status, _) => {
            let said = format!("{url} does not begin a sign-in (status {status})");
            fail(WHAT, format!("{said}; look for a proxy that changes requests"))
        }
    }
}

fn clock(ahead: Option<i64>) -> Finding {
    let now = Timestamp::now();
    match ahead {
        Some(ahead) if ahead.abs() > SKEW => {
            let (by, way) = (ahead.abs(), if ahead > 0 { "behind" } else { "ahead of" });
            let said = format!("this host is {by} s {way} whoever answers at the base URL");
            warn("clock", format!("{said}; set up time synchronisation"))
        }
        _ if !is_kept() => {
            let said = format!("{now:.0}, and no time service keeps it right");
            warn("clock", format!("{said}: run chrony, ntpd or systemd-timesyncd on the host"))
        }
        _ => ok("clock", format!("{now:.0}, kept right by a time service")),
    }
}

/// Whether the kernel knows of somebody who keeps its clock right (adjtimex(2)).
fn is_kept() -> bool {
    // SAFETY: the structure is numbers alone; without modes it is only written to.
    let state = unsafe {
        let mut read: libc::timex = std::mem::zeroed();
        libc::adjtimex(&mut read)
    };
    state >= 0 && state != libc::TIME_ERROR
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
    let allow_private = config.allow_private_upstreams;
    match ask(config, Question::get(origin, "/api/v1/identity", allow_private)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_understood() {
        let date = |text| imf(text).map(|date| date.to_string());
        let known = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(date(known).as_deref(), Some("1994-11-06T08:49:37Z"));
        for bad in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 N"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
