//! chat-posta as a process that can be killed and started again on the same database, and a person
//! who signs up and in with a passkey made of software.
use super::passkey::Passkey;
use super::process::{Directory, run};
use super::program::program;
use super::stream::Stream;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

pub struct Chat {
    pub directory: Directory,
    pub origin: String,
    /// What is run; a takeover runs what lies there then.
    program: PathBuf,
    port: u16,
    flags: Vec<String>,
    env: Vec<(String, String)>,
    child: Option<Child>,
    /// All it has logged so far.
    log: Arc<Mutex<String>>,
}

pub struct Reply {
    pub status: u16,
    pub body: String,
    pub cookie: Option<String>,
    pub location: Option<String>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

impl Chat {
    pub fn start(flags: &[&str]) -> Chat {
        Chat::start_as(&program(), flags, &[])
    }

    pub fn start_program(program: &Path, flags: &[&str]) -> Chat {
        Chat::start_as(program, flags, &[])
    }

    /// With more in its environment than this process has.
    pub fn start_with(flags: &[&str], env: &[(&str, String)]) -> Chat {
        Chat::start_as(&program(), flags, env)
    }

    fn start_as(program: &Path, flags: &[&str], env: &[(&str, String)]) -> Chat {
        // The port must be known before, since the origin names it.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut chat = Chat {
            directory: Directory::new(),
            origin: format!("http://localhost:{port}"),
            program: program.to_owned(),
            port,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            child: None,
            log: Arc::default(),
        };
        chat.restart();
        chat
    }

    pub fn restart(&mut self) {
        self.kill();
        let (listen, db) = (format!("127.0.0.1:{}", self.port), self.db());
        let mut child = Command::new(&self.program)
            .args(["serve", "--listen", &listen, "--base-url", &self.origin, "--db", &db])
            .arg("--allow-private-upstreams")
            .args(&self.flags)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listens = |line: &str| line.ends_with(" listening") || line.contains(r#""listening""#);
        assert!(lines.any(|line| listens(&line)), "it did not start");
        // Somebody must go on reading, or the server would block on its log.
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || lines.for_each(|line| *log.lock().unwrap() += &(line + "\n")));
        self.child = Some(child);
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Successors are its children, and theirs.
            let mut family = vec![child.id()];
            let mut next = 0;
            while let Some(&pid) = family.get(next) {
                family.extend(super::children(pid));
                next += 1;
            }
            let _ = child.kill();
            for pid in &family[1..] {
                let _ = super::signal(*pid, rustix::process::Signal::KILL);
            }
            let _ = child.wait();
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Host and port, as a socket takes them.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process that was started, once it has ended: its exit code.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.as_mut()?.try_wait().unwrap()?.code()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub fn db(&self) -> String {
        self.directory.file("chat.db")
    }

    /// Runs an admin command; its standard output.
    pub fn admin(&self, command: &[&str]) -> String {
        let db = self.db();
        let mut arguments = command.to_vec();
        arguments.extend(["--db", &db]);
        let output = run(&arguments);
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The code of a fresh invite.
    pub fn invite(&self) -> String {
        let url = self.admin(&["invite", "create", "--name", "Somebody"]);
        url.trim().rsplit_once("code=").unwrap().1.to_owned()
    }

    pub fn users(&self) -> Vec<Value> {
        serde_json::from_str(&self.admin(&["user", "list", "--json"])).unwrap()
    }

    pub fn usable_invites(&self) -> usize {
        let json = self.admin(&["invite", "list", "--json"]);
        serde_json::from_str::<Vec<Value>>(&json).unwrap().len()
    }

    /// A request as our own pages make it; an error when the connection breaks.
    pub fn try_request(
        &self,
        method: minreq::Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, minreq::Error> {
        let mut request = minreq::Request::new(method, format!("{}{path}", self.origin))
            .with_header("origin", &self.origin)
            .with_header("sec-fetch-site", "same-origin")
            .with_follow_redirects(false)
            .with_timeout(20)
            .with_body(body);
        for (name, value) in fields {
            request = request.with_header(*name, *value);
        }
        let answer = request.send()?;
        let field = |name: &str| {
            let found = answer.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Ok(Reply {
            status: answer.status_code,
            body: answer.as_str().unwrap_or_default().to_owned(),
            cookie: field("set-cookie").map(|c| c.split(';').next().unwrap().to_owned()),
            location: field("location"),
        })
    }

    pub fn get(&self, path: &str, cookie: &str) -> Reply {
        let fields = [("cookie", cookie), ("accept", "text/html")];
        self.try_request(minreq::Method::Get, path, &fields, Vec::new()).unwrap()
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Result<Reply, minreq::Error> {
        let fields = [("content-type", "application/json")];
        self.try_request(minreq::Method::Post, path, &fields, body.to_string().into_bytes())
    }

    pub fn post_form(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Reply {
        let fields = [("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")];
        let body: Vec<String> = form.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect();
        self.try_request(minreq::Method::Post, path, &fields, body.join("&").into_bytes()).unwrap()
    }

    /// Begins a change that takes a touch, and touches; the answer to that step.
    pub fn touch(
        &self,
        path: &str,
        cookie: &str,
        form: &[(&str, &str)],
        passkey: &mut Passkey,
    ) -> Reply {
        let asked = self.post_form(path, cookie, form);
        assert_eq!(asked.status, 200, "{}", asked.body);
        let asked = asked.json();
        let (credential, prf) = passkey.get(&asked["publicKey"]);
        self.step(cookie, &asked, credential, Some(prf))
    }

    /// The next step of something in the settings.
    pub fn step(
        &self,
        cookie: &str,
        asked: &Value,
        credential: Value,
        prf: Option<String>,
    ) -> Reply {
        let body = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf});
        let fields = [("content-type", "application/json"), ("cookie", cookie)];
        let body = body.to_string().into_bytes();
        self.try_request(minreq::Method::Post, "/settings/step", &fields, body).unwrap()
    }

    /// A further passkey for somebody signed in, confirmed with one they have.
    pub fn add_passkey(&self, cookie: &str, own: &mut Passkey) -> Passkey {
        let asked = self.touch("/settings/passkeys/add", cookie, &[("where", "here")], own);
        assert_eq!(asked.status, 200, "{}", asked.body);
        let asked = asked.json();
        let (mut fresh, created) = Passkey::create(&asked["publicKey"], &self.origin);
        let asked = self.step(cookie, &asked, created, None);
        assert_eq!(asked.status, 200, "{}", asked.body);
        let asked = asked.json();
        let (credential, prf) = fresh.get(&asked["publicKey"]);
        let done = self.step(cookie, &asked, credential, Some(prf));
        assert_eq!(done.status, 200, "{}", done.body);
        fresh
    }

    /// The event stream of a tab that shows a thread, or none.
    pub fn tab(&self, cookie: &str, name: &str, peer: &str, visible: bool) -> Stream {
        let (peer, visible) = (encode(peer), u8::from(visible));
        let url = format!("{}/events?tab={name}&peer={peer}&visible={visible}", self.origin);
        let request = minreq::get(url).with_header("cookie", cookie).with_timeout(120);
        let stream = Stream::follow(request);
        assert_eq!(stream.status, 200);
        stream.until("hello");
        stream
    }

    /// Step 1 of sign-up: what step 2 starts from.
    pub fn connect(&self, code: &str, pairing: &str) -> Result<Value, Reply> {
        let reply = self.post_form("/register", "", &[("code", code), ("uri", pairing)]);
        let options = reply.body.split_once("data-options=\"").and_then(|(_, rest)| {
            let (attribute, _) = rest.split_once('"')?;
            serde_json::from_str(&attribute.replace("&quot;", "\"").replace("&amp;", "&")).ok()
        });
        options.ok_or(reply)
    }

    /// Sign-up until the passkey is made; what it is asked to prove itself with.
    pub fn create_passkey(&self, code: &str, pairing: &str) -> (Passkey, Value) {
        let begun = self.connect(code, pairing).unwrap_or_else(|reply| panic!("{}", reply.body));
        let (passkey, created) = Passkey::create(&begun["publicKey"], &self.origin);
        let step = json!({"ceremony": begun["ceremony"], "credential": created, "prf": null});
        let asked = self.post_json("/register/passkey", &step).unwrap();
        assert_eq!(asked.status, 200, "{}", asked.body);
        (passkey, asked.json())
    }

    /// The last step of sign-up.
    pub fn prove(
        &self,
        passkey: &mut Passkey,
        asked: &Value,
        device: &str,
    ) -> Result<Reply, minreq::Error> {
        let (credential, prf) = passkey.get(&asked["publicKey"]);
        let ceremony = &asked["ceremony"];
        let step =
            json!({"ceremony": ceremony, "credential": credential, "prf": prf, "device": device});
        self.post_json("/register/passkey", &step)
    }

    /// All of sign-up; the passkey and the session's cookie.
    pub fn sign_up(&self, code: &str, pairing: &str) -> (Passkey, String) {
        let (mut passkey, asked) = self.create_passkey(code, pairing);
        let done = self.prove(&mut passkey, &asked, "").unwrap();
        assert_eq!(done.status, 200, "{}", done.body);
        (passkey, done.cookie.expect("a session"))
    }

    /// Sign-in; the answer to its last step.
    pub fn sign_in(&self, passkey: &mut Passkey) -> Reply {
        let begun = self.post_json("/login/options", &json!({})).unwrap().json();
        let (credential, prf) = passkey.get(&begun["publicKey"]);
        let step = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
        self.post_json("/login", &step).unwrap()
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.kill();
    }
}

fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    text.bytes()
        .map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}
