//! `/settings`: what a person may see and change of their account here. One file a section; what
//! they show is drawn by the file of the same name below `html/settings`.
pub mod add;
pub mod delete;
pub mod pair;
pub mod profile;
pub mod remove;
pub mod sign_ins;
pub mod touch;

use super::app::{App, is_htmx};
use super::failure::{Answer, Failure};
use super::html::settings::Parts;
use super::routes::Params;
use super::{headers, page};
use crate::http::{Request, Response};
use crate::session::Session;
use std::sync::Arc;

/// `GET /settings`: the whole page on a direct visit, the inside of `#main` for htmx.
pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let user = app.store.user_find(session.user)?.ok_or(Failure::SignedOut)?;
    let passkeys = app.store.passkey_list(session.user)?;
    let sign_ins: Vec<_> = app.sessions.of_user(session.user).iter().map(|s| s.sign_in()).collect();
    let inbox = app.account(session).inbox();
    let parts = Parts {
        address: &user.identity_url,
        me: inbox.me.as_ref(),
        now: page::moment(app.clock.now_ms()),
        server: &user.server_url,
        health: &inbox.health,
        passkeys: &passkeys,
        sign_ins: &sign_ins,
        this: &session.id,
    };
    let settings = page::settings(app, session, &inbox, &parts, is_htmx(request));
    Ok(settings.with("permissions-policy", headers::WITH_CAMERA))
}

/// Where a form leads when no script sent it.
fn back() -> Response {
    Response::new(303).with("location", "/settings")
}
