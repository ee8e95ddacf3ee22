//! Requests as bytes, and a client that asks one after the other on one connection.
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// The request as a browser's own page would make it.
pub fn request(method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in fields {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        out.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

pub fn get(path: &str, cookie: &str) -> Vec<u8> {
    request("GET", path, &[("cookie", cookie), ("accept", "text/html")], b"")
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub struct Client(TcpStream);

impl Client {
    pub fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client(stream))
    }

    pub fn ask(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.0.write_all(request)?;
        let mut bytes = Vec::new();
        let mut piece = [0; 64 * 1024];
        let head_end = loop {
            if let Some(end) = end_of_head(&bytes) {
                break end;
            }
            bytes.extend_from_slice(self.read(&mut piece)?);
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|code| code.parse().ok()).ok_or(broken())?;
        let mut reply = Reply { status, head, body: bytes.split_off(head_end) };
        let length = reply.field("content-length").and_then(|length| length.parse().ok());
        let length = length.unwrap_or(0);
        while reply.body.len() < length {
            let more = self.read(&mut piece)?;
            reply.body.extend_from_slice(more);
        }
        Ok(reply)
    }

    fn read<'b>(&mut self, piece: &'b mut [u8]) -> io::Result<&'b [u8]> {
        match self.0.read(piece)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(&piece[..count]),
        }
    }
}

/// One request on a connection of its own.
pub fn ask(address: SocketAddr, request: &[u8]) -> io::Result<Reply> {
    Client::connect(address)?.ask(request)
}

/// Where the body begins.
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
