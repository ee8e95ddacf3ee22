//! Why a request is not answered with what it asked for, and what the person is told: one table.
use super::html;
use crate::http::{BodyError, Response};
use crate::posta::PostaError;
use crate::session::RetryAfter;
use crate::store::StoreError;

pub type Answer = Result<Response, Failure>;

#[derive(Debug)]
pub enum Failure {
    NotFound,
    /// The value of `Allow`.
    WrongMethod(String),
    /// A request that changes something did not come from our own pages.
    ForeignOrigin,
    /// Needs a session and has none.
    SignedOut,
    /// What is wrong with the request, in words.
    Bad(&'static str),
    Body(BodyError),
    TooMany(RetryAfter),
    Posta(PostaError),
    Store(StoreError),
}

impl From<BodyError> for Failure {
    fn from(e: BodyError) -> Self {
        Failure::Body(e)
    }
}

impl From<RetryAfter> for Failure {
    fn from(wait: RetryAfter) -> Self {
        Failure::TooMany(wait)
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Failure::Store(e)
    }
}

impl From<PostaError> for Failure {
    fn from(e: PostaError) -> Self {
        Failure::Posta(e)
    }
}

impl Failure {
    pub fn status(&self) -> u16 {
        match self {
            Failure::NotFound => 404,
            Failure::WrongMethod(_) => 405,
            Failure::ForeignOrigin => 403,
            Failure::SignedOut => 401,
            Failure::Bad(_) => 400,
            Failure::Body(e) => e.status(),
            Failure::TooMany(_) => 429,
            // A refusal that passes by itself: whoever asked may ask again.
            Failure::Posta(PostaError::Refused { status: 408 | 425 | 429 | 500.., .. }) => 503,
            Failure::Posta(PostaError::Refused { .. }) => 422,
            Failure::Posta(PostaError::SourceBroke) => 400,
            Failure::Posta(_) => 502,
            Failure::Store(_) => 500,
        }
    }

    fn title(&self) -> &'static str {
        match self.status() {
            404 => "There is nothing here",
            401 => "You are signed out",
            403 => "Not from here",
            429 => "A moment, please",
            502 | 503 | 422 => "Your posta-server",
            500.. => "That did not work",
            _ => "That request did not work",
        }
    }

    /// One or two plain sentences for the person.
    pub fn sentence(&self) -> String {
        match self {
            Failure::NotFound => "This page does not exist, or not any more.".into(),
            Failure::WrongMethod(_) => "This address does not take that kind of request.".into(),
            Failure::ForeignOrigin => {
                "The request came from another site, so it was not carried out. Open chat-posta \
                 itself and try again."
                    .into()
            }
            Failure::SignedOut => "You are signed out. Sign in again to go on.".into(),
            Failure::Bad(what) => (*what).into(),
            Failure::Body(BodyError::TooLarge { limit }) if *limit < 1 << 20 => {
                format!("That is too large: at most {} kB can be sent here.", limit / 1000)
            }
            Failure::Body(BodyError::TooLarge { limit }) => {
                format!("That is too large: at most {} MiB can be sent here.", limit >> 20)
            }
            Failure::Body(BodyError::Timeout) => "It took too long to arrive. Try again.".into(),
            Failure::Body(_) | Failure::Posta(PostaError::SourceBroke) => {
                "It did not arrive whole. Try again.".into()
            }
            Failure::TooMany(wait) => {
                let time = match wait.seconds() {
                    1 => "a second".to_owned(),
                    seconds => format!("{seconds} seconds"),
                };
                format!("Too many tries. Wait {time} and try again.")
            }
            Failure::Posta(PostaError::Unreachable(_)) => {
                "Your posta-server can't be reached. Try again in a moment.".into()
            }
            Failure::Posta(PostaError::TokenRefused) => {
                "Your posta-server no longer accepts this device's token.".into()
            }
            Failure::Posta(e @ PostaError::Refused { .. }) => {
                format!("Your posta-server refused: {}", e.words())
            }
            Failure::Posta(PostaError::NotUnderstood(_)) => {
                "Your posta-server answered something that could not be understood.".into()
            }
            Failure::Store(_) => {
                "Something went wrong on this host. It is noted in its log; try again.".into()
            }
        }
    }

    /// Makes `response` the answer to this, as far as programs go.
    pub fn mark(&self, mut response: Response) -> Response {
        response.status = self.status();
        match self {
            Failure::WrongMethod(allow) => response.with("allow", allow.clone()),
            Failure::TooMany(wait) => response.with("retry-after", wait.seconds().to_string()),
            _ => response,
        }
    }

    /// The answer: a page where one navigates, a plain sentence for scripts and fragments.
    pub fn answer(&self, page: bool, request_id: u64) -> Response {
        let response = self.mark(Response::new(self.status()));
        if page {
            let html =
                html::errors::page(self.status(), self.title(), &self.sentence(), request_id);
            response.bytes("text/html; charset=utf-8", html.into_bytes())
        } else {
            response.bytes("text/plain; charset=utf-8", self.sentence().into_bytes())
        }
    }
}
