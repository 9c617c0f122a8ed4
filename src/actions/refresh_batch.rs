//! What one batch of a refresh writes: only what changed, and only over what it read.
use super::{audit, health, profile::Profile};
use crate::{
    app::App,
    error::{Error, Result},
    model::{health::Items, id::Id},
    source::{Answer, Identity},
    store::{
        Tx, persons,
        refresh::{self, Counts, RefreshRow},
        snapshots::{self, SnapshotRow},
    },
};
use std::collections::HashMap;

/// How often a row that changed under our hands is looked at again.
const LOOKS: u32 = 4;

/// What became of one person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Updated,
    Unchanged,
    Failed,
    Unmatched,
    /// Left meanwhile: nobody to count, and nobody whom a write may bring back.
    Gone,
}

/// Writes a batch's answers. `readable` holds the identity of each person whose profile opened, in
/// the order of `people`; `answers` has one for each of those. `shard_read_at` is the data time of
/// the shard before this run; `read_at` when this batch was asked.
pub(crate) async fn write(
    app: &App,
    tx: &mut Tx,
    people: &[RefreshRow],
    readable: &[Option<Identity>],
    answers: &[Answer],
    shard_read_at: Option<i64>,
    read_at: i64,
) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut changed: Vec<&[u8]> = Vec::new();
    let mut answers = answers.iter();
    for (row, identity) in people.iter().zip(readable) {
        let answer = match identity {
            Some(_) => answers.next().unwrap_or(&Answer::Failed),
            None => &Answer::Failed,
        };
        let (outcome, wrote) = one(app, tx, row, answer, shard_read_at, read_at).await?;
        match outcome {
            Outcome::Updated => counts.updated += 1,
            Outcome::Unchanged => counts.unchanged += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::Unmatched => counts.unmatched += 1,
            Outcome::Gone => {}
        }
        if wrote {
            changed.push(&row.id);
        }
        if let (Answer::Found { phones, .. }, Some(identity)) = (answer, identity)
            && outcome != Outcome::Gone
            && let Some(phone) = phones.first()
            && !phones.contains(&identity.phone)
        {
            let moved = Identity {
                phone: phone.clone(),
                ..identity.clone()
            };
            move_phone(app, tx, super::id_of(&row.id)?, &moved).await?;
        }
    }
    if !changed.is_empty() {
        let list = crate::store::hex_list(changed.iter().copied());
        narrow_left(app, tx, people, &list).await?;
        snapshots::bump_registers(tx, &list).await?;
    }
    Ok(counts)
}

/// Who left or narrowed a consent while the source was asked keeps nothing of what it covered. Their
/// rows are ours by now: who leaves later waits, and narrows what stands here.
async fn narrow_left(app: &App, tx: &mut Tx, people: &[RefreshRow], changed: &str) -> Result<()> {
    let asked: HashMap<&[u8], &RefreshRow> =
        people.iter().map(|row| (row.id.as_slice(), row)).collect();
    let today = app.today().to_string();
    for (id, wanted) in refresh::wanted(tx, changed, &today).await? {
        let before = asked
            .get(id.as_slice())
            .and_then(|row| row.wanted.as_deref());
        if health::union(before) != health::union(wanted.as_deref()) {
            health::narrow(app, tx, super::id_of(&id)?).await?;
        }
    }
    Ok(())
}

async fn one(
    app: &App,
    tx: &mut Tx,
    row: &RefreshRow,
    answer: &Answer,
    shard_read_at: Option<i64>,
    read_at: i64,
) -> Result<(Outcome, bool)> {
    let person = super::id_of(&row.id)?;
    let today = app.today().to_string();
    let mut row = row.clone();
    for _ in 0..LOOKS {
        let (outcome, new) = decide(app, person, &row, answer, shard_read_at, read_at)?;
        let Some(new) = new else {
            return Ok((outcome, false));
        };
        let old = row.fingerprint.as_deref();
        if refresh::replace(tx, person.bytes(), &new, old, row.miss).await? {
            return Ok((outcome, true));
        }
        match refresh::one(tx, person.bytes(), &today).await? {
            Some(newer) => row = newer,
            None => return Ok((Outcome::Gone, false)),
        }
    }
    Ok((Outcome::Failed, false))
}

/// What an answer means for a row, and what is to be written if anything.
fn decide(
    app: &App,
    person: Id,
    row: &RefreshRow,
    answer: &Answer,
    shard_read_at: Option<i64>,
    read_at: i64,
) -> Result<(Outcome, Option<SnapshotRow>)> {
    Ok(match answer {
        Answer::Found { items, .. } => {
            let wanted = health::union(row.wanted.as_deref());
            let items: Items = items
                .iter()
                .filter(|(item, _)| wanted.contains(item))
                .map(|(item, record)| (item.clone(), record.clone()))
                .collect();
            let new = health::row_of(app, person, &items, read_at)?;
            if new.fingerprint != row.fingerprint {
                (Outcome::Updated, Some(new))
            } else if row.miss == 0 {
                (Outcome::Unchanged, None)
            } else {
                (Outcome::Unchanged, Some(new))
            }
        }
        Answer::NotMatched if row.miss == 2 => (Outcome::Unmatched, None),
        Answer::NotMatched => {
            let mut new = health::row_of(app, person, &Items::new(), read_at)?;
            (new.miss, new.seen_at) = (2, Some(read_at));
            (Outcome::Unmatched, Some(new))
        }
        Answer::Failed if row.miss == 1 => (Outcome::Failed, None),
        Answer::Failed => {
            let held = SnapshotRow {
                items: row.items.clone(),
                fingerprint: row.fingerprint.clone(),
                read_at: row.read_at,
                miss: row.miss,
                seen_at: row.seen_at,
            };
            // Who was not matched stays so: that is what the source said last.
            if row.miss == 2 {
                return Ok((Outcome::Failed, None));
            }
            let seen_at = health::seen_at(&held, shard_read_at);
            (
                Outcome::Failed,
                Some(SnapshotRow {
                    miss: 1,
                    seen_at,
                    ..held
                }),
            )
        }
    })
}

/// A changed phone at the source replaces ours, and is logged.
async fn move_phone(app: &App, tx: &mut Tx, person: Id, identity: &Identity) -> Result<()> {
    let sealed = Profile::of(identity).seal(app, person)?;
    let hash = app.keys.phone_hash(&identity.phone);
    persons::update_profile(tx, person.bytes(), &hash, &sealed, app.now())
        .await
        .map_err(Error::from)?;
    let event = audit::Event {
        action: "phone_changed",
        subject: Some(person),
        ..audit::Event::default()
    };
    audit::record(app, tx, event).await
}
