//! The key that signs messages, and why a webhook is refused at the start.
use aws_lc_rs::hmac;
use std::{fmt, fs, io, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// A shorter key could be guessed from one message.
const SECRET_BYTES: usize = 32;

/// Why a webhook is refused at the start. Names the key.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address is none.
    #[error("sms.url: not an http or https URL")]
    NotUrl,
    /// The address carries something that belongs elsewhere.
    #[error("sms.url: must have no user, password or fragment")]
    NotBare,
    /// Numbers and codes would travel in clear.
    #[error("sms.url: must be https; plain http is for this machine only")]
    Plain,
    /// Nobody could tell our messages from others'.
    #[error("sms.secret_file: a webhook needs one")]
    NoSecret,
    /// The key cannot be read.
    #[error("sms.secret_file: {0}")]
    Unreadable(io::Error),
    /// Others could read it.
    #[error("sms.secret_file: has mode {0:04o}, so others may read it; chmod 0400")]
    Readable(u32),
    /// It could be guessed.
    #[error("sms.secret_file: holds fewer than {SECRET_BYTES} bytes")]
    Short,
    /// No client can be made.
    #[error("sms: no HTTP client can be made: {0}")]
    Client(String),
}

/// The key that messages are signed with. Its `Debug` shows nothing.
pub struct Secret(hmac::Key);

impl Secret {
    /// Reads the key: the file's bytes without white space at its ends.
    ///
    /// # Errors
    /// When the file is missing, readable by others or too short.
    pub fn read(path: &Path) -> Result<Self, WebhookError> {
        let metadata = fs::metadata(path).map_err(WebhookError::Unreadable)?;
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(WebhookError::Readable(mode));
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(WebhookError::Unreadable)?);
        Self::new(bytes.trim_ascii())
    }

    /// A key of at least 32 bytes.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(bytes: &[u8]) -> Result<Self, WebhookError> {
        if bytes.len() < SECRET_BYTES {
            return Err(WebhookError::Short);
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
        assert!(matches!(Secret::new(&[b'k'; 31]), Err(WebhookError::Short)));
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
