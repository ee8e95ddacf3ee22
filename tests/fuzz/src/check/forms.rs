//! Cookies, queries and form bodies: read as WHATWG has them, and written so that they read back.
use crate::http::{Fields, Method, Request, RequestBody};
use crate::web::cookie;
use crate::web::form::{Form, decode, encode};
use std::net::Ipv4Addr;
use url::form_urlencoded;

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let form = Form::parse(&text);
    let mut names: Vec<String> = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !names.iter().any(|known| *known == name) {
            assert_eq!(form.get(&name), Some(&*value), "the first of a name");
            names.push(name.into_owned());
        }
    }
    assert_eq!(form.get("\u{1}no such name"), None);
    assert_eq!(decode(&encode(&text), false), text);
    assert_eq!(decode(&encode(&text), true), text);
    let written = format!("a={}&b=x", encode(&text));
    assert_eq!(Form::parse(&written).get("a"), Some(&*text));
    cookies(&text);
}

fn with_cookies(lines: &[&str]) -> Request<'static> {
    let mut fields = Fields::default();
    lines.iter().for_each(|line| fields.push("Cookie", line));
    Request {
        id: 1,
        method: Method::Get,
        path: "/".into(),
        query: None,
        fields,
        client_ip: Ipv4Addr::LOCALHOST.into(),
        https: true,
        body: RequestBody { length: None, source: Box::new(std::io::empty()) },
    }
}

fn cookies(text: &str) {
    let lines: Vec<&str> = text.split(['\r', '\n']).collect();
    let others = with_cookies(&lines);
    for https in [false, true] {
        let name = if https { "__Host-session" } else { "session" };
        let found = cookie::read(&others, https);
        if let Some(value) = found {
            // Nothing but a pair of exactly this name is it.
            let pair = format!("{name}={value}");
            let is_pair = |line: &&str| line.split(';').any(|part| part.trim() == pair);
            assert!(lines.iter().any(is_pair), "{pair:?}");
        }
        // Ours is found among whatever else there is, unless another of its name comes first.
        let own = cookie::set("x1-_", https);
        let own = own.split(';').next().expect("a pair");
        let mut all = lines.clone();
        all.push(own);
        let all = with_cookies(&all);
        assert_eq!(cookie::read(&all, https), Some(found.unwrap_or("x1-_")));
        let apart = with_cookies(&[own]);
        assert_eq!(cookie::read(&apart, !https), None, "one is not taken for the other");
    }
}
