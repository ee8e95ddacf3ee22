//! WebAuthn Level 3: verifies what an authenticator sent, and writes the options it is asked with.
//!
//! In scope: §7.1 (registration) and §7.2 (assertion), step by step and in their order, on bytes.
//! Pure functions, no clock, no I/O, no randomness: challenges come from and are remembered by the
//! caller. Out of scope: who may register, what a PRF output opens.
//!
//! **Where we depart from the text**, stricter first:
//! - One algorithm, ES256; others are refused by name (§7.1 step 20 leaves the list to us).
//! - Client data that is not UTF-8 is refused, where *UTF-8 decode* would mend it (step 5).
//! - A signature counter that does not grow refuses the assertion (§7.2 step 22 leaves it open).
//! - The id beside the answer must be the one inside the authenticator data, and an assertion's
//!   authenticator data must hold no credential (§6.3.3): the steps presuppose both.
//! - CBOR must have definite lengths, no tags, no duplicates among the keys we read, and little
//!   nesting, as CTAP2's canonical form has it. *Laxer:* the order of keys and the shortest form of
//!   numbers, also of that form, are not enforced, since password managers in use write neither
//!   reliably, and nothing we compare or hash is encoded anew.
//! - *Laxer:* attestation statements are parsed and then trusted as little as none (§7.1 steps 22
//!   to 24 are for relying parties that restrict makers): we know an authenticator by its key alone.
mod assertion;
mod attestation;
mod authenticator_data;
mod cbor;
mod client_data;
mod cose;
mod json;
mod options;
mod registration;
#[cfg(test)]
mod tests;

pub use assertion::{StoredCredential, UserKnown, verify_assertion};
pub use json::{AuthenticationResponse, CredentialJson, RegistrationResponse};
pub use options::{User, creation_options, further_options, request_options};
pub use registration::{Credential, verify_registration};

/// What an answer must satisfy. A parameter, so that the specification's own vectors can be run
/// under every policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The relying party id: our host name.
    pub rp_id: String,
    /// The one origin whose pages may run ceremonies.
    pub origin: String,
    pub require_uv: bool,
    /// Whether a ceremony may run in a frame below pages of other origins.
    pub allow_cross_origin: bool,
    /// Where such a ceremony names the page on top: the origins it may have.
    pub top_origins: Vec<String>,
}

impl Policy {
    /// Ours: the user is verified, since the PRF output depends on it, and no page of another
    /// origin takes part.
    pub fn strict(rp_id: String, origin: String) -> Policy {
        let top_origins = Vec::new();
        Policy { rp_id, origin, require_uv: true, allow_cross_origin: false, top_origins }
    }
}
