//! Sockets on their way to another process, as descriptors beside a byte (unix(7), `SCM_RIGHTS`).
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Descriptors of one message; the kernel takes 253 (`SCM_MAX_FD`).
const BATCH: usize = 250;
/// Room for as many.
const SPACE: usize = rustix::cmsg_space!(ScmRights(BATCH));

/// Sends as many as are waited for.
pub fn send(to: &UnixStream, streams: &[TcpStream]) -> io::Result<()> {
    for batch in streams.chunks(BATCH) {
        let descriptors: Vec<BorrowedFd<'_>> = batch.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut along = SendAncillaryBuffer::new(&mut space);
        if !along.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        sendmsg(to, &[IoSlice::new(b"c")], &mut along, SendFlags::NOSIGNAL)?;
    }
    Ok(())
}

/// Takes `count` of them. Those that this process has no descriptors for are lost.
pub fn receive(from: &UnixStream, count: usize) -> io::Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    for _ in 0..count.div_ceil(BATCH) {
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut into = [IoSliceMut::new(&mut byte)];
        let heard = recvmsg(from, &mut into, &mut along, RecvFlags::CMSG_CLOEXEC)?;
        if heard.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if heard.flags.contains(ReturnFlags::CTRUNC) {
            log::warn!("not all connections could be taken over: too few descriptors");
        }
        for message in along.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                streams.extend(descriptors.map(TcpStream::from));
            }
        }
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn more_than_one_message_holds_arrive_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (here, there) = UnixStream::pair().unwrap();
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..BATCH + 7 {
            clients.push(TcpStream::connect(address).unwrap());
            served.push(listener.accept().unwrap().0);
        }
        let count = served.len();
        let sender = std::thread::spawn(move || send(&here, &served).unwrap());
        let received = receive(&there, count).unwrap();
        sender.join().unwrap();
        assert_eq!(received.len(), count);
        for (mut client, mut server) in clients.into_iter().zip(received) {
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
        }
        assert!(receive(&there, 1).is_err(), "the other end has gone");
        assert!(receive(&there, 0).unwrap().is_empty());
    }
}
