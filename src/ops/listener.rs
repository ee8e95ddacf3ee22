//! The operator's own listener, on `may_minihttp`: `/metrics`, `/healthz`, `/readyz`.
//!
//! It has no timeouts and takes 16 header fields at most, so it belongs on a private address. What
//! it cannot do is harm the service: a panic stays in the coroutine of its connection (a body, whose
//! bad length would panic in the library, is never read), and a listener that dies starts anew.
use super::metrics::Metrics;
use may::coroutine::JoinHandle;
use may_minihttp::{HttpServer, HttpService, Request, Response};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Whether the service can do its work, or why not. Called from a coroutine.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// How long a listener that died stays down, so that whatever killed it may pass.
const RESTART: Duration = Duration::from_secs(1);

const TEXT: &str = "Content-Type: text/plain; charset=utf-8";
const PROMETHEUS: &str = "Content-Type: text/plain; version=0.0.4";

/// Binds and serves from coroutines; returns at once.
pub fn start(listen: SocketAddr, metrics: Metrics, ready: Ready) -> io::Result<()> {
    let operator = Operator { metrics, ready };
    let running = HttpServer(operator.clone()).start(listen)?;
    thread::Builder::new()
        .name("ops".into())
        .spawn(move || keep(listen, &operator, running))
        .map(drop)
}

/// The same where a predecessor may still have the address: tries until it has gone.
#[expect(clippy::disallowed_methods, reason = "sleeps on a thread of its own")]
pub fn succeed(listen: SocketAddr, metrics: Metrics, ready: Ready) -> io::Result<()> {
    let operator = Operator { metrics, ready };
    let wait = move || {
        let running = loop {
            match HttpServer(operator.clone()).start(listen) {
                Ok(running) => break running,
                Err(e) => log::debug!("the operator's listener can't use {listen} yet: {e}"),
            }
            thread::sleep(RESTART);
        };
        log::info!("address={listen} the operator's listener succeeds");
        keep(listen, &operator, running);
    };
    thread::Builder::new().name("ops".into()).spawn(wait).map(drop)
}

/// Waits for the listener's end, which only a panic of the library brings, and starts it again.
#[expect(clippy::disallowed_methods, reason = "the thread that keeps the listener")]
fn keep(listen: SocketAddr, operator: &Operator, mut running: JoinHandle<()>) {
    loop {
        let _ = running.join();
        log::error!("the operator's listener on {listen} died and starts again");
        running = loop {
            thread::sleep(RESTART);
            match HttpServer(operator.clone()).start(listen) {
                Ok(running) => break running,
                Err(e) => log::error!("the operator's listener can't use {listen}: {e}"),
            }
        };
    }
}

#[derive(Clone)]
struct Operator {
    metrics: Metrics,
    ready: Ready,
}

impl HttpService for Operator {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        let path = request.path().split('?').next().unwrap_or("");
        if !matches!(request.method(), "GET" | "HEAD") {
            response.status_code(405, "Method Not Allowed").header("Allow: GET").header(TEXT);
            response.body("only GET\n");
            return Ok(());
        }
        match path {
            "/metrics" => {
                response.header(PROMETHEUS);
                response.body_vec(self.metrics.render().into_bytes());
            }
            // The process answers: nothing else is asked.
            "/healthz" => response.header(TEXT).body("ok\n"),
            "/readyz" => match (self.ready)() {
                Ok(()) => response.header(TEXT).body("ready\n"),
                Err(why) => {
                    response.status_code(503, "Service Unavailable").header(TEXT);
                    response.body_vec(format!("{why}\n").into_bytes());
                }
            },
            _ => {
                response.status_code(404, "Not Found").header(TEXT);
                response.body("there are /metrics, /healthz and /readyz\n");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// A port that was free a moment ago: the library does not tell which one it got.
    fn started(ready: Ready) -> SocketAddr {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let metrics = Metrics::default();
        metrics.counted("tests_total", "Tests.", || 2.0);
        start(free, metrics, ready).unwrap();
        free
    }

    /// Sends `head` and gives the answer; nothing where the connection ends without one. The sending
    /// side stays open: the library takes a half-closed client for a gone one.
    fn ask(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut out = String::new();
        let mut buffer = [0; 4096];
        while !is_whole(&out) {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(n) => out.push_str(std::str::from_utf8(&buffer[..n]).unwrap()),
            }
        }
        out
    }

    fn is_whole(answer: &str) -> bool {
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        length.is_some_and(|length| body.len() >= length.parse().unwrap())
    }

    fn get(address: SocketAddr, path: &str) -> String {
        ask(address, &format!("GET {path} HTTP/1.1\r\nHost: ops\r\n\r\n"))
    }

    #[test]
    fn it_tells_health_readiness_and_numbers() {
        let address = started(Arc::new(|| Err("the database is gone".into())));
        assert!(get(address, "/healthz").starts_with("HTTP/1.1 200"));
        let ready = get(address, "/readyz");
        assert!(ready.starts_with("HTTP/1.1 503") && ready.ends_with("the database is gone\n"));
        let metrics = get(address, "/metrics?x");
        assert!(metrics.contains("version=0.0.4") && metrics.ends_with("tests_total 2\n"));
        assert!(get(address, "/").starts_with("HTTP/1.1 404"));
        assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn neither_bad_requests_nor_a_panic_take_it_down() {
        let address = started(Arc::new(|| panic!("a bug in the check")));
        for bad in [
            "GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nbody",
            "nonsense\r\n\r\n",
            &format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(40)),
        ] {
            ask(address, bad);
        }
        get(address, "/readyz");
        assert!(get(address, "/healthz").starts_with("HTTP/1.1 200"));
    }
}
