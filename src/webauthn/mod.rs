//! WebAuthn Level 3: verifies what an authenticator sent, and writes the options it is asked with.
//!
//! In scope: §7.1 (registration) and §7.2 (assertion), step by step, on bytes. Pure functions, no
//! clock, no I/O, no randomness: challenges come from and are remembered by the caller. Out of
//! scope: who may register, what a PRF output opens.
//!
//! Departures from the text, all towards strictness:
//! - one algorithm, ES256; others are refused by name;
//! - attestation statements are parsed, and trusted as little as `none` (§7.1 steps 22 to 24 are
//!   the relying party's choice; ours is to know an authenticator by its key alone);
//! - a signature counter that does not grow refuses the assertion (§7.2 step 22 leaves it open).
mod assertion;
mod attestation;
mod authenticator_data;
mod client_data;
mod cose;
mod json;
mod options;
mod registration;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod vectors;

pub use assertion::{Assertion, AssertionError, StoredCredential, UserKnown, verify_assertion};
pub use json::{AuthenticationResponse, RegistrationResponse};
pub use options::{User, creation_options, request_options};
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
    /// Whether a ceremony may run in a frame of another origin.
    pub allow_cross_origin: bool,
}
