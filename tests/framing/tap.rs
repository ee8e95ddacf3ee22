//! A wire between a proxy and chat-posta with an ear on it: passes everything on as it comes, and
//! keeps what each side said on each connection.
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was said on one connection.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    pub from_proxy: Vec<u8>,
    pub from_chat: Vec<u8>,
    /// chat-posta has ended its side.
    pub chat_ended: bool,
}

type Shared = Arc<Mutex<Vec<Heard>>>;

pub struct Tap {
    pub address: SocketAddr,
    heard: Shared,
}

impl Tap {
    pub fn start(chat: SocketAddr) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Shared::default();
        let shared = Arc::clone(&heard);
        std::thread::spawn(move || {
            for proxy in listener.incoming().map_while(Result::ok) {
                relay(proxy, TcpStream::connect(chat).unwrap(), &shared);
            }
        });
        Tap { address, heard }
    }

    /// Everything so far, connection by connection.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn relay(proxy: TcpStream, chat: TcpStream, heard: &Shared) {
    for stream in [&proxy, &chat] {
        stream.set_nodelay(true).unwrap();
    }
    let index = {
        let mut all = heard.lock().unwrap();
        all.push(Heard::default());
        all.len() - 1
    };
    let (back, forth) = (chat.try_clone().unwrap(), proxy.try_clone().unwrap());
    pass(forth, chat, Arc::clone(heard), index, |heard, bytes| {
        heard.from_proxy.extend_from_slice(bytes);
    });
    pass(back, proxy, Arc::clone(heard), index, |heard, bytes| {
        heard.from_chat.extend_from_slice(bytes);
        heard.chat_ended |= bytes.is_empty();
    });
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    heard: Shared,
    index: usize,
    hear: fn(&mut Heard, &[u8]),
) {
    std::thread::spawn(move || {
        let mut piece = [0; 16 * 1024];
        loop {
            let count = from.read(&mut piece).unwrap_or(0);
            // Heard first: whoever acts on what it got can be sure of that. No bytes are the end.
            hear(&mut heard.lock().unwrap()[index], &piece[..count]);
            if count == 0 || to.write_all(&piece[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
