//! Rotation: a new key for a purpose is drawn; servers load it, and it takes the old one's place.
use super::{audit, retried};
use crate::{
    app::{App, key_row},
    crypto::{Purpose, State},
    error::{Error, Result},
    store::{keys, refresh},
};

/// Why a key is not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// There is a pending or an old one.
    #[error("{0}: a rotation is under way; `tuantibu keys list` tells how far it is")]
    UnderWay(&'static str),
    /// The database or the root key failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Draws a pending key for each purpose; their ids. Whoever serves does the rest.
///
/// # Errors
/// [`RotateError`]; then none was drawn.
pub async fn rotate_keys(
    app: &App,
    purposes: &[Purpose],
) -> std::result::Result<Vec<u32>, RotateError> {
    match retried(|| draw(app, purposes)).await? {
        Ok(ids) => Ok(ids),
        Err(under_way) => Err(RotateError::UnderWay(under_way.as_str())),
    }
}

/// The ids, or the purpose whose rotation is under way.
async fn draw(app: &App, purposes: &[Purpose]) -> Result<std::result::Result<Vec<u32>, Purpose>> {
    let mut tx = app.store.write().await?;
    refresh::lock(&mut tx).await?;
    let rows = keys::all(&mut tx).await?;
    let last = rows.iter().map(|row| row.id).max().unwrap_or_default();
    let mut ids = Vec::new();
    let next = u32::try_from(last + 1).map_err(|_| Error::unexpected("a key's number"))?;
    for (id, purpose) in (next..).zip(purposes.iter().copied()) {
        let index = matches!(purpose, Purpose::IndexDocument | Purpose::IndexPhone);
        let is_one = |row: &keys::KeyRow| {
            row.purpose == purpose.as_str()
                && match State::of(row.state) {
                    Some(State::Pending) => true,
                    // Old ones of these stay for years: what they made is checked by them.
                    Some(State::Old) => !matches!(purpose, Purpose::Audit | Purpose::Receipt),
                    // Two hashes are looked for, not three.
                    Some(State::Unneeded) => index,
                    _ => false,
                }
        };
        if rows.iter().any(is_one) {
            return Ok(Err(purpose));
        }
        let key = app.holder.draw(id, purpose)?;
        keys::insert(&mut tx, &key_row(&key, app.now())).await?;
        ids.push(id);
    }
    let names: Vec<&str> = purposes.iter().map(|purpose| purpose.as_str()).collect();
    let detail = serde_json::json!({ "purposes": names, "suite": app.holder.suite().as_str() });
    let event = audit::Event {
        action: "rotated_keys",
        detail: Some(&detail.to_string()),
        ..audit::Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(Ok(ids))
}
