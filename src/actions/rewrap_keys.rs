//! A new root key: every key is wrapped by it, in one transaction. Nothing is sealed anew.
use super::audit;
use crate::{
    app::{App, wrapped_key},
    crypto::{KeyFileError, Keys, RootKey, State, rewrap},
    error::{Error, Result},
    store::{keys, refresh},
};
use std::path::Path;

/// Why the root key was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// The new file cannot be made.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The database or the root key failed; the new file is gone again.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Draws a root key into a new file and wraps every key by it; its id.
///
/// # Errors
/// [`RewrapError`]; then the old root key holds.
pub async fn rewrap_keys(app: &App, file: &Path) -> std::result::Result<u32, RewrapError> {
    let new = RootKey::create(file, app.holder.suite(), &*app.random)?;
    match wrap_all(app, &new).await {
        Ok(()) => Ok(new.id()),
        Err(error) => {
            // It wraps nothing, so nobody misses it.
            let _ = std::fs::remove_file(file);
            Err(error.into())
        }
    }
}

async fn wrap_all(app: &App, new: &RootKey) -> Result<()> {
    let old = app.holder.root()?;
    let mut tx = app.store.write().await?;
    refresh::lock(&mut tx).await?;
    let mut wrapped = Vec::new();
    for row in keys::all(&mut tx).await? {
        let mut key = wrapped_key(row)?;
        if key.state != State::Destroyed {
            let anew = rewrap(&old, new, &key, &*app.random)?;
            if !keys::rewrap(&mut tx, i64::from(key.id), &key.wrapped, &anew).await? {
                return Err(Error::unexpected("a key changed under its lock"));
            }
            key.wrapped = anew;
        }
        wrapped.push(key);
    }
    // Before it is too late: the new root key alone opens all of them.
    Keys::unwrap_all(new, &wrapped, app.random.clone())?;
    let event = audit::Event {
        action: "rewrapped_keys",
        ..audit::Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(())
}
