//! Going over to other keys: every record that another key sealed, or that is found by another key's
//! hash, is sealed and hashed anew, batch by batch, each only over what was read. What is done stands
//! in the rows, so that whoever takes over after a crash goes on with what is left.
use super::{EmbeddedError, EmbeddedSource, Hash, Stand, cells, changes, schema};
use crate::crypto::{Keys, Table};
use crate::source::Adopted;
use crate::sqlite;
use rusqlite::Connection;

/// Records a transaction: few, so that nobody waits long for it.
const BATCH: i64 = 200;
/// After so many of them whoever called is told that there is more: a second or two.
const BATCHES: u32 = 20;
/// Records that do not open are looked at again by every so manieth call: about once a minute.
const AGAIN: u32 = 12;

/// By which keys a file is sealed and hashed: suite and number of the one, number of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    header: [u8; 5],
    hashed: i64,
}

impl Target {
    /// The keys that are active now.
    pub(super) fn of(keys: &Keys) -> Self {
        Self {
            header: keys.header(Table::Source),
            hashed: i64::from(keys.document_key()),
        }
    }

    /// As the file keeps it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.header.as_slice(), &self.hashed.to_be_bytes()].concat()
    }
}

/// How far one program's work on the file is.
#[derive(Default)]
pub(super) struct Progress {
    target: Option<Target>,
    after: Vec<u8>,
    done: u64,
    unreadable: u64,
    /// Calls that do nothing, since records do not open.
    idle: u32,
}

/// Records that are not by a target's keys, after a hash.
const PAGE: &str = "select document_hash, record, changed from people where document_hash > $1
    and (substr(record, 2, 5) <> $2 or hashed <> $3) order by document_hash limit $4";

type Row = (Vec<u8>, Vec<u8>, i64);

fn page(
    connection: &Connection,
    after: &[u8],
    to: &Target,
    limit: i64,
) -> rusqlite::Result<Vec<Row>> {
    let header = to.header.as_slice();
    sqlite::fetch_all(connection, PAGE, &[&after, &header, &to.hashed, &limit])
}

/// Does some of what is left.
pub(super) async fn adopt(source: &EmbeddedSource) -> Result<Adopted, EmbeddedError> {
    let to = Target::of(&source.keys);
    source.renew_decoy(&to)?;
    if source.read_away(schema::adopted).await? == to.bytes() {
        return Ok(Adopted::All);
    }
    let mut progress = source.progress.lock().await;
    if progress.target.as_ref() != Some(&to) {
        *progress = Progress {
            target: Some(to.clone()),
            ..Progress::default()
        };
    }
    if progress.idle > 0 {
        progress.idle -= 1;
        return Ok(Adopted::Later);
    }
    for _ in 0..BATCHES {
        let (after, wanted) = (progress.after.clone(), to.clone());
        let read = move |connection: &Connection| page(connection, &after, &wanted, BATCH);
        let rows = source.read_away(read).await?;
        let Some(last) = rows.last() else {
            return finish(source, &mut progress, to).await;
        };
        progress.after.clone_from(&last.0);
        let keys = source.keys.clone();
        let write = move |connection: &Connection| write(&keys, connection, rows);
        let (writing, (done, unreadable)) = source.begin().await?.with(write).await?;
        writing.commit().await?;
        progress.done += done;
        progress.unreadable += unreadable;
    }
    Ok(Adopted::Some)
}

/// The end of the file was reached: nobody writes while it is looked through once more.
async fn finish(
    source: &EmbeddedSource,
    progress: &mut Progress,
    to: Target,
) -> Result<Adopted, EmbeddedError> {
    let (keys, most) = (source.keys.clone(), progress.unreadable);
    let look = move |connection: &Connection| {
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let left = page(connection, &[], &to, limit)?.len() as u64;
        if left == 0 {
            schema::adopt(connection, &keys, &to)?;
        }
        Ok(left)
    };
    let (writing, left) = source.begin().await?.with(look).await?;
    writing.commit().await?;
    let (done, unreadable) = (progress.done, progress.unreadable);
    (progress.after, progress.unreadable) = (Vec::new(), 0);
    if left == 0 {
        progress.done = 0;
        if done > 0 {
            tracing::info!(done, "source.db: sealed anew");
        }
        return Ok(Adopted::All);
    }
    if left > unreadable {
        // Written by somebody who had the old keys still.
        return Ok(Adopted::Some);
    }
    tracing::error!(
        unreadable,
        "source.db: records do not open; their key is kept"
    );
    progress.idle = AGAIN;
    Ok(Adopted::Later)
}

/// One batch; how many were written, and how many do not open.
fn write(
    keys: &Keys,
    connection: &Connection,
    rows: Vec<Row>,
) -> Result<(u64, u64), EmbeddedError> {
    let (mut done, mut unreadable, mut rehashed) = (0, 0, false);
    for (old_hash, cell, changed) in rows {
        let Ok(anew) = by_active_keys(keys, &old_hash, &cell) else {
            unreadable += 1;
            continue;
        };
        // Only what was read: whoever wrote meanwhile wrote something newer.
        let removed = sqlite::execute(
            connection,
            "delete from people where document_hash = $1 and record = $2",
            &[&old_hash, &cell],
        )?;
        if removed == 0 {
            continue;
        }
        done += sqlite::execute(
            connection,
            "insert into people (document_hash, changed, record, hashed) values ($1, $2, $3, $4)
             on conflict (document_hash) do nothing",
            &[&anew.hash.as_slice(), &changed, &anew.cell, &anew.key],
        )?;
        rehashed |= anew.hash.as_slice() != old_hash;
    }
    if rehashed {
        // A list of changes that was read half-way was in the order of other hashes.
        changes::mark_anew(connection, schema::mark(keys))?;
    }
    Ok((done, unreadable))
}

struct Anew {
    hash: Hash,
    cell: Vec<u8>,
    key: i64,
}

fn by_active_keys(keys: &Keys, old: &[u8], cell: &[u8]) -> Result<Anew, EmbeddedError> {
    let old = Hash::try_from(old).map_err(|_| EmbeddedError::Unreadable)?;
    let record = cells::unseal(keys, &old, cell)?;
    let stand = Stand::of(keys, record.kind, &record.number);
    Ok(Anew {
        hash: stand.hash,
        cell: cells::seal(keys, &stand.hash, &record)?,
        key: stand.key,
    })
}
