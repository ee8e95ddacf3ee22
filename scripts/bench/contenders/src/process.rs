//! Programs that are measured: started, looked at from outside, and ended.
use crate::http::{self, request};
use crate::passkey::Passkey;
use crate::upstream::Upstream;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A child that does not outlive us.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// A contender, which prints its address.
    pub fn contender(name: &str, arguments: &[&Path]) -> Process {
        let own = std::env::current_exe().expect("this program has a file");
        let mut command = Command::new(own.with_file_name(name));
        let command = command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line);
        said.expect("it says something");
        let address = line.trim().parse().unwrap_or_else(|e| panic!("{name}: {line:?}: {e}"));
        Process { child, address }
    }

    fn file(&self, name: &str) -> String {
        let path = format!("/proc/{}/{name}", self.child.id());
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Resident bytes.
    pub fn resident(&self) -> f64 {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kb.expect("a running process has a resident size") * 1024.0
    }

    /// Seconds of processor time so far, its own and the kernel's for it.
    pub fn cpu(&self) -> f64 {
        let stat = self.file("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("it is a number");
        (ticks(12) + ticks(13)) / rustix::param::clock_ticks_per_second() as f64
    }
}

/// chat-posta, with a database of its own.
pub struct Service {
    pub process: Process,
    pub origin: String,
    program: PathBuf,
    directory: PathBuf,
}

impl std::ops::Deref for Service {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Service {
    /// Started in `directory`, in which it finds its database again; waits until it answers.
    pub fn start(program: &Path, directory: &Path, flags: &[&str]) -> Service {
        let (service, _) = Service::timed(program, directory, flags);
        service
    }

    /// The same, and how long it took from before the start until the first answer.
    pub fn timed(program: &Path, directory: &Path, flags: &[&str]) -> (Service, Duration) {
        fs::create_dir_all(directory).expect("the directory can be made");
        // The port must be known before: the origin names it.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let address = free.expect("loopback can be listened on");
        let origin = format!("http://localhost:{}", address.port());
        let log = File::create(directory.join("log")).expect("the log can be written");
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", &address.to_string(), "--base-url", &origin])
            .arg("--db")
            .arg(directory.join("state.db"))
            .args(["--allow-private-upstreams", "--config"])
            .arg(empty_file(directory))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(log);
        let since = Instant::now();
        let child = command.spawn().unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let process = Process { child, address };
        let question = request("GET", "/healthz", &[], b"");
        while !http::ask(address, &question).is_ok_and(|reply| reply.status == 200) {
            assert!(since.elapsed() < PATIENCE, "it did not start: see {}", directory.display());
            thread::sleep(Duration::from_micros(100));
        }
        let took = since.elapsed();
        let (program, directory) = (program.to_owned(), directory.to_owned());
        (Service { process, origin, program, directory }, took)
    }

    /// Signs up the upstream's users from `users`; their session cookies.
    pub fn sign_up(&self, upstream: &Upstream, users: std::ops::Range<usize>) -> Vec<String> {
        users.map(|user| self.sign_up_one(upstream, user)).collect()
    }

    fn sign_up_one(&self, upstream: &Upstream, user: usize) -> String {
        let code = self.invite();
        // Each from an address of its own, as people are.
        let from = format!("10.{}.{}.{}", user >> 16, user >> 8 & 255, user & 255);
        let post = |path: &str, kind: &str, body: &str| {
            let fields = [
                ("origin", self.origin.as_str()),
                ("x-forwarded-for", from.as_str()),
                ("content-type", kind),
            ];
            let asked = http::ask(self.address, &request("POST", path, &fields, body.as_bytes()));
            let reply = asked.expect("it answers");
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            reply
        };
        let form = format!("code={code}&uri={}", encode(&upstream.pairing(user)));
        let html = post("/register", "application/x-www-form-urlencoded", &form).text();
        let options = html.split_once("data-options=\"").and_then(|(_, rest)| {
            let (attribute, _) = rest.split_once('"')?;
            let json = attribute.replace("&quot;", "\"").replace("&#39;", "'");
            serde_json::from_str::<Value>(&json.replace("&amp;", "&")).ok()
        });
        let begun = options.expect("the second step of sign-up");
        let json = |body: &Value| post("/register/passkey", "application/json", &body.to_string());
        let (mut passkey, created) = Passkey::create(&begun["publicKey"], &self.origin);
        let step = json!({"ceremony": begun["ceremony"], "credential": created, "prf": null});
        let asked: Value = serde_json::from_str(&json(&step).text()).expect("it is JSON");
        let (credential, prf) = passkey.get(&asked["publicKey"]);
        let step = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf});
        let reply = json(&step);
        let cookie = reply.field("set-cookie").and_then(|cookie| cookie.split(';').next());
        cookie.expect("a session").to_owned()
    }

    fn invite(&self) -> String {
        let mut command = Command::new(&self.program);
        command.args([
            "invite",
            "create",
            "--name",
            "Somebody",
            "--base-url",
            &self.origin,
            "--db",
        ]);
        let command = command.arg(self.directory.join("state.db")).arg("--config");
        let made = command.arg(empty_file(&self.directory)).output().expect("it can be started");
        let link = String::from_utf8_lossy(&made.stdout).into_owned();
        let code = link.trim().rsplit_once("code=").map(|(_, code)| code.to_owned());
        code.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&made.stderr)))
    }
}

/// A configuration that is nobody's.
fn empty_file(directory: &Path) -> PathBuf {
    let path = directory.join("config.toml");
    fs::write(&path, "").expect("the file can be written");
    path
}

/// Percent-encoded for a form or a query.
pub fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
