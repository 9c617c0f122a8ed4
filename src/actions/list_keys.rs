//! The database's keys, and how many cells need each.
use super::{reseal, tend_keys::header};
use crate::{
    app::{App, wrapped_key},
    crypto::{Purpose, State},
    error::Result,
    store::keys,
};
use serde::Serialize;

/// A key, as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct KeyOutput {
    /// Its number.
    pub id: u32,
    /// What it is for.
    pub purpose: &'static str,
    /// Which algorithms it is for.
    pub suite: &'static str,
    /// How it stands.
    pub state: &'static str,
    /// When it was drawn, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// Since when it stands so.
    pub changed_at: i64,
    /// How many cells it sealed, where it seals cells of the main database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<i64>,
}

/// Every key.
///
/// # Errors
/// When the database fails.
pub async fn list_keys(app: &App) -> Result<Vec<KeyOutput>> {
    let rows = keys::all(&mut app.store.read().await?).await?;
    let counts = reseal::count(app).await?;
    rows.into_iter()
        .map(|row| {
            let cells = counts.get(&header(&row)).copied().unwrap_or_default();
            let (created_at, changed_at) = (row.created_at, row.changed_at);
            let key = wrapped_key(row)?;
            Ok(KeyOutput {
                id: key.id,
                purpose: key.purpose.as_str(),
                suite: key.suite.as_str(),
                state: key.state.as_str(),
                created_at,
                changed_at,
                cells: (key.purpose == Purpose::Data).then_some(cells),
            })
        })
        .collect()
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Cells in all.
    pub cells: i64,
    /// Cells that the newest key sealed.
    pub done: i64,
    /// Whether every rotation that began is over, but for the destruction of what nothing needs.
    pub is_over: bool,
}

/// How far the rotations are.
///
/// # Errors
/// When the database fails.
pub async fn progress(app: &App) -> Result<Progress> {
    let keys = list_keys(app).await?;
    let is_under_way = |key: &KeyOutput| match key.purpose {
        // Old ones of these stay for years.
        "audit" | "receipt" => key.state == State::Pending.as_str(),
        _ => [State::Pending.as_str(), State::Old.as_str()].contains(&key.state),
    };
    let data = || keys.iter().filter(|key| key.cells.is_some());
    let newest = data().max_by_key(|key| key.id);
    Ok(Progress {
        cells: data().filter_map(|key| key.cells).sum(),
        done: newest.and_then(|key| key.cells).unwrap_or_default(),
        is_over: !keys.iter().any(is_under_way),
    })
}
