//! The real binary as a process of its own, on a port of its own, with a directory of its own.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The program under test: cargo's own, or the one that `CHAT_POSTA` names.
pub fn program() -> PathBuf {
    let named = std::env::var_os("CHAT_POSTA").filter(|name| !name.is_empty());
    named.map_or_else(|| env!("CARGO_BIN_EXE_chat-posta").into(), PathBuf::from)
}

pub struct Server {
    pub address: SocketAddr,
    child: Child,
    pub directory: PathBuf,
}

impl Server {
    pub fn start(flags: &[&str]) -> Server {
        Server::start_through(Command::new(program()), flags)
    }

    /// With a limit of `count` open files, as `ulimit -n` sets it.
    pub fn start_with_files(count: u32, flags: &[&str]) -> Server {
        let mut shell = Command::new("sh");
        let run = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
        shell.args(["-c", &run]).arg(program());
        Server::start_through(shell, flags)
    }

    fn start_through(mut command: Command, flags: &[&str]) -> Server {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chat-posta-engine-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let config = directory.join("config.toml");
        std::fs::write(&config, "").unwrap();
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--base-url", "http://localhost", "--db"])
            .arg(directory.join("state.db"))
            .arg("--config")
            .arg(&config)
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("address=")?.1.strip_suffix(" listening")?.parse().ok()
            })
            .expect("a line that says where it listens");
        // Somebody must go on reading, or the server would block on its log.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server { address, child, directory }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends `bytes`, ends our side, and gives all that comes back.
    pub fn ask(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&mut stream)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// The exit code, within `limit`.
    pub fn ended(&mut self, limit: Duration) -> Option<i32> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("still running after {limit:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// All that comes until the other side ends; a reset counts as an end.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    if let Err(e) = stream.read_to_end(&mut all) {
        assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset, "after {} bytes", all.len());
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// One answer with a `Content-Length`, its body included.
pub fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut byte = [0];
    while !all.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{:?}", String::from_utf8_lossy(&all));
        all.push(byte[0]);
    }
    let head = String::from_utf8(all).unwrap();
    let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8_lossy(&body)
}

pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

/// The value of a field of the (first) answer's head.
pub fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (n, value) = line.split_once(": ")?;
        n.eq_ignore_ascii_case(name).then_some(value)
    })
}
