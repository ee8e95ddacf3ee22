//! What TLS to upstreams is made of: ring, as far as a client needs it, and the P-256 of our own
//! passkeys.
//!
//! Ring brings a second implementation of P-256 with tables of 150 kB, ChaCha20 in five variants, and
//! all that servers sign with; rustls' own list of them keeps everything in the program. A client
//! signs nothing, and every server must speak AES-GCM (RFC 8446 §9.1), so this list has neither.
//! Curves: X25519 first; P-256 for servers that know nothing else. Constant time is the curve crate's.
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use rustls::crypto::ring::cipher_suite as suite;
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, SharedSecret,
    SupportedKxGroup, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, alg_id,
};
use rustls::sign::SigningKey;
use rustls::{Error, NamedGroup, PeerMisbehaved, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use webpki::ring as checked;

pub fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![X25519, &P256],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &NoKeys,
    }
}

/// As rustls has them for ring, in its order.
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        P256_SHA256,
        P256_SHA384,
        checked::ECDSA_P384_SHA256,
        checked::ECDSA_P384_SHA384,
        checked::ED25519,
        checked::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        checked::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        checked::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        checked::RSA_PKCS1_2048_8192_SHA256,
        checked::RSA_PKCS1_2048_8192_SHA384,
        checked::RSA_PKCS1_2048_8192_SHA512,
        checked::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        checked::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        checked::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        // TLS 1.2 leaves the curve open, TLS 1.3 takes the first.
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[checked::ECDSA_P384_SHA384, P256_SHA384]),
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[P256_SHA256, checked::ECDSA_P384_SHA256]),
        (SignatureScheme::ED25519, &[checked::ED25519]),
        (SignatureScheme::RSA_PSS_SHA512, &[checked::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[checked::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA256, &[checked::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[checked::RSA_PKCS1_2048_8192_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[checked::RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[checked::RSA_PKCS1_2048_8192_SHA256]),
    ],
};

static P256_SHA256: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { hashed_by: alg_id::ECDSA_SHA256, hash: |message| Sha256::digest(message).to_vec() };
static P256_SHA384: &dyn SignatureVerificationAlgorithm =
    &Ecdsa { hashed_by: alg_id::ECDSA_SHA384, hash: sha384 };

/// Ring's, which the suites above use anyway.
fn sha384(message: &[u8]) -> Vec<u8> {
    let suite = suite::TLS13_AES_256_GCM_SHA384.tls13();
    suite.map_or_else(Vec::new, |suite| suite.common.hash_provider.hash(message).as_ref().to_vec())
}

/// ECDSA on P-256 with a hash (FIPS 186-5 §6.4.2); of a longer one its leftmost 256 bits count.
#[derive(Debug)]
struct Ecdsa {
    hashed_by: AlgorithmIdentifier,
    hash: fn(&[u8]) -> Vec<u8>,
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let verify = || {
            let key = VerifyingKey::from_sec1_bytes(public_key)?;
            key.verify_prehash(&(self.hash)(message), &Signature::from_der(signature)?)
        };
        verify().map_err(|_: p256::ecdsa::Error| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.hashed_by
    }
}

/// ECDHE on P-256 (RFC 8446 §4.2.8.2, RFC 8422 §5.10).
#[derive(Debug)]
struct P256;

/// Bytes of an uncompressed point, the only form TLS has.
const POINT: usize = 65;

impl SupportedKxGroup for P256 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut scalar = zeroize::Zeroizing::new([0; 32]);
        let secret = loop {
            System.fill(&mut *scalar)?;
            // All but one in 2^32 are below the curve's order.
            if let Ok(secret) = SecretKey::from_slice(&*scalar) {
                break secret;
            }
        };
        let public = secret.public_key().to_sec1_point(false).as_bytes().to_vec();
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}

struct Exchange {
    secret: SecretKey,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let bad = || Error::from(PeerMisbehaved::InvalidKeyShare);
        if peer.len() != POINT {
            return Err(bad());
        }
        // Refuses points that are not on the curve.
        let peer = PublicKey::from_sec1_bytes(peer).map_err(|_| bad())?;
        let own = self.secret.to_nonzero_scalar();
        let shared = p256::ecdh::diffie_hellman(own, peer.as_affine());
        Ok(SharedSecret::from(shared.raw_secret_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp256r1
    }
}

#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// A client that shows no certificate.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no certificates are shown to upstreams".into()))
    }
}
