//! The operator's own listener, on `may_minihttp`: `/metrics`, `/healthz`, `/readyz`.
//!
//! It has no timeouts and takes 16 header fields at most, so it belongs on a private address. What
//! it cannot do is harm the service: a panic stays in the coroutine of its connection (a body, whose
//! bad length would panic in the library, is never read), and a listener that dies starts anew.
use super::metrics::Metrics;
use may::coroutine::{Coroutine, JoinHandle};
use may_minihttp::{HttpServer, HttpService, Request, Response};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Whether the service can do its work, or why not. Called from a coroutine.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// How long a listener that died stays down, so that whatever killed it may pass.
const RESTART: Duration = Duration::from_secs(1);
/// How soon a successor tries again to have the address.
const SUCCEEDS: Duration = Duration::from_millis(50);

const TEXT: &str = "Content-Type: text/plain; charset=utf-8";
const PROMETHEUS: &str = "Content-Type: text/plain; version=0.0.4";

/// A listener that runs.
pub struct Listener(Arc<Running>);

#[derive(Default)]
struct Running {
    stopped: AtomicBool,
    accepting: Mutex<Option<Coroutine>>,
}

impl Listener {
    /// Binds and serves from coroutines; returns at once.
    pub fn start(listen: SocketAddr, metrics: Metrics, ready: Ready) -> io::Result<Listener> {
        let operator = Operator { metrics, ready, running: Arc::default() };
        let listener = Listener(operator.running.clone());
        let accepting = operator.begin(listen)?;
        let keep = move || operator.keep(listen, accepting);
        thread::Builder::new().name("ops".into()).spawn(keep).map(|_| listener)
    }

    /// The same where a predecessor may still have the address: tries until it has gone.
    #[expect(clippy::disallowed_methods, reason = "sleeps on a thread of its own")]
    pub fn succeed(listen: SocketAddr, metrics: Metrics, ready: Ready) -> io::Result<Listener> {
        let operator = Operator { metrics, ready, running: Arc::default() };
        let listener = Listener(operator.running.clone());
        let wait = move || {
            while !operator.running.stopped.load(Ordering::Relaxed) {
                match operator.begin(listen) {
                    Ok(accepting) => {
                        log::info!("address={listen} the operator's listener succeeds");
                        return operator.keep(listen, accepting);
                    }
                    Err(e) => log::debug!("the operator's listener can't use {listen} yet: {e}"),
                }
                thread::sleep(SUCCEEDS);
            }
        };
        thread::Builder::new().name("ops".into()).spawn(wait).map(|_| listener)
    }

    /// Gives the address up. Connections that are open are answered once more.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
        let accepting = self.0.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting {
            // SAFETY: what it holds is its socket, which is closed as it ends.
            unsafe { accepting.cancel() };
        }
    }
}

#[derive(Clone)]
struct Operator {
    metrics: Metrics,
    ready: Ready,
    running: Arc<Running>,
}

impl Operator {
    fn begin(&self, listen: SocketAddr) -> io::Result<JoinHandle<()>> {
        let handle = HttpServer(self.clone()).start(listen)?;
        let mut accepting = self.running.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        *accepting = Some(handle.coroutine().clone());
        Ok(handle)
    }

    /// Waits for the listener's end, which only a panic of the library brings, and starts it again.
    #[expect(clippy::disallowed_methods, reason = "the thread that keeps the listener")]
    fn keep(&self, listen: SocketAddr, mut accepting: JoinHandle<()>) {
        loop {
            let _ = accepting.join();
            if self.running.stopped.load(Ordering::Relaxed) {
                return;
            }
            log::error!("the operator's listener on {listen} died and starts again");
            accepting = loop {
                thread::sleep(RESTART);
                match self.begin(listen) {
                    Ok(accepting) => break accepting,
                    Err(e) => log::error!("the operator's listener can't use {listen}: {e}"),
                }
            };
        }
    }
}

impl HttpService for Operator {
    fn call(
        &mut self,
        request: Request<'_, '_, '_>,
        response: &mut Response<'_>,
    ) -> io::Result<()> {
        if self.running.stopped.load(Ordering::Relaxed) {
            // Whoever asks again finds the successor.
            response.header("Connection: close");
        }
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
        Listener::start(free, metrics, ready).unwrap();
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
    fn one_that_is_stopped_leaves_its_address_to_the_next() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let metrics = |value: f64| {
            let metrics = Metrics::default();
            metrics.gauge("generation", "Who answers.", move || value);
            metrics
        };
        let old = Listener::start(free, metrics(1.0), Arc::new(|| Ok(()))).unwrap();
        let open = || TcpStream::connect(free).unwrap();
        let over = |stream: &mut TcpStream| {
            stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
            let mut said = [0; 1024];
            let count = stream.read(&mut said).unwrap();
            String::from_utf8(said[..count].to_vec()).unwrap()
        };
        let mut kept = open();
        assert!(over(&mut kept).ends_with("generation 1\n"));
        let _new = Listener::succeed(free, metrics(2.0), Arc::new(|| Ok(()))).unwrap();
        old.stop();
        let last = over(&mut kept);
        assert!(last.contains("Connection: close") && last.ends_with("generation 1\n"), "{last}");
        let since = std::time::Instant::now();
        while !TcpStream::connect(free).is_ok_and(|mut new| over(&mut new).ends_with(" 2\n")) {
            assert!(since.elapsed() < Duration::from_secs(10), "nobody succeeds");
            thread::sleep(Duration::from_millis(10));
        }
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
