//! A participant's URL, canonical inside, display form outside.
use std::fmt;

/// Canonical: `https://host[:port]/path`, lower-case host, no default port, user info or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerUrl(String);

#[derive(Debug, PartialEq, Eq)]
pub struct InvalidUrl;

impl PeerUrl {
    /// Reads either form; idempotent.
    pub fn parse(text: &str) -> Result<PeerUrl, InvalidUrl> {
        let _ = text;
        todo!()
    }

    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// Without the scheme, and without the slash of an empty path: `example.org/users/bob`.
    pub fn display(&self) -> &str {
        todo!()
    }

    /// The page of this peer's thread: `/c/` and the percent-encoded display form.
    pub fn page(&self) -> String {
        todo!()
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display())
    }
}
