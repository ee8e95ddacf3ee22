//! The client against scripted servers: plain threads that say exactly the bytes a test wants.
mod bodies;
mod calls;
mod deadlines;
mod events;
mod provider;
mod tls;

use super::*;
use crate::http::stack;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

const SECOND: Duration = Duration::from_secs(1);

/// For what is to work.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    first_byte: Duration::from_secs(10),
    total: Duration::from_secs(20),
};

/// A server that handles each connection, with its number, on a thread of its own.
fn server(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream, number));
        }
    });
    Origin { tls: false, host: "127.0.0.1".into(), port }
}

/// A server that gives every request of every connection the same answer.
fn answering(answer: impl Into<Vec<u8>>) -> Origin {
    let answer = answer.into();
    server(
        move |mut stream, _| {
            while request(&mut stream).is_some() && stream.write_all(&answer).is_ok() {}
        },
    )
}

/// Reads one request, byte by byte so that nothing after it is taken: its head, and a body of the
/// length that it says.
fn request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |n| n.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn client() -> Client {
    client_with(Options { allow_private: true, ..Options::default() })
}

fn client_with(options: Options) -> Client {
    Client::new(Options { agent: "test".into(), ..options })
}

/// Runs `work` on a coroutine as connections have them.
fn on_coroutine<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    stack::spawn_connection(move || drop(sender.send(work()))).unwrap();
    receiver.recv_timeout(Duration::from_secs(30)).expect("the coroutine ends well")
}

fn get(origin: &Origin) -> Call<'_> {
    Call {
        method: Method::Get,
        origin,
        target: "/x?y=1",
        fields: &[],
        body: CallBody::Empty,
        deadlines: PATIENT,
        max_answer: 100_000,
    }
}

fn text(answer: Answer) -> Result<String, CallError> {
    let status = answer.status;
    answer.collect().map(|body| format!("{status} {}", String::from_utf8_lossy(&body)))
}

/// Status and body of a GET.
fn fetch(client: &Client, origin: &Origin) -> Result<String, CallError> {
    fetch_within(client, origin, PATIENT)
}

fn fetch_within(
    client: &Client,
    origin: &Origin,
    deadlines: Deadlines,
) -> Result<String, CallError> {
    let (client, origin) = (client.clone(), origin.clone());
    on_coroutine(move || text(client.call(Call { deadlines, ..get(&origin) })?))
}

/// Status of a POST with a body that can be repeated.
fn post(
    client: &Client,
    origin: &Origin,
    fields: &'static [(&'static str, &'static str)],
) -> Result<u16, CallError> {
    let (client, origin) = (client.clone(), origin.clone());
    on_coroutine(move || {
        let body = CallBody::Bytes(b"{}");
        let call = Call { method: Method::Post, fields, body, ..get(&origin) };
        client.call(call).map(|answer| answer.status)
    })
}
