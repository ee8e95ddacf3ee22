//! Ending other sign-ins of one's own. Their tabs are told at once.
use super::back;
use crate::http::Request;
use crate::session::Session;
use crate::web::app::App;
use crate::web::failure::Answer;
use crate::web::form::Form;
use crate::web::routes::Params;
use std::sync::Arc;

const MAX_FORM: usize = 1024;

/// `POST /settings/sign-ins/end`: one of them, by its `id`. One that has ended already is no error.
pub fn end(app: &App, session: &Arc<Session>, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    end_those(app, session, |other| other.id == form.text("id"));
    Ok(back())
}

/// `POST /settings/sign-ins/end-others`: all but this one.
pub fn end_others(
    app: &App,
    session: &Arc<Session>,
    _: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    end_those(app, session, |_| true);
    Ok(back())
}

/// Ends those of the user's other sessions.
fn end_those(app: &App, session: &Session, which: impl Fn(&Session) -> bool) {
    for other in app.sessions.of_user(session.user) {
        if other.key != session.key && which(&other) {
            app.end_session(&other);
            log::info!("user={} ended another sign-in", session.user.0);
        }
    }
}
