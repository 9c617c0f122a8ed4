//! The key that signs messages.
use crate::sms::{Wrong, http};
use aws_lc_rs::hmac;
use std::{fmt, path::Path};

/// A shorter key could be guessed from one message.
const SECRET_BYTES: usize = 32;

/// The key that messages are signed with. Its `Debug` shows nothing.
pub struct Secret(hmac::Key);

impl Secret {
    /// Reads the key: the file's bytes without white space at its ends.
    ///
    /// # Errors
    /// When the file is missing, readable by others or too short.
    pub fn read(path: Option<&Path>) -> Result<Self, Wrong> {
        Self::new(&http::secret(path)?)
    }

    /// A key of at least 32 bytes.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(bytes: &[u8]) -> Result<Self, Wrong> {
        if bytes.len() < SECRET_BYTES {
            let words = format!("holds fewer than {SECRET_BYTES} bytes");
            return Err(Wrong::new("secret_file", words));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// `sha256=` and the HMAC of timestamp, a full stop and body, in hexadecimal digits.
    pub(super) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(timestamp.as_bytes());
        context.update(b".");
        context.update(body);
        let tag = context.sign();
        let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        format!("sha256={hex}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        assert_eq!(Secret::new(&[b'k'; 31]).unwrap_err().key, "secret_file");
        let secret = Secret::new(&[b'k'; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_signature_is_the_hmac_of_timestamp_and_body() {
        // By RFC 4231's algorithm in another program: openssl dgst -sha256 -hmac.
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(
            secret.sign("1668398400", b"{}"),
            "sha256=75f0a7981e9b9a38d5f789ad14f70833e1bf7fa6aa417c182e923a8a21dab77e"
        );
    }
}
