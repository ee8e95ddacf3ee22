//! The typed calls themselves: what answers mean, what goes out, what never shows.
use crate::http::client::{self, Client, Origin};
use crate::http::stack;
use crate::live::testing::*;
use crate::posta::{PostaError, Server};

const SECRET: &str = "mst_do-not-show";

fn server(fake: &Fake) -> Server {
    stack::prepare();
    let options =
        client::Options { allow_private: true, agent: "test".into(), ..Default::default() };
    let origin = Origin { tls: false, host: "127.0.0.1".into(), port: fake.port() };
    Server::new(Client::new(options), origin, zeroize::Zeroizing::new(SECRET.to_owned()))
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// What `identity()` makes of an answer.
fn reads(fake: &Fake, text: &str) -> Result<String, PostaError> {
    fake.script().answers.push_back(text.to_owned());
    let server = server(fake);
    on_coroutine(move || server.identity()).map(|me| me.url.display().to_owned())
}

#[test]
fn answers_mean_what_they_say() {
    let fake = Fake::start();
    assert_eq!(
        reads(&fake, &answer(200, r#"{"url":"https://me.example"}"#)),
        Ok("me.example".into())
    );
    let error = r#"{"error":"forbidden","message":"not\nyou"}"#;
    let refused = |status, code: &str, message: &str| {
        Err(PostaError::Refused { status, code: code.into(), message: message.into() })
    };
    assert_eq!(reads(&fake, &answer(403, error)), refused(403, "forbidden", "not you"));
    assert_eq!(reads(&fake, &answer(500, "<html>")), refused(500, "", ""));
    assert!(matches!(reads(&fake, &answer(302, "")), Err(PostaError::NotUnderstood(_))));
    assert_eq!(reads(&fake, &answer(401, error)), Err(PostaError::TokenRefused));
    let long = format!(r#"{{"error":"{}","message":"{0}"}}"#, "x".repeat(5_000));
    assert_eq!(reads(&fake, &answer(418, &long)), refused(418, &"x".repeat(64), &"x".repeat(300)));
    for status in [502, 503, 504] {
        assert!(matches!(reads(&fake, &answer(status, error)), Err(PostaError::Unreachable(_))));
    }
    assert!(matches!(
        reads(&fake, "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{"),
        Err(PostaError::Unreachable(_))
    ));
}

#[test]
fn what_makes_no_sense_is_not_understood() {
    let fake = Fake::start();
    let deep = "[".repeat(100_000);
    let large = format!(r#"{{"url":"me.example","bio":"{}"}}"#, "x".repeat(70_000));
    for body in ["", "<html>", "[]", r#"{"name":"me"}"#, &deep, &large] {
        let read = reads(&fake, &answer(200, body));
        assert!(matches!(read, Err(PostaError::NotUnderstood(_))), "{read:?}");
    }
    let read = reads(&fake, "SMTP ready\r\n\r\n");
    assert!(matches!(read, Err(PostaError::NotUnderstood(_))), "{read:?}");
}

#[test]
fn a_large_answer_is_read_away_from_the_coroutine_s_stack() {
    let fake = Fake::start();
    fake.contact("bob", 1..=200, 0);
    let server = server(&fake);
    let messages = on_coroutine(move || server.messages(&peer("bob"), None, 9_999)).unwrap();
    assert_eq!((messages.len(), messages[0].row_id), (200, 200));
    assert_eq!(fake.asked("GET /api/v1/messages?peer=bob.example&limit=200"), 1);
}

#[test]
fn a_post_whose_connection_was_closed_is_made_again() {
    let fake = Fake::start();
    fake.script().answers.push_back(String::new());
    let calling = server(&fake);
    assert_eq!(on_coroutine(move || calling.mark_read(&peer("bob"), 7)), Ok(()));
    let body = r#"POST /api/v1/contacts/read {"rowId":7,"url":"bob.example"}"#;
    assert_eq!(fake.asked(body), 2);
}

#[test]
fn a_receipt_that_says_nothing_is_a_receipt() {
    let fake = Fake::start();
    let server = server(&fake);
    for body in ["", "ok", "[]", r#"{"rowId":"x"}"#] {
        fake.script().answers.push_back(answer(202, body));
        let server = server.clone();
        let sent = on_coroutine(move || server.send_text(&peer("bob"), "hi", "key")).unwrap();
        assert_eq!((sent.row_id, sent.state), (None, None));
    }
    // A page of somebody's is none.
    for body in ["<html>", "", "[]", r#"{"rowId":"#] {
        fake.script().answers.push_back(answer(200, body));
        let server = server.clone();
        let sent = on_coroutine(move || server.send_text(&peer("bob"), "hi", "key"));
        assert!(matches!(sent, Err(PostaError::NotUnderstood(_))), "{body}: {sent:?}");
    }
}

#[test]
fn event_streams_are_told_from_other_answers() {
    let fake = Fake::start();
    let server = server(&fake);
    let opens = |last: &'static str| {
        let server = server.clone();
        on_coroutine(move || server.events(Some(last)).map(drop))
    };
    assert_eq!(opens("41"), Ok(()));
    assert_eq!(fake.streams(), ["41"]);
    fake.script().answers.push_back(answer(200, "<html>"));
    assert!(matches!(opens("1"), Err(PostaError::NotUnderstood(_))));
    fake.script().refuse = Some(401);
    assert_eq!(opens("1"), Err(PostaError::TokenRefused));
}

#[test]
fn the_token_shows_nowhere() {
    let fake = Fake::start();
    let server = server(&fake);
    assert!(!format!("{server:?}").contains(SECRET));
    fake.go_away();
    let error = on_coroutine(move || server.identity()).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(SECRET));
}
