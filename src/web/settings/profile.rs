//! One's own name and picture. They live on the posta-server, which may not let us change them.
use super::back;
use crate::http::Request;
use crate::posta::PostaError;
use crate::session::{Kind, Session};
use crate::web::app::App;
use crate::web::failure::{Answer, Failure};
use crate::web::form::Form;
use crate::web::picture::Incoming;
use crate::web::routes::Params;
use std::sync::Arc;

const MAX_FORM: usize = 4096;
/// Of a name, in characters.
const MAX_NAME: usize = 100;

/// `POST /settings/name`
pub fn rename(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let name = form.text("name").replace(char::is_control, " ");
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::Bad("Write the name that others shall see."));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Failure::Bad("That name is too long: at most 100 characters."));
    }
    app.limit(Kind::Send, session, request)?;
    app.account(session).rename(name).map_err(refused)?;
    Ok(back())
}

/// `POST /settings/picture`: the body is the picture.
pub fn portray(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    app.limit(Kind::Upload, session, request)?;
    let mut incoming = Incoming::look(request)?;
    app.account(session).portray(Some(incoming.picture())).map_err(refused)?;
    Ok(back())
}

/// `POST /settings/picture/remove`
pub fn unportray(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    app.limit(Kind::Send, session, request)?;
    app.account(session).portray(None).map_err(refused)?;
    Ok(back())
}

fn refused(error: PostaError) -> Failure {
    match error {
        error if error.is_not_offered() => Failure::Bad(
            "Your posta-server does not let this service change that. Change it on the server \
             itself.",
        ),
        error => error.into(),
    }
}
