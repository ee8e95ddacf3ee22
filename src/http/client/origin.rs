//! Where a call goes.

/// `host` is lower case; an IPv6 literal keeps its brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}
