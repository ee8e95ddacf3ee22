//! A contender: `may_minihttp`, on the same coroutines as chat-posta, with the bytes and fields it is
//! given.
//!
//!   minihttp HEALTH PAGE       two files: field lines, an empty line, the body
//!
//! It prints its address.
use may_minihttp::{HttpServer, HttpService, Request, Response};
use std::io;

/// Its fields and bodies must be static.
#[derive(Clone, Copy)]
struct Answer {
    fields: &'static [&'static str],
    body: &'static str,
}

#[derive(Clone, Copy)]
struct Service {
    health: Answer,
    page: Answer,
}

impl HttpService for Service {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        let answer = match request.path() {
            "/healthz" => self.health,
            "/page" => self.page,
            _ => {
                response.status_code(404, "Not Found");
                return Ok(());
            }
        };
        for field in answer.fields {
            response.header(field);
        }
        response.body(answer.body);
        Ok(())
    }
}

fn main() {
    let mut files = std::env::args().skip(1).map(|file| answer(&file));
    let mut next = || files.next().expect("two files are named");
    let service = Service { health: next(), page: next() };
    // It does not say which port it was given.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let address = free.expect("loopback can be listened on");
    let server = HttpServer(service).start(address).expect("it listens");
    println!("{address}");
    server.join().expect("it serves for ever");
}

fn answer(file: &str) -> Answer {
    let text = std::fs::read_to_string(file).expect("the file can be read").leak();
    let (head, body) = text.split_once("\n\n").expect("an empty line ends the fields");
    Answer { fields: head.lines().collect::<Vec<_>>().leak(), body }
}
