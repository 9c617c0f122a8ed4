//! What is erased leaves a trace by random identifiers, for the day on which an old copy of the
//! database is brought back: in the database with the erasure, and on a list outside it.
use super::join_terms;
use crate::{
    app::App,
    erasure_list::{self, Entry, Kind, ListError},
    error::{Error, Result},
    store::{Tx, authorizations::AuthorizationRow, erasures},
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Records an erasure in its own transaction. `keeps` is what stays of a narrowed authorization, as
/// [`keeps`] writes it.
pub(crate) async fn record(
    app: &App,
    tx: &mut Tx,
    kind: Kind,
    id: &[u8],
    keeps: Option<&str>,
) -> Result<()> {
    erasures::record(tx, id, kind.number(), keeps, app.now()).await?;
    Ok(())
}

/// Brings the list outside the database up to date. Every server keeps its own, whole.
///
/// # Errors
/// When the database fails, or the file cannot be written.
pub async fn list_erasures(app: &App) -> Result<()> {
    let Some(path) = app.config.erasures_file() else {
        return Ok(());
    };
    let mut listed = app.erasures.lock().await;
    let mut tx = app.store.read().await?;
    let rows = erasures::since(&mut tx, listed.since()).await?;
    drop(tx);
    let new = rows
        .into_iter()
        .map(entry)
        .filter(|entry| entry.as_ref().map_or(true, |entry| !listed.has(entry)))
        .collect::<Result<Vec<_>>>()?;
    if new.is_empty() {
        return Ok(());
    }
    let (done, new) = off_the_runtime(move || {
        let done = erasure_list::append(&path, &new);
        (done, new)
    })
    .await?;
    done.map_err(of_list)?;
    listed.add(&new);
    Ok(())
}

/// Forgets what no backup can bring back.
pub(crate) async fn forget_over(app: &App) -> Result<()> {
    let oldest = app.now() - app.config.backup.keep_days * DAY;
    let mut tx = app.store.write().await?;
    // Longer than the list does: what stands there is known here.
    erasures::forget_over(&mut tx, oldest - 2 * DAY).await?;
    tx.commit().await?;
    let Some(path) = app.config.erasures_file() else {
        return Ok(());
    };
    let listed = app.erasures.lock().await;
    let done = off_the_runtime(move || erasure_list::forget_over(&path, oldest)).await?;
    drop(listed);
    done.map_err(of_list)
}

fn entry((id, kind, keeps, at): erasures::ErasureRow) -> Result<Entry> {
    let kind = Kind::of_number(kind).ok_or_else(|| Error::unexpected("an erasure's kind"))?;
    Ok(Entry {
        at,
        kind,
        id,
        keeps,
    })
}

/// The disk may be slow: other requests go on meanwhile.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::unexpected("a file's task"))
}

/// The list's own words name the file, never what it holds.
pub(crate) fn of_list(error: ListError) -> Error {
    Error::Internal(error.to_string())
}

/// What stays of a narrowed authorization: its sharing and its items.
pub(crate) fn keeps(row: &AuthorizationRow) -> String {
    let sharing = join_terms::sharing_name(row.sharing == 1);
    format!("{sharing}:{}", row.items)
}

/// Narrows an authorization to what [`keeps`] wrote.
pub(crate) fn narrow_to(row: &mut AuthorizationRow, keeps: &str) {
    let (sharing, items) = keeps.split_once(':').unwrap_or_default();
    if sharing == join_terms::sharing_name(true) {
        row.sharing = 1;
    }
    let kept: Vec<&str> = row
        .items
        .split(',')
        .filter(|item| items.split(',').any(|own| own == *item))
        .collect();
    row.items = kept.join(",");
}
