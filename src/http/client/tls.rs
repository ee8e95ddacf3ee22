//! TLS to upstreams: rustls with ring, the web's roots built in, sessions resumed.
use super::{CallError, Options};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::sync::Arc;

/// Hosts whose sessions are kept for resumption.
const MAX_SESSIONS: usize = 1_024;

pub fn config(options: &Options) -> Arc<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in &options.roots {
        if let Err(e) = roots.add(root.clone()) {
            log::error!("a further trusted root is not a certificate: {e}");
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    Arc::new(config)
}

pub fn connection(config: &Arc<ClientConfig>, host: &str) -> Result<ClientConnection, CallError> {
    let name = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| CallError::Tls(format!("{host} is not a name TLS can check")))?;
    ClientConnection::new(config.clone(), name).map_err(|e| CallError::Tls(e.to_string()))
}
