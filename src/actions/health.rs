//! Sealed snapshots: what was read of a person, narrowed to what live authorizations cover.
use crate::{
    app::App,
    crypto::{Place, Table},
    error::{Error, Result},
    model::{health::Items, id::Id},
    source::Answer,
    store::{
        Tx, authorizations, refresh,
        snapshots::{self, SnapshotRow},
    },
};
use serde::Serialize;
use zeroize::Zeroizing;

/// The items that a person's live authorizations cover, without repeats.
pub(crate) async fn covered(app: &App, tx: &mut Tx, person: Id) -> Result<Vec<String>> {
    let today = app.today().to_string();
    let lists = authorizations::items_of_person(tx, person.bytes(), &today).await?;
    Ok(union(lists.iter().map(|(list,)| list.as_str())))
}

/// The items of comma-separated lists, sorted, without repeats.
pub(crate) fn union<'a>(lists: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut items: Vec<String> = lists
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// A snapshot's row for what was read.
///
/// # Errors
/// None that a caller could cause.
pub fn row_of(app: &App, person: Id, items: &Items, read_at: i64) -> Result<SnapshotRow> {
    let plain = plain_of(items)?;
    Ok(SnapshotRow {
        items: Some(seal(app, person, &plain, read_at)),
        fingerprint: Some(app.keys.fingerprint(person, &plain).to_vec()),
        read_at: Some(read_at),
        miss: 0,
        seen_at: None,
    })
}

/// What is sealed of a snapshot's items, and fingerprinted.
pub(crate) fn plain_of(items: &impl Serialize) -> Result<Zeroizing<Vec<u8>>> {
    serde_json::to_vec(items)
        .map(Zeroizing::new)
        .map_err(|_| Error::unexpected("a snapshot's JSON"))
}

/// Seals a snapshot's items, bound to the time of the reading.
pub(crate) fn seal(app: &App, person: Id, plain: &[u8], read_at: i64) -> Vec<u8> {
    let place_bytes = read_at.to_be_bytes();
    app.keys.seal(&place(person.bytes(), &place_bytes), plain)
}

/// Opens a snapshot's items.
pub(crate) fn open(
    app: &App,
    person: &[u8],
    sealed: Option<&[u8]>,
    read_at: Option<i64>,
) -> Result<Items> {
    let (Some(sealed), Some(read_at)) = (sealed, read_at) else {
        return Ok(Items::new());
    };
    let plain = app
        .keys
        .open(&place(person, &read_at.to_be_bytes()), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Error::unexpected("a snapshot's JSON"))
}

/// Keeps what was read when somebody joined or changed a consent. Where the source gave no answer,
/// what is held stays with its old time, and who was never read says so. `alone` has the items of
/// the person's one authorization where it is the first: its register knows of the change.
pub(crate) async fn keep(
    app: &App,
    tx: &mut Tx,
    person: Id,
    answer: Option<&Answer>,
    alone: Option<&[String]>,
) -> Result<()> {
    let now = app.now();
    let covered = match alone {
        Some(items) => union(items.iter().map(String::as_str)),
        None => covered(app, tx, person).await?,
    };
    let covers = covered.join(",");
    match answer {
        Some(Answer::Found { items, .. }) => {
            let mut items = items.clone();
            items.retain(|item, _| covered.contains(item));
            let row = row_of(app, person, &items, now)?;
            snapshots::put(tx, person.bytes(), &row, &covers).await?;
        }
        Some(Answer::NotMatched) => {
            let mut row = row_of(app, person, &Items::new(), now)?;
            (row.miss, row.seen_at) = (2, Some(now));
            snapshots::put(tx, person.bytes(), &row, &covers).await?;
        }
        Some(Answer::Failed) | None => {
            let held = snapshots::get(tx, person.bytes()).await?;
            let shard = i64::from(person.shard());
            let times = refresh::times(tx).await?;
            let shard = times
                .iter()
                .find(|time| time.shard == shard)
                .and_then(|time| time.read_at);
            let seen_at = held.and_then(|held| seen_at(&held, shard));
            snapshots::mark(tx, person.bytes(), 1, seen_at, &covers).await?;
        }
    }
    if alone.is_none() {
        tell_registers(tx, person).await?;
    }
    Ok(())
}

/// The data time that a person has now, to be kept when the next reading misses.
pub(crate) fn seen_at(held: &SnapshotRow, shard_read_at: Option<i64>) -> Option<i64> {
    if held.miss != 0 {
        return held.seen_at;
    }
    held.read_at
        .map(|own| own.max(shard_read_at.unwrap_or(own)))
}

/// After an authorization ended or narrowed: the snapshot keeps only what the others cover, and
/// goes with the last. Which items went.
pub(crate) async fn narrow(app: &App, tx: &mut Tx, person: Id) -> Result<Vec<String>> {
    let Some(held) = snapshots::lock(tx, person.bytes()).await? else {
        return Ok(Vec::new());
    };
    let before = open(app, person.bytes(), held.items.as_deref(), held.read_at)?;
    let covered = covered(app, tx, person).await?;
    let (kept, gone): (Items, Items) = before
        .into_iter()
        .partition(|(item, _)| covered.contains(item));
    let gone: Vec<String> = gone.into_keys().collect();
    if covered.is_empty() && snapshots::erase(tx, person.bytes()).await? {
        return Ok(gone);
    }
    let covers = covered.join(",");
    if let (false, Some(read_at)) = (gone.is_empty(), held.read_at) {
        let mut row = row_of(app, person, &kept, read_at)?;
        (row.miss, row.seen_at) = (held.miss, held.seen_at);
        snapshots::put(tx, person.bytes(), &row, &covers).await?;
        tell_registers(tx, person).await?;
    } else {
        snapshots::cover(tx, person.bytes(), &covers).await?;
    }
    Ok(gone)
}

async fn tell_registers(tx: &mut Tx, person: Id) -> Result<()> {
    snapshots::bump_registers(tx, &crate::store::hex_list([person.bytes()])).await?;
    Ok(())
}

fn place<'a>(person: &'a [u8], read_at: &'a [u8]) -> Place<'a> {
    Place {
        table: Table::Snapshots,
        column: "items",
        row: person,
        bound: read_at,
    }
}
