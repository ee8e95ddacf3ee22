//! The listener and its connections, one coroutine each.
use super::{Request, Response};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What the server calls for each request. Panics are caught, logged with the request's id,
/// answered 500 and counted.
pub trait Service: Send + Sync + 'static {
    fn call(&self, request: &mut Request<'_>) -> Response;
    /// The answer to a request that never reached `call` (400, 408, 431, 500, 503 …): lets the
    /// caller add its headers and its own page. `reason` is fit for a developer.
    fn refuse(&self, status: u16, reason: &str) -> Response;
}

#[derive(Debug, Clone)]
pub struct Options {
    pub trusted_proxies: Vec<Network>,
    pub max_connections: usize,
    pub max_per_address: usize,
}

/// An address block such as `127.0.0.0/8` or `::1/128`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    pub prefix: u8,
}

pub struct Server;

impl Server {
    /// Binds (without `SO_REUSEPORT`: a second process on the port is an error) and serves from
    /// coroutines; returns at once.
    pub fn start(
        listen: SocketAddr,
        options: Options,
        service: Arc<dyn Service>,
    ) -> io::Result<Server> {
        let _ = (listen, options, service);
        todo!()
    }

    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }

    /// Stops accepting, lets running requests finish for at most `grace`, closes idle connections.
    pub fn shutdown(&self, grace: Duration) {
        let _ = grace;
        todo!()
    }
}
