//! Answers that need no session and no state.
use super::app::{App, Refused};
use super::assets;
use super::failure::{Answer, Failure};
use super::routes::Params;
use crate::http::{Request, Response};
use std::sync::PoisonError;

/// `GET /healthz`: the process accepts and answers. This host alone is told which one it is, and
/// whether others failed to take its place.
pub fn health(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let answer = Response::new(200).bytes("text/plain; charset=utf-8", &b"ok\n"[..]);
    if !request.client_ip.is_loopback() {
        return Ok(answer);
    }
    let answer = answer
        .with("chat-posta-version", env!("CHAT_POSTA_VERSION"))
        .with("chat-posta-process", std::process::id().to_string());
    Ok(match app.refused.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        Some(Refused { count, why }) => answer.with("chat-posta-refused", format!("{count} {why}")),
        None => answer,
    })
}

/// `GET /static/<hash>/<name>`.
pub fn asset(_: &App, request: &mut Request<'_>, params: &Params<'_>) -> Answer {
    assets::serve(params.raw(0), params.raw(1), request).ok_or(Failure::NotFound)
}

/// `GET /favicon.ico`: browsers ask by themselves on answers that are not pages.
pub fn favicon(_: &App, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let url = assets::url("icon.svg");
    if url.is_empty() {
        Err(Failure::NotFound)
    } else {
        Ok(Response::new(302).with("location", url))
    }
}

/// `GET /robots.txt`: nothing here is for search engines.
pub fn robots(_: &App, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    Ok(Response::new(200).bytes("text/plain; charset=utf-8", &b"User-agent: *\nDisallow: /\n"[..]))
}
