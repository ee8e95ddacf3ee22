//! Deleting one's account: with the last word all that is about its owner goes, and every sign-in
//! ends. What they wrote and read stays where it always was, on their posta-server.
use super::touch::{self, Touched};
use crate::http::{Request, Response};
use crate::session::{Purpose, Session};
use crate::web::app::App;
use crate::web::ceremony::Ending;
use crate::web::cookie;
use crate::web::failure::{Answer, Failure};
use crate::web::routes::Params;
use serde_json::json;
use std::sync::Arc;

/// `POST /settings/delete`
pub fn begin(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    touch::ask(app, session, request, Purpose::DeleteAccount)
}

pub fn touched(app: &App, touched: &Touched) -> Result<Response, Ending> {
    let user = &touched.passkey.user;
    app.store.user_remove(user.id).map_err(Failure::from)?;
    app.end_user(user.id);
    log::info!("user={} deleted their account", user.id.0);
    // No passkey is accepted any more: authenticators let go of them all.
    let accepted = touch::accepted(app, &user.handle, &[]);
    let more = json!({ "accepted": accepted, "location": "/login?deleted" });
    let done = touch::done("Your account was deleted.", more);
    Ok(done.with("set-cookie", cookie::clear(app.https())))
}
