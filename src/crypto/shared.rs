//! Secrets in files, and a secret that two programs share, by which one knows the other's messages.
use super::loose_mode;
use aws_lc_rs::hmac;
use std::{fmt, fs, io, path::Path};
use zeroize::Zeroizing;

/// A shorter secret could be guessed from one message.
const LEAST_BYTES: usize = 32;

/// Why a secret is refused at the start. Whoever reads it adds the key of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// Others could read it.
    #[error("has mode {0:04o}, so others may read it; chmod 0400")]
    Readable(u32),
    /// It could be guessed.
    #[error("holds fewer than {LEAST_BYTES} bytes")]
    Short,
    /// It is no text where one is needed.
    #[error("is no text")]
    NotText,
}

/// What a file holds that nobody else may read, without white space at its ends.
///
/// # Errors
/// When it is missing, or readable by others.
pub fn secret_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    if let Some(mode) = loose_mode(path)? {
        return Err(SecretError::Readable(mode));
    }
    let bytes = Zeroizing::new(fs::read(path)?);
    Ok(Zeroizing::new(bytes.trim_ascii().to_vec()))
}

/// The same of a text, as a token or an address with a password.
///
/// # Errors
/// As [`secret_bytes`], and when it is no UTF-8.
pub fn secret_text(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let bytes = secret_bytes(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText)?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// The secret. Its `Debug` shows nothing.
pub struct SharedSecret(hmac::Key);

impl SharedSecret {
    /// Reads the secret: the file's bytes without white space at its ends.
    ///
    /// # Errors
    /// When the file is missing, readable by others or too short.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        Self::new(&secret_bytes(path)?)
    }

    /// A secret of at least 32 bytes.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        if bytes.len() < LEAST_BYTES {
            return Err(SecretError::Short);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The HMAC-SHA256 of the parts, with a full stop between each two.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0);
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                context.update(b".");
            }
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_refused_and_none_is_shown() {
        assert!(matches!(
            SharedSecret::new(&[b'k'; 31]),
            Err(SecretError::Short)
        ));
        let secret = SharedSecret::new(&[b'k'; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
    }

    #[test]
    fn a_mac_is_the_hmac_of_the_parts_with_full_stops_between() {
        // By another program: printf '1668398400.{}' | openssl dgst -sha256 -hmac KEY.
        let secret = SharedSecret::new(b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(
            hex::encode(secret.mac(&[b"1668398400", b"{}"])),
            "75f0a7981e9b9a38d5f789ad14f70833e1bf7fa6aa417c182e923a8a21dab77e"
        );
    }
}
