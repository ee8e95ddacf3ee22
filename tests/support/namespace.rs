//! A test inside namespaces of its own: a network of which it is the whole, mounts that nobody else
//! sees, and the powers of root over its children, whoever runs it.
use std::process::Command;

const MARK: &str = "CHAT_POSTA_TEST_INSIDE";

/// Whether this is the inside. Outside it runs the test `name` once more, inside, and fails as that does.
pub fn inside(name: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let this = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--net", "--"])
        .arg(this)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .status()
        .expect("unshare (util-linux) starts");
    assert!(status.success(), "{name}, inside: {status}");
    false
}

/// Runs a program of the host to its end.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
}

/// Makes every address there is one of this network's own, so that whatever is dialled answers.
pub fn every_address_is_here() {
    run("ip", &["link", "set", "lo", "up"]);
    run("ip", &["route", "add", "local", "default", "dev", "lo"]);
    run("ip", &["-6", "route", "add", "local", "default", "dev", "lo"]);
}

/// Puts a file in the place of another.
pub fn replace(path: &str, with: &str) {
    run("mount", &["--bind", with, path]);
}
