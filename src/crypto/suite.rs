//! The two suites: what seals, what derives and what makes keyed hashes under each.
use super::CryptoError;
use aes_gcm::{AesGcm, KeyInit, aead::AeadInOut, aead::consts::U12};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use sm3::Sm3;
use sm4::Sm4;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a nonce under both suites.
pub(super) const NONCE: usize = 12;
/// Bytes of a tag under both suites.
pub(super) const TAG: usize = 16;
/// Says what the derived keys are for.
const SALT: &[u8] = b"tuantibu cell";

/// Which algorithms a key is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Suite {
    /// AES-256-GCM, HMAC-SHA-256, HKDF-SHA-256.
    #[default]
    Aes,
    /// SM4-GCM, HMAC-SM3, HKDF-SM3 (GB/T 32907, GB/T 32905).
    Sm,
}

impl Suite {
    /// As the database and each cell number it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Aes => 1,
            Self::Sm => 2,
        }
    }

    /// The suite of a number.
    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        [Self::Aes, Self::Sm]
            .into_iter()
            .find(|suite| i64::from(suite.number()) == number)
    }

    /// As the configuration and the key file write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes => "aes",
            Self::Sm => "sm",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

type Sm4Gcm = AesGcm<Sm4, U12>;
type HmacSm3 = ::hmac::Hmac<Sm3>;

/// A key that seals.
pub(super) enum SealingKey {
    Aes(LessSafeKey),
    Sm(Box<Sm4Gcm>),
}

impl SealingKey {
    /// From 32 bytes, of which SM4 takes the first 16.
    #[expect(clippy::expect_used, reason = "lengths that are fixed here")]
    pub(super) fn new(suite: Suite, bytes: &[u8; 32]) -> Self {
        match suite {
            Suite::Aes => {
                // cannot fail: the key has AES-256's length.
                let key = UnboundKey::new(&AES_256_GCM, bytes).expect("key length");
                Self::Aes(LessSafeKey::new(key))
            }
            Suite::Sm => {
                // cannot fail: the key has SM4's length.
                let key = Sm4Gcm::new_from_slice(&bytes[..16]).expect("key length");
                Self::Sm(Box::new(key))
            }
        }
    }

    pub(super) fn suite(&self) -> Suite {
        match self {
            Self::Aes(_) => Suite::Aes,
            Self::Sm(_) => Suite::Sm,
        }
    }

    /// Encrypts in place; the tag.
    #[expect(clippy::expect_used, reason = "lengths far below the bound")]
    pub(super) fn seal(&self, nonce: [u8; NONCE], bound: &[u8], text: &mut [u8]) -> [u8; TAG] {
        let mut out = [0; TAG];
        match self {
            Self::Aes(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                // cannot fail: the plain text is far below the algorithm's bound.
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(bound), text)
                    .expect("sealing");
                out.copy_from_slice(tag.as_ref());
            }
            Self::Sm(key) => {
                // cannot fail: the plain text is far below the algorithm's bound.
                let tag = key
                    .encrypt_inout_detached(&nonce.into(), bound, text.into())
                    .expect("sealing");
                out.copy_from_slice(&tag);
            }
        }
        out
    }

    /// Decrypts ciphertext and tag.
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE],
        bound: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let fail = CryptoError::DoesNotOpen;
        let end = sealed.len().checked_sub(TAG).ok_or(fail.clone())?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        match self {
            Self::Aes(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(bound), &mut plain)
                    .map_err(|_| fail)?;
            }
            Self::Sm(key) => {
                let mut tag = [0; TAG];
                tag.copy_from_slice(&plain[end..]);
                let text = &mut plain[..end];
                key.decrypt_inout_detached(&nonce.into(), bound, text.into(), &tag.into())
                    .map_err(|_| fail)?;
            }
        }
        plain.truncate(end);
        Ok(plain)
    }
}

/// What keys of cells are derived from.
pub(super) enum Derivation {
    Aes(hkdf::Prk),
    Sm(hkdf_sm3::Prk),
}

impl Derivation {
    pub(super) fn new(suite: Suite, secret: &[u8; 32]) -> Self {
        match suite {
            Suite::Aes => Self::Aes(hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(secret)),
            Suite::Sm => Self::Sm(hkdf_sm3::Prk::extract(SALT, secret)),
        }
    }

    /// The key for what `info` names.
    #[expect(clippy::expect_used, reason = "lengths that are fixed here")]
    pub(super) fn key(&self, info: &[&[u8]]) -> SealingKey {
        let mut bytes = Zeroizing::new([0; 32]);
        match self {
            Self::Aes(secret) => {
                // cannot fail: 32 bytes are within HKDF's bound.
                secret
                    .expand(info, KeyLength)
                    .and_then(|okm| okm.fill(&mut *bytes))
                    .expect("HKDF output");
                SealingKey::new(Suite::Aes, &bytes)
            }
            Self::Sm(secret) => {
                secret.expand(info, &mut bytes);
                SealingKey::new(Suite::Sm, &bytes)
            }
        }
    }
}

struct KeyLength;
impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

/// HKDF (RFC 5869) over SM3.
pub(super) mod hkdf_sm3 {
    use super::Sm3;
    use zeroize::Zeroizing;

    /// Kept as bytes, which are zeroed when it goes.
    pub(in crate::crypto) struct Prk(Zeroizing<[u8; 32]>);

    impl Prk {
        pub(in crate::crypto) fn extract(salt: &[u8], secret: &[u8]) -> Self {
            let (prk, _) = hkdf::Hkdf::<Sm3>::extract(Some(salt), secret);
            let mut bytes = Zeroizing::new([0; 32]);
            bytes.copy_from_slice(&prk);
            Self(bytes)
        }

        #[expect(clippy::expect_used, reason = "lengths that are fixed here")]
        pub(in crate::crypto) fn expand(&self, info: &[&[u8]], out: &mut [u8; 32]) {
            // cannot fail: the bytes are as long as SM3's output.
            let hkdf = hkdf::Hkdf::<Sm3>::from_prk(&*self.0).expect("SM3's length");
            // cannot fail: 32 bytes are within HKDF's bound.
            hkdf.expand_multi_info(info, out).expect("HKDF output");
        }
    }
}

/// A key of keyed hashes.
pub(super) enum MacKey {
    Sha(Box<hmac::Key>),
    Sm(Box<HmacSm3>),
}

impl MacKey {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(super) fn new(suite: Suite, secret: &[u8]) -> Self {
        match suite {
            Suite::Aes => Self::Sha(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            Suite::Sm => {
                // cannot fail: HMAC takes keys of every length.
                Self::Sm(Box::new(HmacSm3::new_from_slice(secret).expect("HMAC")))
            }
        }
    }

    /// HMAC over length-prefixed parts.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut out = [0; 32];
        match self {
            Self::Sha(key) => {
                let mut context = hmac::Context::with_key(key);
                for part in parts {
                    context.update(&(part.len() as u64).to_le_bytes());
                    context.update(part);
                }
                out.copy_from_slice(context.sign().as_ref());
            }
            Self::Sm(key) => {
                use ::hmac::Mac;
                let mut mac = (**key).clone();
                for part in parts {
                    mac.update(&(part.len() as u64).to_le_bytes());
                    mac.update(part);
                }
                out.copy_from_slice(&mac.finalize().into_bytes());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
