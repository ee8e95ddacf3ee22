//! Connections from any loopback address: limits are for each address, and a test may be as many
//! clients as it likes.
use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

/// Closed by a reset, so that tens of thousands of connections leave nothing behind.
pub fn from(own: Ipv4Addr, server: SocketAddr) -> std::io::Result<TcpStream> {
    open(own, server, None)
}

/// As above, with room for just so many bytes that have come and are not read.
pub fn narrow(own: Ipv4Addr, server: SocketAddr, room: usize) -> std::io::Result<TcpStream> {
    open(own, server, Some(room))
}

fn open(own: Ipv4Addr, server: SocketAddr, room: Option<usize>) -> std::io::Result<TcpStream> {
    let fd = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    if let Some(room) = room {
        sockopt::set_socket_recv_buffer_size(&fd, room)?;
    }
    bind(&fd, &SocketAddr::V4(SocketAddrV4::new(own, 0)))?;
    connect(&fd, &server)?;
    sockopt::set_socket_linger(&fd, Some(Duration::ZERO))?;
    let stream = TcpStream::from(fd);
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// From now on nothing that is sent to this socket arrives, not even acknowledgements, and nobody is
/// told: as when a cable is cut. The kernel drops what comes, by a filter of one instruction.
pub fn deafen(stream: &TcpStream) {
    use std::os::fd::AsRawFd;
    const RETURN: u16 = 0x06;
    let mut drop_all = libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut drop_all };
    // SAFETY: the kernel copies the program before it returns.
    let done = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}
