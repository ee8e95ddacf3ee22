//! The whole internet, inside a namespace: every address answers on some ports and is noted, and names
//! lead where a test says.
use super::namespace;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// What the resolver says to the `n`th question for the addresses of a name; an empty list for a name
/// that has none.
pub type Names = fn(name: &str, asked: usize) -> Vec<IpAddr>;

pub struct World {
    dialled: Arc<Mutex<BTreeSet<SocketAddr>>>,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl World {
    /// Begins; whatever is dialled on one of `ports` answers, with nothing.
    pub fn begin(directory: &str, ports: &[u16], names: Names) -> World {
        namespace::every_address_is_here();
        for (path, text) in [
            ("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n"),
            ("/etc/nsswitch.conf", "hosts: files dns\n"),
            ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ] {
            let file = format!("{directory}/{}", path.replace('/', "-"));
            fs::write(&file, text).unwrap();
            namespace::replace(path, &file);
        }
        let world = World { dialled: Arc::default(), asked: Arc::default() };
        for &port in ports {
            for any in [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)] {
                // The first takes both families where there are two, and the other is taken then.
                let Ok(listener) = TcpListener::bind(SocketAddr::new(any, port)) else { continue };
                let dialled = world.dialled.clone();
                thread::spawn(move || note(&listener, &dialled));
            }
        }
        let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
        let asked = world.asked.clone();
        thread::spawn(move || resolve(&socket, &asked, names));
        world
    }

    /// What was dialled since the last time.
    pub fn dialled(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut *self.dialled.lock().unwrap()).into_iter().collect()
    }

    /// How often the IPv4 addresses of a name were asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

fn note(listener: &TcpListener, dialled: &Mutex<BTreeSet<SocketAddr>>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let here = stream.local_addr().unwrap();
        let here = SocketAddr::new(here.ip().to_canonical(), here.port());
        dialled.lock().unwrap().insert(here);
    }
}

/// A resolver of names (RFC 1035 §4), as much of it as the system's asks.
fn resolve(
    socket: &UdpSocket,
    asked: &Mutex<BTreeMap<String, usize>>,
    names: Names,
) -> io::Result<()> {
    let mut packet = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut packet)?;
        let question = &packet[12..length];
        let (mut name, mut at) = (Vec::new(), 0);
        while question[at] > 0 {
            let label = &question[at + 1..=at + usize::from(question[at])];
            name.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            at += 1 + label.len();
        }
        let name = name.join(".");
        let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(name.clone()).or_default();
        let (target, now) = (name.strip_prefix("alias-of-"), *count);
        *count += usize::from(kind == A);
        drop(asked);
        let mut records = Vec::new();
        if let Some(target) = target {
            let labels =
                target.split('.').map(|label| [&[label.len() as u8], label.as_bytes()].concat());
            let data = [labels.collect::<Vec<_>>().concat(), vec![0]].concat();
            records.push((vec![0xc0, 12], CNAME, data));
        }
        // An alias' addresses belong to the name that it stands for, which the packet holds behind
        // the question and the first record's head.
        let owner = target.map_or(vec![0xc0, 12], |_| vec![0xc0, (12 + at + 5 + 12) as u8]);
        for address in names(target.unwrap_or(&name), now) {
            match address {
                IpAddr::V4(v4) if kind == A => {
                    records.push((owner.clone(), A, v4.octets().to_vec()));
                }
                IpAddr::V6(v6) if kind == AAAA => {
                    records.push((owner.clone(), AAAA, v6.octets().to_vec()));
                }
                _ => {}
            }
        }
        let mut answer = packet[..2].to_vec();
        answer.extend([0x81, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        answer.extend(&question[..at + 5]);
        for (owner, kind, data) in records {
            answer.extend(owner);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 0]);
            answer.extend((data.len() as u16).to_be_bytes());
            answer.extend(data);
        }
        socket.send_to(&answer, from)?;
    }
}
