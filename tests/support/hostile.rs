//! Between chat-posta and a real demo posta-server: passes everything on until told to do what an
//! honest server never would.
use super::posta::Posta;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Takes the request and never answers.
    Hang,
    /// Closes the connection instead of answering; the posta-server has not heard of it.
    Close,
    /// Answers exactly these bytes, and closes.
    Say(String),
    /// The real answer, a byte every so often.
    Drip(Duration),
    /// The first half of the real answer's body, and the end.
    Cut,
    /// A whole answer whose JSON ends in the middle.
    Halve,
    /// The posta-server does what it was asked, and its answer is lost.
    LoseAnswer,
    /// Takes this much of the body, and closes.
    CutBody(usize),
    /// Every event twice.
    Repeat,
    /// Events two by two in the wrong order.
    Swap,
    /// Event ids that only go down.
    Backwards,
}

impl Fault {
    /// A whole answer of that kind.
    pub fn answer(status: &str, kind: &str, body: &str) -> Fault {
        let length = body.len();
        Fault::Say(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        ))
    }

    /// A refusal as posta-servers word it.
    pub fn refusal(status: &str) -> Fault {
        Fault::answer(status, "application/json", r#"{"error":"fault","message":"as told"}"#)
    }
}

struct Inner {
    upstream: String,
    faults: Mutex<Vec<(String, Fault)>>,
    /// Requests that came, by method and path.
    asked: Mutex<Vec<String>>,
    /// Open sockets, to be torn when a fault begins.
    open: Mutex<Vec<TcpStream>>,
    is_closed: AtomicBool,
}

pub struct Hostile {
    port: u16,
    inner: Arc<Inner>,
    listening: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Hostile {
    pub fn before(posta: &Posta) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hostile = Hostile {
            port: listener.local_addr().unwrap().port(),
            inner: Arc::new(Inner {
                upstream: posta.address(),
                faults: Mutex::default(),
                asked: Mutex::default(),
                open: Mutex::default(),
                is_closed: AtomicBool::new(false),
            }),
            listening: Mutex::default(),
        };
        hostile.listen(listener);
        hostile
    }

    /// The posta-server's own pairing URI, but leading here.
    pub fn pairing(&self, posta: &Posta) -> String {
        posta.pairing.replace(posta.peer(), &format!("localhost:{}", self.port))
    }

    /// From now on requests that begin so (`POST /api/v1/mess`, or `` for all) meet the fault.
    pub fn set(&self, start: &str, fault: Fault) {
        self.inner.faults.lock().unwrap().insert(0, (start.to_owned(), fault));
    }

    /// As [`Hostile::set`], and what is open breaks, so that everything meets it.
    pub fn break_with(&self, start: &str, fault: Fault) {
        self.set(start, fault);
        self.tear();
    }

    /// All is well again, also for whom it keeps waiting.
    pub fn heal(&self) {
        self.inner.faults.lock().unwrap().clear();
        self.tear();
    }

    /// Nobody listens.
    pub fn refuse(&self) {
        self.inner.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.listening.lock().unwrap().take().unwrap().join().unwrap();
        self.tear();
    }

    /// After `refuse`.
    pub fn welcome(&self) {
        self.inner.is_closed.store(false, Ordering::SeqCst);
        self.listen(TcpListener::bind(("127.0.0.1", self.port)).unwrap());
    }

    pub fn tear(&self) {
        for stream in self.inner.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How often something was asked whose line begins so.
    pub fn asked(&self, start: &str) -> usize {
        self.inner.asked.lock().unwrap().iter().filter(|line| line.starts_with(start)).count()
    }

    fn listen(&self, listener: TcpListener) {
        let inner = Arc::clone(&self.inner);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if inner.is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let (inner, stream) = (Arc::clone(&inner), stream.unwrap());
                inner.open.lock().unwrap().push(stream.try_clone().unwrap());
                thread::spawn(move || inner.serve(&stream));
            }
        });
        *self.listening.lock().unwrap() = Some(accepting);
    }
}

impl Inner {
    fn fault(&self, line: &str) -> Option<Fault> {
        let faults = self.faults.lock().unwrap();
        faults.iter().find(|(start, _)| line.starts_with(start.as_str())).map(|(_, f)| f.clone())
    }

    /// One request, one answer, and the end.
    fn serve(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let Some((line, fields)) = head(&mut reader) else { return };
        let asked = line.rsplit_once(' ').map_or(line.as_str(), |(asked, _)| asked).to_owned();
        self.asked.lock().unwrap().push(asked.clone());
        let fault = self.fault(&asked);
        if let Some(Fault::CutBody(bytes)) = fault {
            let _ = reader.read_exact(&mut vec![0; bytes]);
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
        let Some(body) = body(&mut reader, &fields) else { return };
        match fault {
            Some(Fault::Hang) => {
                // Until the peer gives up.
                let _ = reader.read(&mut [0]);
            }
            Some(Fault::Close) => {}
            Some(Fault::Say(bytes)) => {
                let _ = stream.write_all(bytes.as_bytes());
            }
            fault => self.pass_on(stream, &line, &fields, &body, fault),
        }
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn pass_on(
        &self,
        stream: &TcpStream,
        line: &str,
        fields: &[(String, String)],
        body: &[u8],
        fault: Option<Fault>,
    ) {
        let Ok(mut upstream) = TcpStream::connect(&self.upstream) else { return };
        self.open.lock().unwrap().push(upstream.try_clone().unwrap());
        let mut request = format!("{line}\r\nhost: {}\r\n", self.upstream);
        let ours = ["host", "connection", "content-length", "transfer-encoding"];
        for (name, value) in fields.iter().filter(|(name, _)| !ours.contains(&name.as_str())) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()));
        if upstream.write_all(request.as_bytes()).and_then(|()| upstream.write_all(body)).is_err() {
            return;
        }
        let mut answer = BufReader::new(upstream);
        if line.contains("/api/v1/events") {
            events(&mut answer, stream, fault.as_ref());
            return;
        }
        let mut all = Vec::new();
        if answer.read_to_end(&mut all).is_err() || all.is_empty() {
            return;
        }
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").map_or(all.len(), |at| at + 4);
        let half = end + (all.len() - end) / 2;
        let mut stream = stream;
        let _ = match fault {
            Some(Fault::LoseAnswer) => Ok(()),
            Some(Fault::Cut) => stream.write_all(&all[..half]),
            Some(Fault::Halve) => {
                let length = all.len() - half;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {length}\r\n\r\n"
                );
                // Its end, which is no whole JSON either.
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&all[half..]))
            }
            Some(Fault::Drip(pause)) => all.iter().try_for_each(|byte| {
                thread::sleep(pause);
                stream.write_all(&[*byte])
            }),
            _ => stream.write_all(&all),
        };
    }
}

/// Passes a stream on, frame by frame.
fn events(answer: &mut impl BufRead, mut stream: &TcpStream, fault: Option<&Fault>) {
    let Some((_, fields)) = head(answer) else { return };
    assert!(fields.iter().any(|(_, value)| value == "chunked"), "{fields:?}");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    if stream.write_all(head.as_bytes()).is_err() {
        return;
    }
    let (mut text, mut kept, mut next_id) = (String::new(), None::<String>, 1_000_000_u64);
    while let Some(piece) = chunk(answer) {
        text.push_str(&String::from_utf8_lossy(&piece));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            let frame = format!("{frame}\n\n");
            text = rest.to_owned();
            let is_event = frame.contains("event: ") && !frame.contains("event: ready");
            let out = match fault {
                Some(Fault::Repeat) if is_event => format!("{frame}{frame}"),
                Some(Fault::Swap) if is_event => match kept.take() {
                    Some(first) => format!("{frame}{first}"),
                    None => {
                        kept = Some(frame);
                        continue;
                    }
                },
                Some(Fault::Backwards) if is_event => {
                    next_id -= 1;
                    let lines = frame.lines().filter(|line| !line.starts_with("id: "));
                    format!("id: {next_id}\n{}\n\n", lines.collect::<Vec<_>>().join("\n"))
                }
                _ => frame,
            };
            if stream.write_all(out.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// First line and fields, names in lower case.
fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.first()?.clone();
    let fields = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    Some((first, fields.map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect()))
}

fn body(reader: &mut impl BufRead, fields: &[(String, String)]) -> Option<Vec<u8>> {
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    if field("transfer-encoding").is_some() {
        let mut all = Vec::new();
        while let Some(piece) = chunk(reader) {
            all.extend_from_slice(&piece);
        }
        return Some(all);
    }
    let mut body = vec![0; field("content-length").unwrap_or("0").parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

/// The next chunk; `None` after the last.
fn chunk(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim(), 16).ok()?;
    let mut piece = vec![0; length + 2];
    reader.read_exact(&mut piece).ok()?;
    piece.truncate(length);
    (length > 0).then_some(piece)
}
