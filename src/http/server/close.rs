//! Why a connection is not used again. Logs and metrics share these reasons.
use super::head_error::HeadError;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The request said `Connection: close`.
    ClientAsked,
    /// An HTTP/1.0 client did not ask to stay.
    Http10,
    /// The client closed its side between requests.
    ClientDone,
    /// No request came within the idle deadline.
    Idle,
    /// The head broke a rule; what follows it cannot be trusted to be a request.
    BadHead(HeadError),
    HeadTimeout,
    BodyTimeout,
    /// The body's framing broke, so nobody knows where the next request starts.
    BadBody,
    /// More of the body was left than is worth reading.
    BodyUnread,
    /// The final answer came before `100 Continue`: the body may come or not.
    ContinueUnsent,
    /// The answer has no length; its end is the connection's.
    UntilClose,
    /// The handler's answer said `connection: close`.
    HandlerAsked,
    /// The answer's body failed after its head had gone out; only closing says so.
    Aborted,
    /// The client did not read its answer.
    WriteTimeout,
    /// The socket failed, or the client went away in the middle.
    Broken,
    /// The socket now belongs to someone else and is no longer a connection of ours.
    Parked,
    /// The same, with a process that takes the place of this one.
    HandedOver,
    /// The cap on connections, overall or per address.
    TooMany,
    ShuttingDown,
}

impl CloseReason {
    /// A word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            CloseReason::ClientAsked => "client-asked",
            CloseReason::Http10 => "http10",
            CloseReason::ClientDone => "client-done",
            CloseReason::Idle => "idle",
            CloseReason::BadHead(_) => "bad-head",
            CloseReason::HeadTimeout => "head-timeout",
            CloseReason::BodyTimeout => "body-timeout",
            CloseReason::BadBody => "bad-body",
            CloseReason::BodyUnread => "body-unread",
            CloseReason::ContinueUnsent => "continue-unsent",
            CloseReason::UntilClose => "until-close",
            CloseReason::HandlerAsked => "handler-asked",
            CloseReason::Aborted => "aborted",
            CloseReason::WriteTimeout => "write-timeout",
            CloseReason::Broken => "broken",
            CloseReason::Parked => "parked",
            CloseReason::HandedOver => "handed-over",
            CloseReason::TooMany => "too-many",
            CloseReason::ShuttingDown => "shutting-down",
        }
    }

    /// The section that says so; empty where it is our own policy.
    pub fn section(self) -> &'static str {
        match self {
            CloseReason::ClientAsked | CloseReason::HandlerAsked | CloseReason::ShuttingDown => {
                "RFC 9112 §9.6"
            }
            CloseReason::Http10 | CloseReason::BodyUnread => "RFC 9112 §9.3",
            CloseReason::ClientDone | CloseReason::Idle | CloseReason::WriteTimeout => {
                "RFC 9112 §9.5"
            }
            CloseReason::BadHead(e) => e.section(),
            CloseReason::HeadTimeout | CloseReason::BodyTimeout => "RFC 9110 §15.5.9",
            CloseReason::BadBody => "RFC 9112 §7.1",
            CloseReason::ContinueUnsent => "RFC 9110 §10.1.1",
            CloseReason::UntilClose => "RFC 9112 §6.3",
            CloseReason::Aborted => "RFC 9112 §8",
            CloseReason::Broken
            | CloseReason::Parked
            | CloseReason::HandedOver
            | CloseReason::TooMany => "",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())?;
        if let CloseReason::BadHead(e) = self {
            write!(f, ": {e}")?;
        }
        match self.section() {
            "" => Ok(()),
            section => write!(f, " ({section})"),
        }
    }
}
