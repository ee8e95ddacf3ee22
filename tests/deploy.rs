//! `scripts/deploy` on a local target: a real file capability, a real low port, a user who is not
//! root. Needs root and libcap's `setcap`; without them only what changes nothing is tested.
mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
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

fn can_set_capabilities() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let has = |tool: &str| Command::new(tool).arg("-h").output().is_ok();
    is_root && has("setcap") && has("getcap") && has("setpriv")
}

/// A host: where the binary lives, and how the service is restarted there.
struct Site {
    directory: Directory,
    port: u16,
    restart: String,
}

impl Site {
    fn new() -> Site {
        let directory = Directory::new();
        let folder = directory.path();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        let state = folder.join("state");
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        let port = (600..1000).rev().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let port = port.expect("a low port is free");
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
        Site { directory, port, restart }
    }

    fn path(&self) -> String {
        self.directory.file("chat-posta")
    }

    fn deploy(&self, words: &[&str]) -> Output {
        let (path, port) = (self.path(), self.port.to_string());
        let own = ["--path", &path, "--port", &port, "--restart", &self.restart, "--wait", "10"];
        deploy(&[&own, words, &["local"]].concat())
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
fn broken(directory: &Directory) -> String {
    let file = directory.file("broken");
    fs::write(&file, "#!/bin/sh\n[ \"$1\" = version ] && echo 'chat-posta broken' || exit 1\n")
        .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

#[test]
fn a_new_binary_is_swapped_in_and_a_bad_one_taken_back() {
    if !can_set_capabilities() {
        eprintln!("skipped: needs root, setcap and setpriv");
        return;
    }
    let site = Site::new();
    let binary = env!("CARGO_BIN_EXE_chat-posta");
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

    let bad = site.deploy(&["--binary", &broken(&site.directory), "--wait", "2"]);
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
    if !can_set_capabilities() {
        eprintln!("skipped: needs root, setcap and setpriv");
        return;
    }
    let site = Site::new();
    let path = site.path();
    fs::write(&path, "the one that runs").unwrap();
    let text = site.directory.file("text");
    fs::write(&text, "no program").unwrap();
    fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = site.deploy(&["--binary", &text]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("nothing was changed"), "{}", said(&refused));
    // A setcap that fails, as on a file system without capabilities.
    let tools = site.directory.file("tools");
    fs::create_dir(&tools).unwrap();
    let setcap = format!("{tools}/setcap");
    fs::write(&setcap, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&setcap, fs::Permissions::from_mode(0o755)).unwrap();
    let port = site.port.to_string();
    let refused = Command::new(SCRIPT)
        .args(["--binary", env!("CARGO_BIN_EXE_chat-posta"), "--path", &path, "--port", &port])
        .args(["--restart", &site.restart, "local"])
        .env("PATH", format!("{tools}:{}", std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("no capability for port"), "{}", said(&refused));
    assert_eq!(fs::read_to_string(&path).unwrap(), "the one that runs");
    assert!(!Path::new(&format!("{path}.new")).exists());
}

#[test]
fn a_dry_run_prints_every_command_and_changes_nothing() {
    let directory = Directory::new();
    let path = directory.file("it's here/chat-posta");
    let output = deploy(&["--dry-run", "--path", &path, "incus:root@host.example/chat"]);
    assert!(output.status.success(), "{}", said(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    for part in [
        "ssh root@host.example ",
        "incus exec chat -- sh -c ",
        "setcap cap_net_bind_service=+ep",
        "mv -f",
        "systemctl reload chat-posta",
        "systemctl restart chat-posta",
        "healthcheck --listen 127.0.0.1:80",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    let local = deploy(&["--dry-run", "--path", &path, "--port", "8080", "local"]);
    let printed = String::from_utf8(local.stdout).unwrap();
    assert!(printed.contains(&format!("'{}.new'", path.replace('\'', "'\\''"))), "{printed}");
    assert!(!printed.contains("setcap"), "a high port needs no capability");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn wrong_use_names_what_is_allowed() {
    for (words, why) in [
        (&[][..], "a target is missing"),
        (&["--port", "0", "local"], "--port: expected 1 to 65535"),
        (&["--port", "80;x", "local"], "--port: expected 1 to 65535"),
        (&["--path", "x", "local"], "--path: expected an absolute path"),
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
