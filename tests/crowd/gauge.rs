//! What a process holds, as the kernel tells.
use std::fs;
use std::net::Ipv4Addr;

pub struct Gauge(pub u32);

impl Gauge {
    /// Memory in use, in bytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Open descriptors.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().count()
    }
}

/// Connections of this port that a process still holds on the port's side: how many with addresses
/// `127.<n>.0.0/16`, at index n.
pub fn held(port: u16) -> [usize; 256] {
    let local = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
    let mut counts = [0; 256];
    for line in table.lines().skip(1) {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(own), Some(remote), Some(inode)) = (words.next(), words.next(), words.nth(6))
        else {
            continue;
        };
        // A socket that no process holds has no inode.
        if !own.ends_with(&local) || inode == "0" {
            continue;
        }
        // Little-endian hexadecimal.
        let remote = u32::from_str_radix(remote.split(':').next().unwrap_or(""), 16);
        if let Ok([127, second, ..]) = remote.map(|bits| Ipv4Addr::from(bits.swap_bytes()).octets())
        {
            counts[usize::from(second)] += 1;
        }
    }
    counts
}
