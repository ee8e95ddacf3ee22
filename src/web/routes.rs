//! THE table: everything a browser may ask, who may ask it, and whether asking keeps one signed in.
use super::app::App;
use super::failure::Answer;
use super::{
    address, conversation, events, home, install, login, logout, media, messages, new, read,
    register, retry, send,
};
use super::{search, settings, sidebar, statics, thread};
use crate::http::{Method, Request};
use crate::session::Session;
use std::sync::Arc;

/// What a pattern's `{}` segments held, still percent-encoded.
pub struct Params<'a>(Vec<&'a str>);

impl Params<'_> {
    pub fn raw(&self, index: usize) -> &str {
        self.0.get(index).copied().unwrap_or("")
    }
}

type Public = fn(&App, &mut Request<'_>, &Params<'_>) -> Answer;
type Signed = fn(&App, &Arc<Session>, &mut Request<'_>, &Params<'_>) -> Answer;

#[derive(Clone, Copy)]
pub enum Handler {
    /// Anyone.
    Public(Public),
    /// Signed in; the request is something a person does, so it starts the idle time anew.
    Active(Signed),
    /// Signed in; a page does it by itself, also in a hidden tab.
    Passive(Signed),
}

pub struct Route {
    pub method: Method,
    /// `{}` stands for one segment, a trailing `{*}` for the rest.
    pub pattern: &'static str,
    pub handler: Handler,
}

const fn route(method: Method, pattern: &'static str, handler: Handler) -> Route {
    Route { method, pattern, handler }
}

use Handler::{Active, Passive, Public as Anyone};
use Method::{Get, Post};

pub static ROUTES: &[Route] = &[
    route(Get, "/healthz", Anyone(statics::health)),
    route(Get, "/static/{}/{*}", Anyone(statics::asset)),
    route(Get, "/favicon.ico", Anyone(statics::favicon)),
    route(Get, "/robots.txt", Anyone(statics::robots)),
    route(Get, "/icon/{}", Anyone(install::icon)),
    route(Get, "/manifest.webmanifest", Anyone(install::manifest)),
    route(Get, "/sw.js", Anyone(install::worker)),
    route(Get, "/offline", Anyone(install::offline)),
    route(Get, "/register", Anyone(register::start)),
    route(Post, "/register", Anyone(register::connect)),
    route(Post, "/register/passkey", Anyone(register::passkey)),
    route(Get, "/login", Anyone(login::page)),
    route(Post, "/login/options", Anyone(login::options)),
    route(Post, "/login", Anyone(login::finish)),
    route(Post, "/logout", Anyone(logout::all_tabs)),
    route(Get, "/", Active(home::page)),
    route(Get, "/sidebar", Passive(sidebar::fragment)),
    route(Get, "/search", Active(search::page)),
    route(Get, "/new", Active(new::page)),
    route(Get, "/new/preview", Active(new::preview)),
    route(Get, "/c/{}", Active(thread::page)),
    route(Get, "/c/{}/messages", Passive(messages::fragment)),
    route(Post, "/c/{}/messages", Active(send::text)),
    route(Post, "/c/{}/images", Active(send::picture)),
    route(Post, "/c/{}/read", Active(read::mark)),
    route(Post, "/c/{}/leave", Active(conversation::leave)),
    route(Post, "/c/{}/remove", Active(conversation::remove)),
    // After all others below `/c/`: an address typed with its slashes.
    route(Get, "/c/{*}", Active(thread::plain)),
    route(Post, "/messages/{}/retry", Active(retry::again)),
    route(Get, "/settings", Active(settings::page)),
    route(Post, "/settings/step", Active(settings::touch::step)),
    route(Post, "/settings/passkeys/add", Active(settings::add::begin)),
    route(Post, "/settings/passkeys/rename", Active(settings::remove::rename)),
    route(Post, "/settings/passkeys/remove", Active(settings::remove::begin)),
    route(Post, "/settings/name", Active(settings::profile::rename)),
    route(Post, "/settings/picture", Active(settings::profile::portray)),
    route(Post, "/settings/picture/remove", Active(settings::profile::unportray)),
    route(Post, "/settings/pairing", Active(settings::pair::begin)),
    route(Post, "/settings/delete", Active(settings::delete::begin)),
    route(Post, "/settings/sign-ins/end", Active(settings::sign_ins::end)),
    route(Post, "/settings/sign-ins/end-others", Active(settings::sign_ins::end_others)),
    route(Get, "/address.svg", Passive(address::code)),
    route(Get, "/media/{}", Passive(media::fetch)),
    route(Get, "/events", Passive(events::stream)),
    route(Post, "/events/view", Passive(events::view)),
];

pub enum Found<'p> {
    Route(&'static Route, Params<'p>),
    /// The path is known, the method is not: the value of `Allow` (RFC 9110 §15.5.6).
    WrongMethod(String),
    Nothing,
}

/// Finds the route; `HEAD` is answered as `GET`.
pub fn find(method: Method, path: &str) -> Found<'_> {
    let wanted = if method == Method::Head { Method::Get } else { method };
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(params) = matches(route.pattern, path) else { continue };
        if route.method == wanted {
            return Found::Route(route, params);
        }
        allowed.push(route.method.as_str());
        if route.method == Method::Get {
            allowed.push("HEAD");
        }
    }
    if allowed.is_empty() { Found::Nothing } else { Found::WrongMethod(allowed.join(", ")) }
}

fn matches<'p>(pattern: &str, path: &'p str) -> Option<Params<'p>> {
    let mut captured = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut segments = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(expected) = segments.next() {
        if expected == "{*}" {
            captured.push(rest);
            return (!rest.is_empty()).then_some(Params(captured));
        }
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        match expected {
            "{}" if !segment.is_empty() => captured.push(segment),
            _ if expected == segment => {}
            _ => return None,
        }
        match (after, segments.peek()) {
            (Some(after), Some(_)) => rest = after,
            (None, None) => return Some(Params(captured)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(method: Method, path: &str) -> String {
        match find(method, path) {
            Found::Route(route, params) => format!("{} {:?}", route.pattern, params.0),
            Found::WrongMethod(allow) => format!("405 {allow}"),
            Found::Nothing => "404".to_owned(),
        }
    }

    #[test]
    fn paths_lead_where_the_table_says() {
        for (method, path, expected) in [
            (Get, "/", "/ []"),
            (Method::Head, "/", "/ []"),
            (Get, "/c/alice.example", "/c/{} [\"alice.example\"]"),
            (Get, "/c/a%2Fb", "/c/{} [\"a%2Fb\"]"),
            (Get, "/c/", "404"),
            (Get, "/c", "404"),
            (Get, "/c/a/b", "/c/{*} [\"a/b\"]"),
            (Get, "/c/https://a.example/b", "/c/{*} [\"https://a.example/b\"]"),
            (Get, "/c/a/messages", "/c/{}/messages [\"a\"]"),
            (Get, "/static/0/fonts/x.woff2", "/static/{}/{*} [\"0\", \"fonts/x.woff2\"]"),
            (Get, "/static/0/", "404"),
            (Post, "/healthz", "405 GET, HEAD"),
            (Method::Delete, "/login", "405 GET, HEAD, POST"),
            (Get, "//", "404"),
            (Get, "/nothing", "404"),
        ] {
            assert_eq!(seen(method, path), expected, "{} {path}", method.as_str());
        }
    }

    #[test]
    fn only_sign_in_sign_up_assets_and_health_are_public() {
        for route in ROUTES {
            let public = matches!(route.handler, Handler::Public(_));
            let expected = ["/login", "/register", "/static/", "/healthz", "/logout", "/icon/"]
                .iter()
                .any(|prefix| route.pattern.starts_with(prefix))
                || matches!(
                    route.pattern,
                    "/favicon.ico"
                        | "/robots.txt"
                        | "/manifest.webmanifest"
                        | "/sw.js"
                        | "/offline"
                );
            assert_eq!(public, expected, "{}", route.pattern);
        }
    }
}
