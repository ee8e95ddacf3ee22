//! TLS, against rustls on threads with certificates made here.
use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    HandshakeKind, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

type Secure = StreamOwned<ServerConnection, TcpStream>;

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        Authority::with(KeyPair::generate().unwrap())
    }

    pub(super) fn with(key: KeyPair) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server's configuration for a certificate with these names.
    fn server(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        self.server_with(names, rustls::ALL_VERSIONS, change)
    }

    fn server_with(
        &self,
        names: &[&str],
        versions: &[&'static SupportedProtocolVersion],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let provider = rustls::crypto::ring::default_provider();
        self.server_of(key, provider, names, versions, change)
    }

    /// Of a key, and with the algorithms that the provider has.
    pub(super) fn server_of(
        &self,
        key: KeyPair,
        provider: CryptoProvider,
        names: &[&str],
        versions: &[&'static SupportedProtocolVersion],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(versions).unwrap().with_no_client_auth();
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

fn secure_server(
    config: Arc<ServerConfig>,
    serve: impl Fn(Secure, usize) + Send + Sync + 'static,
) -> Origin {
    let origin = server(move |stream, number| {
        let tls = ServerConnection::new(config.clone()).unwrap();
        serve(StreamOwned::new(tls, stream), number);
    });
    Origin { tls: true, host: "localhost".into(), ..origin }
}

/// Answers each request with its body's length, and says what the connection was like.
pub(super) fn echoing(
    config: Arc<ServerConfig>,
) -> (Origin, mpsc::Receiver<(HandshakeKind, String, String)>) {
    let (sender, seen) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let origin = secure_server(config, move |mut stream, _| {
        while let Some((_, body)) = request(&mut stream) {
            let kind = stream.conn.handshake_kind().unwrap();
            let name = stream.conn.server_name().unwrap_or("none").to_owned();
            let alpn = String::from_utf8_lossy(stream.conn.alpn_protocol().unwrap_or(b"none"));
            sender.lock().unwrap().send((kind, name, alpn.into_owned())).unwrap();
            let size = body.len().to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{size}", size.len())
                .unwrap();
        }
    });
    (origin, seen)
}

pub(super) fn trusting(authority: &Authority) -> Client {
    let roots = vec![authority.root()];
    client_with(Options { allow_private: true, roots, ..Options::default() })
}

#[test]
fn calls_are_secured_and_sessions_resumed() {
    let authority = Authority::new();
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let config = authority.server_with(&["localhost"], versions, |_| {});
        let (origin, seen) = echoing(config);
        let client = trusting(&authority);
        assert_eq!(fetch(&client, &origin).unwrap(), "200 0");
        let expected = (HandshakeKind::Full, "localhost".to_owned(), "http/1.1".to_owned());
        assert_eq!(seen.recv().unwrap(), expected);
        assert_eq!(fetch(&client, &origin).unwrap(), "200 0");
        assert_eq!(seen.recv().unwrap().0, HandshakeKind::Full, "the same connection");
        // Streams go out on connections of their own.
        let (again, asked) = (client.clone(), origin.clone());
        on_coroutine(move || {
            let mut source = io::repeat(7).take(1_000_000);
            let body = CallBody::Stream { length: Some(1_000_000), source: &mut source };
            let call = Call { method: Method::Post, body, ..get(&asked) };
            assert_eq!(text(again.call(call).unwrap()).unwrap(), "200 1000000");
        });
        assert_eq!(seen.recv().unwrap().0, HandshakeKind::Resumed);
    }
}

#[test]
fn addresses_can_have_certificates() {
    let authority = Authority::new();
    let (origin, seen) = echoing(authority.server(&["127.0.0.1"], |_| {}));
    let origin = Origin { host: "127.0.0.1".into(), ..origin };
    assert_eq!(fetch(&trusting(&authority), &origin).unwrap(), "200 0");
    assert_eq!(seen.recv().unwrap().1, "none", "addresses are not sent as names");
}

#[test]
fn certificates_that_prove_nothing_are_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let plain = |_: &mut CertificateParams| {};
    for (config, root, why) in [
        (authority.server(&["localhost"], plain), &other, "UnknownIssuer"),
        (authority.server(&["elsewhere.example"], plain), &authority, "NotValidForName"),
        (authority.server(&["127.0.0.1"], plain), &authority, "NotValidForName"),
        (
            authority.server(&["localhost"], |p| p.not_after = rcgen::date_time_ymd(2020, 1, 1)),
            &authority,
            "Expired",
        ),
        (
            authority.server(&["localhost"], |p| p.not_before = rcgen::date_time_ymd(3000, 1, 1)),
            &authority,
            "NotValidYet",
        ),
    ] {
        let (origin, seen) = echoing(config);
        match fetch(&trusting(root), &origin) {
            Err(CallError::Tls(text)) => assert!(text.contains("certificate"), "{why}: {text}"),
            other => panic!("{why}: {other:?}"),
        }
        assert!(seen.try_recv().is_err(), "no request was sent");
    }
}

#[test]
fn what_is_no_tls_fails_as_such() {
    for said in ["HTTP/1.1 400 Plain\r\n\r\n", "", "\x15\x03\x03\0\x02\x02\x28"] {
        let origin = server(move |mut stream, _| {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(said.as_bytes());
        });
        let origin = Origin { tls: true, ..origin };
        assert!(matches!(fetch(&client(), &origin), Err(CallError::Tls(_))), "{said:?}");
    }
    let silent = server(|stream, _| {
        thread::sleep(3 * SECOND);
        drop(stream);
    });
    let origin = Origin { tls: true, ..silent };
    let deadlines = Deadlines { connect: Duration::from_millis(200), ..PATIENT };
    let done = fetch_within(&client(), &origin, deadlines);
    assert!(matches!(done, Err(CallError::Timeout("the TLS handshake"))), "{done:?}");
}

#[test]
fn a_body_until_close_needs_the_peer_s_word_that_it_is_whole() {
    let authority = Authority::new();
    for says_so in [true, false] {
        let config = authority.server(&["localhost"], |_| {});
        let origin = secure_server(config, move |mut stream, _| {
            request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil close").unwrap();
            if says_so {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                // The end is the peer's word, not the connection's.
                thread::sleep(Duration::from_millis(300));
            }
        });
        let got = fetch(&trusting(&authority), &origin);
        if says_so {
            assert_eq!(got.unwrap(), "200 until close");
        } else {
            assert!(matches!(got, Err(CallError::Closed)));
        }
    }
}

#[test]
fn a_secure_connection_closed_while_idle_is_not_used() {
    let authority = Authority::new();
    let origin = secure_server(authority.server(&["localhost"], |_| {}), |mut stream, number| {
        request(&mut stream);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}").unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    let client = trusting(&authority);
    for number in 0..3 {
        assert_eq!(fetch(&client, &origin).unwrap(), format!("200 {number}"));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn goodbye_is_said_and_a_change_of_keys_followed() {
    let authority = Authority::new();
    let (sender, ends) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let origin = secure_server(authority.server(&["localhost"], |_| {}), move |mut stream, _| {
        for _ in 0..3 {
            request(&mut stream).unwrap();
            // The other side has to answer this with new keys of its own before it asks again.
            stream.conn.refresh_traffic_keys().unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            stream.flush().unwrap();
        }
        // An end without a goodbye would be an error.
        sender.lock().unwrap().send(stream.read(&mut [0])).unwrap();
    });
    let client = trusting(&authority);
    for _ in 0..3 {
        assert_eq!(fetch(&client, &origin).unwrap(), "204 ");
    }
    drop(client);
    // The pool goes with its last client, once the thread that sweeps it has let go.
    assert_eq!(ends.recv_timeout(10 * SECOND).unwrap().unwrap(), 0);
}

#[test]
fn early_refusals_are_heard_through_tls() {
    let authority = Authority::new();
    let origin = secure_server(authority.server(&["localhost"], |_| {}), |mut stream, _| {
        stream.read_exact(&mut [0; 100]).unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").unwrap();
        stream.flush().unwrap();
        thread::sleep(3 * SECOND);
    });
    let client = trusting(&authority);
    let started = Instant::now();
    on_coroutine(move || {
        let mut source = io::repeat(7);
        let body = CallBody::Stream { length: None, source: &mut source };
        let answer = client.call(Call { method: Method::Post, body, ..get(&origin) }).unwrap();
        assert_eq!(text(answer).unwrap(), "413 big");
    });
    assert!(started.elapsed() < 2 * SECOND);
}

/// The shallowest stacks there are carry a whole secure stream, its handshake included; in debug and
/// in release, whichever the tests are built for. An overflow ends the process.
#[test]
fn event_streams_through_tls_fit_a_stream_s_stack() {
    let authority = Authority::new();
    let origin = secure_server(authority.server(&["localhost"], |_| {}), |mut stream, _| {
        request(&mut stream);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        for number in 0..50 {
            write!(stream, "id: {number}\ndata: {}\n\n", "x".repeat(number * 1000)).unwrap();
            if number % 10 == 0 {
                // Another key from here on: the receiver has to follow.
                stream.conn.refresh_traffic_keys().unwrap();
            }
        }
        stream.flush().unwrap();
        thread::sleep(Duration::from_millis(100));
    });
    let client = trusting(&authority);
    let stream = stack::spawn_stream(move || {
        let Ok(Opened::Events(mut events)) = client.events(get(&origin)) else { panic!("opens") };
        for number in 0..50 {
            let event = events.next(10 * SECOND).unwrap().unwrap();
            assert_eq!((event.id, event.data.len()), (Some(number.to_string()), number * 1000));
        }
    });
    stream.unwrap().join().expect("all came");
}
