//! TLS to upstreams: rustls with ring, the web's roots built in, sessions resumed. Sans-I/O: bytes
//! from the network go in, bytes for the network and plaintext come out.
//!
//! Rustls' unbuffered interface is used, so that a connection with nothing to say keeps no buffers.
use super::provider::provider;
use super::{CallError, Options};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, Error, RootCertStore};
use std::sync::Arc;

/// Servers whose sessions are kept for resumption.
const MAX_SERVERS: usize = 512;
/// Bytes come in and not understood yet. A record has 16 KiB, a handshake message at most 64.
const MAX_PENDING: usize = 96 * 1024;
/// Bytes of plaintext one record holds (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;
/// Bytes a record adds at most (RFC 8446 §5.2, RFC 5246 §6.2.3).
const RECORD_FRAME: usize = 5 + 256;

pub fn config(options: &Options) -> Arc<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in &options.roots {
        if let Err(e) = roots.add(root.clone()) {
            log::error!("a further trusted root is not a certificate: {e}");
        }
    }
    let provider = Arc::new(provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("there are suites of both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(MAX_SERVERS);
    Arc::new(config)
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Handshake,
    Open,
    /// The peer has said that nothing more comes (RFC 8446 §6.1): what came is all of it.
    Ended,
}

/// What a session is to say once it is open.
#[derive(Clone, Copy)]
enum Say<'a> {
    Nothing,
    /// At most one record.
    Data(&'a [u8]),
    Goodbye,
}

pub struct Session {
    tls: UnbufferedClientConnection,
    /// From the network and not understood yet.
    pending: Vec<u8>,
    ended: bool,
}

impl Session {
    /// A session with the server named `host`, which may be an address.
    pub fn new(config: Arc<ClientConfig>, host: &str) -> Result<Session, CallError> {
        let name = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| CallError::Tls(format!("{host} is not a name TLS can check")))?;
        let tls = UnbufferedClientConnection::new(config, name)
            .map_err(|e| CallError::Tls(e.to_string()))?;
        Ok(Session { tls, pending: Vec::new(), ended: false })
    }

    /// Where bytes from the network are to be appended before `advance`.
    pub fn pending(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Works through what has come: plaintext goes behind `plain`, what must be sent behind `out`,
    /// also when it fails (an alert).
    pub fn advance(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<Stage, Error> {
        self.drive(Say::Nothing, plain, out)
    }

    /// Encrypts `bytes` behind `out`; for an open session.
    pub fn encrypt(
        &mut self,
        bytes: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        bytes.chunks(RECORD).try_for_each(|record| {
            match self.drive(Say::Data(record), plain, out)? {
                Stage::Handshake => Err(Error::HandshakeNotComplete),
                Stage::Open | Stage::Ended => Ok(()),
            }
        })
    }

    /// Whether the peer has said that nothing more comes.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// What tells the peer that nothing more comes from here.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.drive(Say::Goodbye, &mut Vec::new(), out).map(drop)
    }

    /// Gives memory back that an idle session does not need.
    pub fn shrink(&mut self) {
        self.pending.shrink_to_fit();
    }

    fn drive(
        &mut self,
        mut say: Say<'_>,
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Stage, Error> {
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.tls.process_tls_records(&mut self.pending);
            let mut stage = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(out, |room| match data.encode(room) {
                        Err(EncodeError::InsufficientSize(e)) => Err(Some(e.required_size)),
                        other => other.map_err(|_| None),
                    })?
                }
                // The caller sends `out`.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::BlockedHandshake) => stage = Some(Stage::Handshake),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let more = match say {
                        Say::Nothing => 0,
                        Say::Data(record) => record.len() + RECORD_FRAME,
                        Say::Goodbye => RECORD_FRAME,
                    };
                    out.reserve(more);
                    append(out, |room| {
                        let written = match say {
                            Say::Nothing => Ok(0),
                            Say::Data(record) => traffic.encrypt(record, room),
                            Say::Goodbye => traffic.queue_close_notify(room),
                        };
                        written.map_err(|e| match e {
                            EncryptError::InsufficientSize(e) => Some(e.required_size),
                            EncryptError::EncryptExhausted => None,
                        })
                    })?;
                    say = Say::Nothing;
                    stage = Some(Stage::Open);
                }
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(ConnectionState::Closed) => stage = Some(Stage::Ended),
                Ok(_) => return Err(Error::General("early data without a server".into())),
                Err(e) => {
                    self.alert(out);
                    return Err(e);
                }
            }
            self.pending.drain(..discard);
            match stage {
                Some(Stage::Open) if self.ended => return Ok(Stage::Ended),
                Some(_) if self.pending.len() > MAX_PENDING => {
                    return Err(Error::General("a message is too large".into()));
                }
                Some(stage) => return Ok(stage),
                None => {}
            }
        }
    }

    /// The alert that tells the peer what was wrong with it (RFC 8446 §6.2), if there is one.
    fn alert(&mut self, out: &mut Vec<u8>) {
        let status = self.tls.process_tls_records(&mut self.pending);
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state {
            // The connection is lost either way.
            let _ = append(out, |room| match data.encode(room) {
                Err(EncodeError::InsufficientSize(e)) => Err(Some(e.required_size)),
                other => other.map_err(|_| None),
            });
        }
    }
}

/// Has `write` put bytes behind `out`: it tells how many it wrote, or how much room it needs.
fn append(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Error> {
    let start = out.len();
    out.resize(out.capacity().max(start + 64), 0);
    let written = match write(&mut out[start..]) {
        Err(Some(needed)) => {
            out.resize(start + needed, 0);
            write(&mut out[start..])
        }
        done => done,
    };
    out.truncate(start + written.unwrap_or(0));
    written.map(drop).map_err(|_| Error::EncryptError)
}
