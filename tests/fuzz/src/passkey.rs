//! The pieces of a passkey's answer, which the room keeps to itself.
pub use crate::webauthn::Policy;

#[path = "../../../src/webauthn/attestation.rs"]
pub mod attestation;
#[path = "../../../src/webauthn/authenticator_data.rs"]
pub mod authenticator_data;
#[path = "../../../src/webauthn/cbor.rs"]
pub mod cbor;
#[path = "../../../src/webauthn/client_data.rs"]
pub mod client_data;
#[path = "../../../src/webauthn/cose.rs"]
pub mod cose;
