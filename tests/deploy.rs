//! `scripts/deploy` on a local target: a real file capability, a real low port, a user who is not
//! root. Most of it takes root and libcap's `setcap`.
mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use support::process::Directory;
use support::until;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/deploy");
/// The user and group that own nothing.
const NOBODY: u32 = 65_534;

fn deploy(words: &[&str]) -> Output {
    Command::new(SCRIPT).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The program under test.
static BINARY: LazyLock<String> =
    LazyLock::new(|| support::program::program().to_str().unwrap().to_owned());

/// What is tested here takes root and a few tools; `scripts/test` installs those.
fn needs_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "file capabilities are set by root: test as root"
    );
    for tool in ["setcap", "getcap", "setpriv"] {
        let is_there = Command::new(tool).arg("-h").output().is_ok();
        assert!(is_there, "{tool} is missing: install libcap2-bin and util-linux");
    }
}

/// A host: where the binary lives, and how the service is restarted there.
struct Site {
    directory: Directory,
    port: u16,
    restart: String,
    _kept: TcpListener,
}

impl Site {
    fn new() -> Site {
        let directory = Directory::new();
        let folder = directory.path();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        let state = folder.join("state");
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        // Its number is kept from other tests by a listener of ours on another loopback address.
        let free = |port: &u16| {
            let kept = TcpListener::bind(("127.0.0.3", *port)).ok()?;
            TcpListener::bind(("127.0.0.1", *port)).ok().map(|_| kept)
        };
        let found = (600..1000).rev().find_map(|port| Some((port, free(&port)?)));
        let (port, kept) = found.expect("a low port is free");
        // What a service manager does, without one. The user may not listen there by itself.
        let restart = folder.join("restart");
        let script = format!(
            "#!/bin/sh\n\
             if [ -e {dir}/pid ]; then kill \"$(cat {dir}/pid)\" 2>/dev/null; sleep 0.5; fi\n\
             setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --inh-caps=-all \
             --no-new-privs=0 {dir}/chat-posta serve --listen 127.0.0.1:{port} \
             --db {dir}/state/state.db --config {dir}/config.toml >{dir}/log 2>&1 &\n\
             echo $! >{dir}/pid\n",
            dir = folder.display()
        );
        // `--no-new-privs` takes no value: left away, it stays off.
        fs::write(&restart, script.replace("--no-new-privs=0 ", "")).unwrap();
        fs::set_permissions(&restart, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("config.toml"), "").unwrap();
        let restart = restart.to_str().unwrap().to_owned();
        Site { directory, port, restart, _kept: kept }
    }

    fn path(&self) -> String {
        self.directory.file("chat-posta")
    }

    fn deploy(&self, words: &[&str]) -> Output {
        self.deploy_with("", words, "local")
    }

    /// With a directory of tools that come before the system's.
    fn deploy_with(&self, tools: &str, words: &[&str], target: &str) -> Output {
        let (path, port) = (self.path(), self.port.to_string());
        let own = ["--path", &path, "--port", &port, "--restart", &self.restart, "--wait", "10"];
        let search = format!("{tools}:{}", std::env::var("PATH").unwrap());
        Command::new(SCRIPT).args(own).args(words).arg(target).env("PATH", search).output().unwrap()
    }

    /// A file that may be run.
    fn program(&self, name: &str, bytes: &[u8]) -> String {
        let file = self.directory.file(name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    /// A directory with tools made of a shell's words.
    fn tools(&self, tools: &[(&str, &str)]) -> String {
        fs::create_dir_all(self.directory.file("tools")).unwrap();
        for (name, words) in tools {
            self.program(&format!("tools/{name}"), format!("#!/bin/sh\n{words}\n").as_bytes());
        }
        self.directory.file("tools")
    }

    /// Of the process that was started.
    fn pid(&self) -> String {
        fs::read_to_string(self.directory.file("pid")).unwrap().trim().to_owned()
    }

    /// Of the process that answers.
    fn process(&self) -> Option<u32> {
        let listen = format!("127.0.0.1:{}", self.port);
        let told = support::process::run(&["healthcheck", "--listen", &listen]).stdout;
        let told = String::from_utf8(told).unwrap();
        told.split(", process ").nth(1)?.split([',', '\n']).next()?.parse().ok()
    }

    fn stop(&self) {
        let _ = Command::new("kill").arg(self.pid()).status();
        until("it has stopped", || (!self.is_well()).then_some(()));
    }

    fn has_capability(&self, file: &str) -> bool {
        let told = Command::new("getcap").arg(self.directory.file(file)).output().unwrap();
        String::from_utf8(told.stdout).unwrap().contains("cap_net_bind_service")
    }

    fn is_well(&self) -> bool {
        let listen = format!("127.0.0.1:{}", self.port);
        support::process::run(&["healthcheck", "--listen", &listen]).status.success()
    }

    /// The user that the running service has.
    fn user(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.directory.file("pid")).ok()?;
        let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()?.parse().ok())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.directory.file("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

/// Something that runs and never serves.
const BROKEN: &[u8] = b"#!/bin/sh\n[ \"$1\" = version ] && echo 'chat-posta broken' || exit 1\n";

#[test]
fn a_new_binary_is_swapped_in_and_a_bad_one_taken_back() {
    needs_root();
    let site = Site::new();
    let binary: &str = &BINARY;
    let first = site.deploy(&["--binary", binary]);
    assert!(first.status.success(), "{}", said(&first));
    assert!(site.is_well() && site.has_capability("chat-posta"));
    assert_eq!(site.user(), Some(NOBODY), "it listens on a low port and is not root");
    assert!(!Path::new(&site.directory.file("chat-posta.previous")).exists());

    // Again: the running file is swapped, and the one before is kept with its capability.
    let second = site.deploy(&["--binary", binary]);
    assert!(second.status.success(), "{}", said(&second));
    assert!(site.is_well() && site.has_capability("chat-posta"));
    assert!(site.has_capability("chat-posta.previous"));
    assert!(!Path::new(&site.directory.file("chat-posta.new")).exists());

    // Without a break: whoever was started goes on, and what serves is its child, from the new file.
    let pid = || fs::read_to_string(site.directory.file("pid")).unwrap().trim().to_owned();
    let before = pid();
    let reload = format!("kill -USR2 {before}");
    let third = site.deploy(&["--binary", binary, "--reload", &reload]);
    assert!(third.status.success(), "{}", said(&third));
    assert_eq!(pid(), before, "it was not restarted");
    let child = until("a successor serves", || {
        let listed = fs::read_to_string(format!("/proc/{before}/task/{before}/children")).ok()?;
        let waits = fs::read_to_string(format!("/proc/{before}/cmdline")).ok()?;
        let child = listed.split_whitespace().next()?.to_owned();
        waits.contains("wait-for-successor").then_some(child)
    });
    assert_eq!(fs::read_link(format!("/proc/{child}/exe")).unwrap(), Path::new(&site.path()));
    assert!(site.is_well());

    let bad = site.deploy(&["--binary", &site.program("broken", BROKEN), "--wait", "2"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(said(&bad).contains("the previous binary is back and well"), "{}", said(&bad));
    assert!(site.is_well() && site.has_capability("chat-posta"));
    assert_eq!(site.user(), Some(NOBODY));
    assert!(Path::new(&site.directory.file("chat-posta.failed")).exists());

    let back = site.deploy(&["--rollback"]);
    assert!(back.status.success(), "{}", said(&back));
    until("it is well again", || site.is_well().then_some(()));
    assert!(site.has_capability("chat-posta"));
}

#[test]
fn what_cannot_run_or_have_its_capability_is_never_swapped_in() {
    needs_root();
    let site = Site::new();
    let path = site.path();
    fs::write(&path, "the one that runs").unwrap();
    let refused = |output: Output, why: &str| {
        assert_eq!(output.status.code(), Some(1), "{why}");
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
        assert_eq!(fs::read_to_string(&path).unwrap(), "the one that runs", "{why}");
        assert!(!Path::new(&format!("{path}.new")).exists(), "{why}");
    };
    // No program, nothing at all, another processor's.
    let mut foreign = fs::read(&*BINARY).unwrap();
    foreign[18..20].copy_from_slice(&0xb7u16.to_le_bytes()); // ELF's e_machine: AArch64
    foreign.truncate(1 << 20);
    for bytes in [&b"no program"[..], b"", b"#!/bin/sh\nexit 0\n", &foreign] {
        let file = site.program("bad", bytes);
        refused(site.deploy(&["--binary", &file]), "does not run there; nothing was changed");
    }
    // A setcap that fails, that is not there, that claims to have done it.
    for (words, why) in [
        ("exit 1", "no capability for port"),
        ("exit 127", "no capability for port"),
        ("exit 0", "no capability for port"),
    ] {
        let tools = site.tools(&[("setcap", words)]);
        refused(site.deploy_with(&tools, &["--binary", &BINARY], "local"), why);
    }
    // A line that breaks in the middle.
    let broken = "for last; do :; done; case $last in *'cat >'*) head -c 5000 | sh -c \"$last\";; \
                  *) exec sh -c \"$last\";; esac";
    let tools = site.tools(&[("ssh", broken)]);
    let output = site.deploy_with(&tools, &["--binary", &BINARY], "ssh:host.example");
    refused(output, "what arrived is not what was sent; nothing was changed");
    let output = site.deploy(&["--binary", &BINARY, "--path", "/no/such/place/chat-posta"]);
    refused(output, "no such directory");
    let output = site.deploy(&["--rollback"]);
    refused(output, "there is no");
}

/// With what stands in for ssh and incus: they run here what they are told to run there.
#[test]
fn it_goes_through_ssh_and_into_containers() {
    needs_root();
    let site = Site::new();
    let log = site.directory.file("calls");
    let ssh = format!("echo ssh \"$@\" >>{log}; for last; do :; done; exec sh -c \"$last\"");
    let incus = format!("echo incus \"$1 $2 $3 $4\" >>{log}; shift 3; exec \"$@\"");
    let tools = site.tools(&[("ssh", &ssh), ("incus", &incus), ("sudo", "shift; exec \"$@\"")]);
    for (target, called) in [
        ("ssh:me@host.example", "ssh -o BatchMode=yes -- me@host.example sudo -n sh -c"),
        ("incus:chat", "incus exec chat -- sh"),
        ("incus:me@host.example/chat", "me@host.example sudo -n incus exec chat -- sh -c"),
    ] {
        let _ = fs::remove_file(&log);
        let done = site.deploy_with(&tools, &["--sudo", "--binary", &BINARY], target);
        assert!(done.status.success(), "{target}: {}", said(&done));
        assert!(site.is_well() && site.has_capability("chat-posta"), "{target}");
        assert_eq!(site.user(), Some(NOBODY));
        let calls = fs::read_to_string(&log).unwrap();
        assert!(calls.lines().any(|line| line.contains(called)), "{target}: {calls}");
        let back = site.deploy_with(&tools, &["--sudo", "--rollback"], target);
        assert_eq!(back.status.success(), target != "ssh:me@host.example", "{}", said(&back));
    }
}

/// The new binary runs and does not come up as a successor: nobody notices, nothing is restarted.
#[test]
fn a_successor_that_does_not_come_up_is_taken_out_of_the_place_again() {
    needs_root();
    let site = Site::new();
    assert!(site.deploy(&["--binary", &BINARY]).status.success());
    let before = site.pid();
    let reload = format!("kill -USR2 {before}");
    let words = format!("#!/bin/sh\n[ \"$1\" = serve ] && exit 7\nexec {} \"$@\"\n", *BINARY);
    let bad = site.program("bad", words.as_bytes());
    let refused = site.deploy(&["--binary", &bad, "--reload", &reload]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    for part in ["the running process goes on, nobody noticed", "it ended (exit status: 7)"] {
        assert!(said(&refused).contains(part), "{part}: {}", said(&refused));
    }
    assert_eq!((site.pid(), site.process()), (before.clone(), before.parse().ok()));
    assert!(site.is_well() && site.has_capability("chat-posta"));
    assert_eq!(fs::read(site.path()).unwrap(), fs::read(&*BINARY).unwrap(), "the one before");
    assert_eq!(fs::read(site.directory.file("chat-posta.failed")).unwrap(), words.as_bytes());
    // Going back takes over as well.
    let back = site.deploy(&["--rollback", "--reload", &reload]);
    assert!(back.status.success(), "{}", said(&back));
    assert!(site.is_well() && site.process() != before.parse().ok());
    assert_eq!(site.pid(), before, "it was not restarted");
}

#[test]
fn doctor_tells_whether_others_than_root_may_listen() {
    needs_root();
    let site = Site::new();
    let listen = format!("127.0.0.1:{}", site.port);
    let doctor = |program: &str| {
        let output = Command::new(program)
            .args(["doctor", "--listen", &listen, "--config", &site.directory.file("config.toml")])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let about = |line: &&str| {
            let what = line.split_whitespace().nth(1);
            matches!(what, Some("capability" | "service"))
        };
        said.lines().filter(about).map(str::to_owned).collect::<Vec<_>>()
    };
    let [without] = &doctor(&BINARY)[..] else { panic!("one line") };
    assert!(without.starts_with("warn") && without.contains("setcap cap_net_bind"), "{without}");
    assert!(site.deploy(&["--binary", &BINARY]).status.success());
    let [runs] = &doctor(&site.path())[..] else { panic!("one line") };
    let expected = format!("process {} runs as user {NOBODY}, not as root", site.pid());
    assert!(runs.starts_with("ok") && runs.contains(&expected), "{runs}");
    site.stop();
    let [with] = &doctor(&site.path())[..] else { panic!("one line") };
    assert!(with.starts_with("ok") && with.contains("for users other than root"), "{with}");
}

#[test]
fn a_dry_run_prints_every_command_and_changes_nothing() {
    let directory = Directory::new();
    let path = directory.file("it's here/chat-posta");
    for (target, begin) in [
        ("local", ""),
        ("ssh:root@host.example", "ssh root@host.example "),
        ("incus:chat", "incus exec chat -- sh -c "),
        ("incus:root@host.example/chat", "ssh root@host.example 'incus exec chat -- sh -c "),
    ] {
        let output = deploy(&["--dry-run", "--path", &path, target]);
        assert!(output.status.success(), "{}", said(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        let commands = printed.lines().filter(|line| !line.starts_with("# "));
        assert!(commands.clone().all(|line| line.starts_with(begin)), "{target}: {printed}");
        // In their order: pushed, checked, made capable, kept, swapped, reloaded, restarted, asked;
        // and the way back.
        let mut rest = printed.as_str();
        for part in [
            "cat >",
            "sha256sum",
            "chat-posta.new",
            "version",
            "setcap cap_net_bind_service=+ep",
            "getcap",
            "chat-posta.previous",
            "mv -f",
            "getcap",
            "systemctl reload chat-posta",
            "systemctl restart chat-posta",
            "healthcheck --listen 127.0.0.1:80",
            "cp -p",
            "setcap cap_net_bind_service=+ep",
            "chat-posta.failed",
            "mv -f",
            "rc-service chat-posta restart",
            "healthcheck --listen 127.0.0.1:80",
        ] {
            let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part}: {printed}"));
            rest = after;
        }
        let back = deploy(&["--dry-run", "--rollback", "--path", &path, target]);
        let printed = String::from_utf8(back.stdout).unwrap();
        for part in ["cp -p", "setcap", "mv -f", "systemctl restart", "healthcheck"] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
    }
    let local = deploy(&["--dry-run", "--path", &path, "--port", "10.0.0.5:8080", "local"]);
    let printed = String::from_utf8(local.stdout).unwrap();
    assert!(printed.contains(&format!("'{}.new'", path.replace('\'', "'\\''"))), "{printed}");
    assert!(!printed.contains("setcap"), "a high port needs no capability");
    assert!(printed.contains("healthcheck --listen 10.0.0.5:8080"), "{printed}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn wrong_use_names_what_is_allowed() {
    for (words, why) in [
        (&[][..], "a target is missing"),
        (&["--port", "0", "local"], "--port: expected 1 to 65535"),
        (&["--port", "80;x", "local"], "--port: expected 1 to 65535"),
        (&["--port", "x;y:80", "local"], "--port: expected an address before the colon"),
        (&["--path", "x", "local"], "--path: expected an absolute path"),
        (&["incus:-h/chat"], "a target may not begin with a dash"),
        (&["incus:host/--all"], "a target may not begin with a dash"),
        (&["elsewhere"], "unknown target 'elsewhere'"),
        (&["ssh:-oProxyCommand=x"], "a target may not begin with a dash"),
        (&["--frobnicate", "local"], "there is no option --frobnicate"),
        (&["local", "local"], "one target too many"),
    ] {
        let output = deploy(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(said(&output).contains(why), "{words:?}: {}", said(&output));
    }
}
