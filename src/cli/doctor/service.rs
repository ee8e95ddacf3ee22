//! What `doctor` sees of the service that runs: which process it is, as whom, and within what limits.
use super::{Finding, host, ok, warn};
use crate::cli::healthcheck::State;
use std::fs;
use std::net::SocketAddr;

const WHAT: &str = "service";

pub fn running(listen: SocketAddr, state: &State) -> Vec<Finding> {
    let mut findings = vec![ok("listen", format!("{listen}: the service answers"))];
    let own = env!("CHAT_POSTA_VERSION");
    if state.version != own {
        let said = format!("it runs {}, this program is {own}", state.version);
        findings
            .push(warn(WHAT, format!("{said}: reload or restart the service to have this one")));
    }
    if let Some((count, why)) = &state.refused {
        let said = format!("{count} successors did not come up, the last one: {why}");
        findings.push(warn(WHAT, format!("{said}; its log says more")));
    }
    // In another container, or another's and hidden: then nothing is known of it.
    let Some(process) = state.process else { return findings };
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return findings };
    let user = field(&status, "Uid:").and_then(|user| user.parse::<u32>().ok());
    findings.push(match user {
        Some(0) => warn(WHAT, format!("process {process} runs as root; give it a user of its own")),
        Some(user) => ok(WHAT, format!("process {process} runs as user {user}, not as root")),
        None => return findings,
    });
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    if let Some(limit) = field(&limits, "Max open files") {
        findings.push(host::files_within("its open files", limit.parse().ok()));
    }
    findings
}

/// The first word behind a name, of lines such as proc(5) has them.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        let status = "Name:\tchat\nUid:\t65532\t0\t0\t0\n";
        assert_eq!(field(status, "Uid:"), Some("65532"));
        let limits = "Max open files            1024                 4096                 files";
        assert_eq!(field(limits, "Max open files"), Some("1024"));
        assert_eq!(field(limits, "Max core"), None);
    }
}
