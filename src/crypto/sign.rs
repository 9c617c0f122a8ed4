//! Signatures of receipts: whoever has one can show years later that it is ours.
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// An Ed25519 key, made of a wrapped key's secret (RFC 8032).
pub(super) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Of a secret of 32 bytes.
    #[expect(clippy::expect_used, reason = "any 32 bytes are a seed")]
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(secret);
        // cannot fail: any 32 bytes are an Ed25519 seed; nothing but another length is refused.
        Self(pair.expect("32 bytes are a seed"))
    }

    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.0.sign(text).as_ref().to_vec()
    }

    pub(super) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

/// Whether a signature is that of a public key.
#[must_use]
pub fn is_signed_by(public: &[u8], text: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(text, signature)
        .is_ok()
}
