//! `GET /search?q=<words>&peer=<peer>`: what was said, in all conversations or one.
use super::app::{App, is_htmx};
use super::failure::Answer;
use super::form::Form;
use super::html::search::{Asked, Outcome};
use super::page;
use super::routes::Params;
use crate::http::Request;
use crate::posta::{PeerUrl, PostaError};
use crate::session::Session;
use std::sync::Arc;

/// Longest search, in characters: somebody pasted a letter.
const MAX_WORDS: usize = 200;

pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let typed = query.text("q");
    let words = typed.replace(char::is_control, " ");
    let words = words.trim();
    let peer = PeerUrl::parse(query.text("peer")).ok();
    let account = app.account(session);
    let outcome = if words.is_empty() {
        Outcome::Nothing
    } else if words.chars().count() > MAX_WORDS {
        Outcome::Told("That is too long to search for. Try a few words.".into())
    } else if !words.contains(char::is_alphanumeric) {
        Outcome::Told("Type at least one word or number to search for.".into())
    } else {
        match account.search(words, peer.as_ref()) {
            Ok(found) => Outcome::Found(found),
            Err(e) => Outcome::Told(sentence(&e)),
        }
    };
    let asked = Asked { words: typed, peer: peer.as_ref(), outcome };
    Ok(page::search(app, session, &account.known(), &asked, is_htmx(request)))
}

/// What went wrong, in words for the person.
fn sentence(error: &PostaError) -> String {
    match error {
        PostaError::Unreachable(_) => "Your posta-server can't be reached, or takes too long to \
            search. Try again in a moment."
            .into(),
        PostaError::TokenRefused => {
            "Your posta-server no longer accepts this device's token, so it can't be searched."
                .into()
        }
        PostaError::Refused { status: 404 | 405 | 501, .. } => {
            "Your posta-server does not offer search.".into()
        }
        PostaError::Refused { .. } => {
            format!("Your posta-server refused to search: {}", error.words())
        }
        PostaError::NotUnderstood(_) | PostaError::SourceBroke => {
            "Your posta-server's answer could not be understood.".into()
        }
    }
}
