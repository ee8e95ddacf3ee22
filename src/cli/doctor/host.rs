//! What `doctor` sees on this host: the database, the disk, and the kernel's limits.
use super::{Finding, fail, ok, service, warn};
use crate::cli::healthcheck;
use crate::http::server;
use crate::store;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// Below these, in MiB, a disk is nearly full, or full.
const LITTLE_DISK: u64 = 256;
const NO_DISK: u64 = store::LEAST_DISK >> 20;
/// Below this many, tabs of a few dozen people may find no place.
const FEW_CONNECTIONS: usize = 4_096;
/// What kernels come with. Each connection at work takes two maps (`http/stack.rs`).
const USUAL_MAPS: u64 = 65_530;

pub fn database(path: &Path) -> Vec<Finding> {
    const WHAT: &str = "database";
    if !path.exists() {
        let said = "it does not exist yet; `chat-posta serve` makes it, or --db names another";
        return vec![warn(WHAT, format!("{}: {said}", path.display()))];
    }
    let seen = match store::look(path) {
        Ok(seen) => seen,
        Err(e) => return vec![fail(WHAT, e)],
    };
    let store::Look { schema, known, users, size, open_to_others } = seen;
    let kib = size.div_ceil(1024);
    let mut findings = vec![if schema < known {
        warn(WHAT, format!("schema {schema} of {known}: the next start of the service migrates it"))
    } else {
        ok(WHAT, format!("{}: whole, {users} users, {kib} KiB, schema {schema}", path.display()))
    }];
    if open_to_others.0 != 0 {
        findings.push(warn(WHAT, format!("others may read it: chmod 600 {}", path.display())));
    }
    if open_to_others.1 & 0o022 != 0
        && let Some(folder) = path.parent()
    {
        let said = format!("others may write to its directory: chmod 700 {}", folder.display());
        findings.push(warn(WHAT, said));
    }
    findings
}

pub fn disk(database: &Path) -> Finding {
    const WHAT: &str = "disk";
    // The nearest directory that is there.
    let Some(folder) = database.ancestors().skip(1).find(|folder| folder.is_dir()) else {
        return fail(WHAT, "the database's directory can't be looked at");
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match rustix::fs::statvfs(folder) {
        Err(e) => fail(WHAT, format!("{}: {e}", folder.display())),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
            let said = format!("{free} MiB free at {}", folder.display());
            match free {
                0..NO_DISK => fail(WHAT, format!("{said}: nobody can sign up; make room")),
                NO_DISK..LITTLE_DISK => warn(WHAT, format!("{said}: make room")),
                _ => ok(WHAT, said),
            }
        }
    }
}

/// How many browsers the limit of open files leaves room for, were the service started from here: it
/// raises its own soft limit to the hard one.
pub fn files() -> Finding {
    files_within("open files", getrlimit(Resource::Nofile).maximum)
}

/// The same for a limit; `None` where there is none.
pub fn files_within(what: &'static str, limit: Option<u64>) -> Finding {
    let room = server::room_within(limit);
    let limit = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    let said = format!("limit {limit}: room for {room} connections");
    if room < FEW_CONNECTIONS {
        warn(what, format!("{said}; raise LimitNOFILE (systemd) or rc_ulimit (OpenRC) to 65536"))
    } else {
        ok(what, said)
    }
}

pub fn maps() -> Finding {
    const WHAT: &str = "memory maps";
    let read = fs::read_to_string("/proc/sys/vm/max_map_count");
    match read.ok().and_then(|text| text.trim().parse::<u64>().ok()) {
        None => warn(WHAT, "vm.max_map_count can't be read; it should be 65530 or more"),
        Some(maps) if maps < USUAL_MAPS => {
            let said = format!("vm.max_map_count is {maps}: sysctl -w vm.max_map_count=65530");
            fail(WHAT, format!("{said}, or connections at work may take the process down"))
        }
        Some(maps) => ok(WHAT, format!("vm.max_map_count {maps}")),
    }
}

/// Whether the service answers there, or could be started there.
pub fn listening(listen: SocketAddr) -> Vec<Finding> {
    const WHAT: &str = "listen";
    match TcpListener::bind(listen) {
        Ok(_) => {
            let free = ok(WHAT, format!("{listen} is free, and may be listened on"));
            std::iter::once(free).chain(capability(listen.port())).collect()
        }
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            match healthcheck::ask(healthcheck::reachable(listen)) {
                Ok(state) => service::running(listen, &state),
                Err(why) => vec![fail(WHAT, format!("{listen} is taken, and {why}"))],
            }
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            let said = format!("{listen}: this user may not listen there; {}", remedy());
            vec![fail(WHAT, said)]
        }
        Err(e) => {
            let said = format!("{listen}: {e}; name an address of this host with --listen");
            vec![fail(WHAT, said)]
        }
    }
}

/// For who looks as root, whom no port is closed to: whether others may run the service there.
fn capability(port: u16) -> Option<Finding> {
    const WHAT: &str = "capability";
    let free_from = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let free_from = free_from.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
    if !rustix::process::geteuid().is_root() || port >= free_from {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    // linux/capability.h, `vfs_cap_data`: a word of flags, then what is permitted.
    let mut held = [0; 64];
    let length = rustix::fs::getxattr(&program, "security.capability", &mut held).unwrap_or(0);
    let may = length >= 8 && held[0] & 1 == 1 && held[5] & (1 << (NET_BIND_SERVICE - 8)) != 0;
    Some(if may {
        ok(WHAT, format!("the program may listen on port {port} for users other than root"))
    } else {
        let said = format!("users other than root may not listen on port {port}; {}", remedy());
        warn(WHAT, said)
    })
}

/// `CAP_NET_BIND_SERVICE`, the number of its bit.
const NET_BIND_SERVICE: u32 = 10;

fn remedy() -> String {
    format!(
        "run `setcap cap_net_bind_service=+ep {}` (again after every new binary), or start it as a \
         service that grants it",
        std::env::current_exe().unwrap_or_default().display()
    )
}
