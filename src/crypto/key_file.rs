//! The root key and its file: `tbk1:root:<suite>:<id>:<base64url of 32 bytes>`, mode 0400.
use super::cell::{named, open_with, seal_with};
use super::suite::{SealingKey, Suite};
use super::{CryptoError, Purpose, random::Random};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why a key file was refused. Nothing of its content is told.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there.
    #[error(
        "keys.file: {0} does not exist, but the database holds sealed data; bring the key back"
    )]
    Lost(PathBuf),
    /// It is there already, where a new one was to be made.
    #[error("keys.file: {0} cannot be read or made: {1}")]
    Io(PathBuf, io::Error),
    /// Others can read it.
    #[error(
        "keys.file: {path} has mode {mode:04o}; others than its owner can reach it; chmod 0400 {path}"
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a key.
    #[error("keys.file: {0} is not a root key of the form tbk1:root:…; bring the right file back")]
    Malformed(PathBuf),
}

/// The permission bits of a file with a secret, where others than its owner can reach it.
///
/// # Errors
/// When there is no such file.
pub fn loose_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// The root key: it wraps every other key and seals nothing else.
pub struct RootKey {
    id: u32,
    key: SealingKey,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({:08x})", self.id)
    }
}

impl RootKey {
    /// Reads the key file.
    ///
    /// # Errors
    /// When it is missing, readable by others than its owner, or not a root key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let loose = loose_mode(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KeyFileError::Lost(path.to_owned()),
            _ => KeyFileError::Io(path.to_owned(), error),
        })?;
        if let Some(mode) = loose {
            return Err(KeyFileError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(
            fs::read_to_string(path).map_err(|error| KeyFileError::Io(path.to_owned(), error))?,
        );
        Self::parse(text.trim()).ok_or_else(|| KeyFileError::Malformed(path.to_owned()))
    }

    /// Draws a new root key and writes it, mode 0400, never over an existing file.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path, suite: Suite, random: &dyn Random) -> Result<Self, KeyFileError> {
        let fail = |error| KeyFileError::Io(path.to_owned(), error);
        let mut id = [0; 4];
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(&mut id);
        random.fill(&mut *secret);
        let id = u32::from_be_bytes(id);
        let text = Zeroizing::new(format!(
            "tbk1:root:{suite}:{id:08x}:{}\n",
            *Zeroizing::new(URL_SAFE_NO_PAD.encode(*secret))
        ));
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(path)
            .map_err(fail)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(fail)?;
        Ok(Self::new(id, suite, &secret))
    }

    fn new(id: u32, suite: Suite, secret: &[u8; 32]) -> Self {
        Self {
            id,
            key: SealingKey::new(suite, secret),
        }
    }

    /// Its number, which the file and every key that it wrapped name.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (tag, kind, suite) = (parts.next()?, parts.next()?, parts.next()?);
        let suite = match (tag, kind, suite) {
            ("tbk1", "root", "aes") => Suite::Aes,
            ("tbk1", "root", "sm") => Suite::Sm,
            _ => return None,
        };
        let id = u32::from_str_radix(parts.next()?, 16).ok()?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?);
        if parts.next().is_some() {
            return None;
        }
        let secret: &[u8; 32] = secret.as_slice().try_into().ok()?;
        Some(Self::new(id, suite, secret))
    }

    pub(super) fn wrap(&self, key: &Named, secret: &[u8], random: &dyn Random) -> Vec<u8> {
        seal_with(&self.key, self.id, &key.associated(), secret, random)
    }

    pub(super) fn open_key(
        &self,
        key: &Named,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let (suite, needed) = named(wrapped).ok_or(CryptoError::Changed(key.id))?;
        if needed != self.id {
            return Err(CryptoError::WrongRoot {
                given: self.id,
                needed,
            });
        }
        if suite != self.key.suite() {
            return Err(CryptoError::Changed(key.id));
        }
        let plain = open_with(&self.key, &key.associated(), wrapped)
            .map_err(|_| CryptoError::Changed(key.id))?;
        let mut secret = Zeroizing::new([0; 32]);
        if plain.len() != secret.len() {
            return Err(CryptoError::Changed(key.id));
        }
        secret.copy_from_slice(&plain);
        Ok(secret)
    }
}

/// What is bound to a wrapped key.
pub(super) struct Named {
    pub(super) id: u32,
    pub(super) purpose: Purpose,
    pub(super) suite: Suite,
}

impl Named {
    fn associated(&self) -> Vec<u8> {
        let mut data = b"tuantibu keys".to_vec();
        data.extend_from_slice(&self.id.to_be_bytes());
        data.extend_from_slice(self.purpose.as_str().as_bytes());
        // Keys of the first suite were wrapped before there was another.
        if self.suite != Suite::Aes {
            data.push(self.suite.number());
        }
        data
    }
}
