//! How long a connection lives: deadlines, caps, shutdown.
use super::*;

#[test]
fn answers_and_keeps_the_connection() {
    let engine = engine();
    let mut stream = engine.connect();
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let answer = read_until(&mut stream, "\r\n\r\nhello");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\ndate: "), "{answer}");
        assert!(answer.contains("content-length: 5\r\n"), "{answer}");
        assert!(!answer.contains("connection:"), "{answer}");
    }
    assert_eq!(engine.last_record().close, None);
}

#[test]
fn heads_have_one_deadline_however_they_trickle() {
    let engine = engine();
    let mut stream = engine.connect();
    let since = Instant::now();
    let mut trickle = stream.try_clone().unwrap();
    let feeder = std::thread::spawn(move || {
        for byte in b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaa" {
            if trickle.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    let answer = read_until(&mut stream, "in time");
    assert_eq!(status(&answer), 408);
    assert!((300..1500).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    drop(stream);
    feeder.join().unwrap();
    assert_eq!(engine.last_record().close, Some(CloseReason::HeadTimeout));
}

#[test]
fn idle_connections_close_without_a_word() {
    let engine = engine();
    for opening in [&b""[..], b"\r\n", b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut stream = engine.connect();
        stream.write_all(opening).unwrap();
        let since = Instant::now();
        let all = rest(&mut stream);
        assert!(all.is_empty() || all.ends_with("hello"), "{all}");
        assert!((500..3000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    }
}

#[test]
fn bodies_have_a_deadline() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab").unwrap();
    let answer = rest(&mut stream);
    assert_eq!(status(&answer), 408);
    assert_eq!(engine.last_record().close, Some(CloseReason::BodyTimeout));
}

#[test]
fn whoever_does_not_read_is_dropped() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(engine.last_record().close, Some(CloseReason::WriteTimeout));
}

#[test]
fn the_caps_hold_and_proxies_are_exempt_from_their_own() {
    let engine = engine_with(|o| o.max_per_address = 2);
    let _held = [engine.connect(), engine.connect()];
    std::thread::sleep(Duration::from_millis(100));
    let answer = rest(&mut engine.connect());
    assert_eq!(status(&answer), 503);
    assert_eq!(engine.last_record().close, Some(CloseReason::TooMany));
    let loopback = crate::http::server::Network { address: [127, 0, 0, 0].into(), prefix: 8 };
    let behind = engine_with(|o| {
        o.max_per_address = 2;
        o.max_connections = 5;
        o.trusted_proxies = vec![loopback];
    });
    let mut held: Vec<_> = (0..5).map(|_| behind.connect()).collect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(status(&rest(&mut behind.connect())), 503, "the cap overall");
    held[4].write_all(b"GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n").unwrap();
    read_until(&mut held[4], "192.0.2.7 true");
    drop(held);
    std::thread::sleep(Duration::from_millis(100));
    let answer = behind.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status(&answer), 200, "places come back");
}

#[test]
fn whoever_never_waits_takes_turns_with_others() {
    let engine = engine();
    let get = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let requests = get.repeat(500);
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // More than there are workers, each always with more to ask and reading all it gets.
        for _ in 0..2 * std::thread::available_parallelism().unwrap().get() {
            let mut asking = engine.connect();
            let mut reading = asking.try_clone().unwrap();
            scope.spawn(move || io::copy(&mut reading, &mut io::sink()));
            let (over, requests) = (&over, &requests);
            scope.spawn(move || {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    asking.write_all(requests).unwrap();
                }
                asking.shutdown(Shutdown::Both).unwrap();
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let since = Instant::now();
        for _ in 0..10 {
            assert_eq!(status(&engine.ask(get)), 200);
        }
        let took = since.elapsed();
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(took < Duration::from_secs(2), "{took:?}");
    });
}

#[test]
fn shutdown_finishes_what_runs_and_ends_what_idles() {
    let engine = engine_with(|o| o.deadlines.idle = Duration::from_secs(60));
    let mut idle = engine.connect();
    let mut kept = engine.connect();
    kept.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    read_until(&mut kept, "hello");
    let mut running = engine.connect();
    running.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let address = engine.server.local_addr();
    let since = Instant::now();
    engine.server.shutdown(Duration::from_secs(20));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    let answer = rest(&mut running);
    assert!(answer.contains("connection: close") && answer.ends_with("slow"), "{answer}");
    assert_eq!((rest(&mut idle).as_str(), rest(&mut kept).as_str()), ("", ""));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn shutdown_cuts_off_what_outstays_its_grace() {
    let engine = engine_with(|o| o.deadlines.write = Duration::from_secs(60));
    let mut stuck = engine.connect();
    stuck.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let since = Instant::now();
    engine.server.shutdown(Duration::from_millis(200));
    assert!(since.elapsed() < Duration::from_secs(2));
    assert_eq!(engine.last_record().close, Some(CloseReason::Broken));
}

#[test]
fn a_second_server_on_the_port_is_an_error() {
    let engine = engine();
    let again =
        Server::start(engine.server.local_addr(), Options::default(), engine.service.clone());
    assert_eq!(again.err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
}

#[test]
fn many_come_and_go_and_leave_nothing_behind() {
    let engine = engine_with(|o| {
        o.deadlines.head = Duration::from_millis(20);
        o.deadlines.idle = Duration::from_millis(20);
    });
    std::thread::scope(|scope| {
        for seed in 0..8u64 {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..60 {
                    let mut stream = engine.connect();
                    let get = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
                    match (seed + round) % 6 {
                        0 => {}
                        1 => stream.write_all(&get[..9]).unwrap(),
                        2 => drop(rest(&mut stream)),
                        3 => {
                            stream.write_all(&get[..9]).unwrap();
                            assert_eq!(status(&read_until(&mut stream, "in time")), 408);
                        }
                        _ => {
                            // May lose against the idle deadline; then nothing comes.
                            let _ = stream.write_all(get);
                            let answer = rest(&mut stream);
                            assert!(answer.is_empty() || answer.ends_with("hello"), "{answer}");
                        }
                    }
                }
            });
        }
    });
    let until = Instant::now() + Duration::from_secs(5);
    while engine.server.connections() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(engine.server.connections(), 0);
}
