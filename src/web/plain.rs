//! What a plain form gets where the page's script would get a bare status: a page, always.
use super::app::{is_htmx, navigates};
use super::failure::Failure;
use super::form::{self, Form};
use super::{html, page, send};
use crate::http::{Method, Request, Response};

/// After a form has done its work: another page, so that a reload does not do it again
/// (RFC 9110 §15.4.4).
pub fn see_other(path: &str) -> Response {
    Response::new(303).with("location", path.to_owned())
}

/// A request that needs a session and has none. A page goes to sign-in and comes back; htmx is told
/// to go there whole, so that a sign-in page never lands inside a fragment; a script gets the bare
/// 401. What was written into a plain form is shown, since nothing else keeps it.
pub fn signed_out(request: &mut Request<'_>) -> Response {
    if is_htmx(request) {
        let here = request.fields.get("hx-current-url").and_then(path_of).unwrap_or("/");
        return Response::new(200).with("hx-redirect", login_url(here));
    }
    if !navigates(request) {
        return Failure::SignedOut.answer(false, request.id);
    }
    if request.method == Method::Post {
        let next = page_behind(&request.path).to_owned();
        let login = login_url(&next);
        return match unsent(request) {
            Some(text) => {
                let mut response = page::html(html::errors::unsent(&text, &login));
                response.status = 401;
                response
            }
            None => see_other(&login),
        };
    }
    let here = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    see_other(&login_url(&here))
}

/// The page whose form posts to `path`.
fn page_behind(path: &str) -> &str {
    let thread = ["/messages", "/read"].iter().find_map(|end| path.strip_suffix(end));
    thread.filter(|page| page.starts_with("/c/")).unwrap_or("/")
}

/// The message in the body of a send that cannot be carried out.
fn unsent(request: &mut Request<'_>) -> Option<String> {
    let is_send = request.path.starts_with("/c/") && request.path.ends_with("/messages");
    let body = is_send.then(|| request.body.collect(send::MAX_FORM).ok())??;
    let text = Form::parse(&String::from_utf8_lossy(&body)).text("text").to_owned();
    (!text.trim().is_empty()).then_some(text)
}

fn login_url(next: &str) -> String {
    if next == "/" { "/login".into() } else { format!("/login?next={}", form::encode(next)) }
}

/// Path and query of an absolute URL.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.find('/').map_or("/", |at| &rest[at..]).split('#').next().unwrap_or("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_leads_back_to_a_page_and_never_to_a_form() {
        for (path, page) in [
            ("/c/bob.example/messages", "/c/bob.example"),
            ("/c/bob.example/read", "/c/bob.example"),
            ("/messages/7/retry", "/"),
            ("/new", "/"),
            ("/messages", "/"),
        ] {
            assert_eq!(page_behind(path), page);
        }
        assert_eq!(login_url("/"), "/login");
        assert_eq!(login_url("/c/a?at=1"), "/login?next=%2Fc%2Fa%3Fat%3D1");
        assert_eq!(path_of("https://chat.example/c/a?x#y"), Some("/c/a?x"));
        assert_eq!(path_of("https://chat.example"), Some("/"));
    }
}
