//! A host on which a person runs commands: a directory with a configuration and a database.
use super::server::program;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The user and group that own nothing.
const NOBODY: u32 = 65_534;

pub struct Host {
    directory: PathBuf,
    is_ours: bool,
}

#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// What a command that did its work printed.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// What a command that failed said of it; it printed nothing else.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        self.stderr
    }

    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.succeeded()).expect("JSON")
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code();
        Outcome { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs the binary with exactly these arguments. Should a test be wrong and the arguments right, no
/// service starts on this machine: its database can't be made.
pub fn bare(words: &[&str]) -> Outcome {
    let mut command = Command::new(program());
    command.args(words).env_clear().env("CHAT_POSTA_DB", "/dev/null/state.db");
    command.output().expect("the binary starts").into()
}

impl Host {
    pub fn new() -> Host {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chat-posta-host-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let host = Host { directory, is_ours: true };
        host.configure("");
        host
    }

    /// The host of a service that runs already.
    pub fn beside(directory: &Path) -> Host {
        Host { directory: directory.to_owned(), is_ours: false }
    }

    pub fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().expect("UTF-8").to_owned()
    }

    pub fn db(&self) -> String {
        self.path("state.db")
    }

    pub fn configure(&self, file: &str) {
        fs::write(self.path("config.toml"), file).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        // In front of a `--`, if there is one.
        let own = ["--db", &self.db(), "--config", &self.path("config.toml")].map(String::from);
        command.args(&words[..2]).args(own).args(&words[2..]).env_clear();
        command
    }

    /// Runs a command of two words with its further arguments on this host.
    pub fn run(&self, words: &[&str]) -> Outcome {
        self.run_in(&[], words)
    }

    pub fn run_in(&self, env: &[(&str, &str)], words: &[&str]) -> Outcome {
        self.command(words).envs(env.iter().copied()).output().unwrap().into()
    }

    /// As somebody whom file modes concern: as root they do not.
    pub fn run_as_nobody(&self, words: &[&str]) -> Outcome {
        let mut command = self.command(words);
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output().unwrap().into()
    }

    /// With a standard output that nobody reads any more.
    pub fn run_into_nowhere(&self, words: &[&str]) -> Outcome {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.command(words).stdout(writer).stderr(Stdio::piped()).output().unwrap().into()
    }

    pub fn run_into(&self, file: &str, words: &[&str]) -> Outcome {
        let file = fs::File::options().write(true).open(file).unwrap();
        self.command(words).stdout(file).stderr(Stdio::piped()).output().unwrap().into()
    }

    /// Makes an invite and gives its code.
    pub fn invite(&self, name: &str) -> String {
        let url = self.run(&["invite", "create", "--name", name]).succeeded();
        url.trim().split_once("code=").expect("a registration link").1.to_owned()
    }

    pub fn sql(&self, statement: &str) {
        rusqlite::Connection::open(self.db()).unwrap().execute_batch(statement).unwrap();
    }

    pub fn sql_number(&self, query: &str) -> i64 {
        let db = rusqlite::Connection::open(self.db()).unwrap();
        db.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Somebody with one passkey, as if they had signed up.
    pub fn add_user(&self, id: i64, name: &str, server: &str) {
        let db = rusqlite::Connection::open(self.db()).unwrap();
        db.execute(
            "INSERT INTO users VALUES (?1, randomblob(32), ?2, ?3, ?3, x'00', 1000, 2000)",
            (id, name, server),
        )
        .unwrap();
        db.execute(
            "INSERT INTO passkeys VALUES
                 (randomblob(16), ?1, x'04', 0, 0, 0, '', zeroblob(16), x'00', 1000, 1000, '')",
            [id],
        )
        .unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// One answer of the operator's listener, which keeps its connections open.
pub fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = send(address, &format!("GET {path} HTTP/1.1\r\nHost: ops\r\n\r\n"));
    let mut answer = String::new();
    let mut buffer = [0; 16_384];
    loop {
        let read = stream.read(&mut buffer).expect("an answer");
        answer.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        if read == 0 || body.len() >= length.and_then(|n| n.parse().ok()).unwrap_or(0) {
            return answer;
        }
    }
}

pub fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}
