//! What one batch of a refresh writes: only what changed, and only over what was read and asked for.
use super::{audit, health, profile::Profile};
use crate::{
    app::App,
    error::{Error, Result},
    model::{
        health::{ItemRecord, Items},
        id::Id,
    },
    source::{Answer, Identity},
    store::{
        Tx, persons,
        refresh::{self, Counts, HeldRow, RefreshRow, Update},
        snapshots::SnapshotRow,
    },
};
use std::collections::BTreeMap;

/// How often a row that changed under our hands is looked at again.
const LOOKS: u32 = 4;
/// People decided before other tasks of the thread get their turn.
const AT_ONCE: usize = 200;

/// Somebody who was read; the identity where the profile opened.
pub(crate) struct Asked {
    pub(crate) row: RefreshRow,
    pub(crate) identity: Option<Identity>,
}

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

/// What a batch's answers mean, before anything is written.
pub(crate) struct Decided<'a> {
    counts: Counts,
    /// New items, by what the authorizations cover.
    updates: BTreeMap<&'a str, Vec<(Update, &'a Answer)>>,
    /// Who was found by nobody, or could not be read.
    missed: Vec<(Id, &'a Answer)>,
    /// Who has another phone at the source.
    moved: Vec<(Id, Identity)>,
    shard_read_at: Option<i64>,
    read_at: i64,
}

/// Decides what a batch's answers mean. `answers` has one for each whose profile opened, in order;
/// `shard_read_at` is the data time of the shard before this run, `read_at` when the batch was asked.
pub(crate) async fn decide<'a>(
    app: &App,
    asked: &'a [Asked],
    answers: &'a [Answer],
    shard_read_at: Option<i64>,
    read_at: i64,
) -> Result<Decided<'a>> {
    let mut decided = Decided {
        counts: Counts::default(),
        updates: BTreeMap::new(),
        missed: Vec::new(),
        moved: Vec::new(),
        shard_read_at,
        read_at,
    };
    let mut answers = answers.iter();
    for (done, Asked { row, identity }) in asked.iter().enumerate() {
        if done % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let person = super::id_of(&row.id)?;
        let answer = match identity {
            Some(_) => answers.next().unwrap_or(&Answer::Failed),
            None => &Answer::Failed,
        };
        match (answer, row.miss) {
            (Answer::Found { items, .. }, miss) => {
                let held = row.fingerprint.as_deref();
                match update(app, person, held, &row.covers, items, read_at)? {
                    None if miss == 0 => decided.counts.unchanged += 1,
                    None => decided.missed.push((person, answer)),
                    Some(update) => {
                        let alike = decided.updates.entry(row.covers.as_str()).or_default();
                        alike.push((update, answer));
                    }
                }
            }
            (Answer::NotMatched, 2) => decided.counts.unmatched += 1,
            // Who was not matched stays so: that is what the source said last.
            (Answer::Failed, 1 | 2) => decided.counts.failed += 1,
            (Answer::NotMatched | Answer::Failed, _) => decided.missed.push((person, answer)),
        }
        if let (Answer::Found { phones, .. }, Some(identity)) = (answer, identity)
            && let Some(phone) = phones.first()
            && !phones.contains(&identity.phone)
        {
            let phone = phone.clone();
            let moved = Identity {
                phone,
                ..identity.clone()
            };
            decided.moved.push((person, moved));
        }
    }
    Ok(decided)
}

/// The new items of a person, narrowed to what is covered; `None` where they are as they were.
fn update(
    app: &App,
    person: Id,
    held: Option<&[u8]>,
    covers: &str,
    items: &Items,
    read_at: i64,
) -> Result<Option<Update>> {
    let covered: BTreeMap<&String, &Option<ItemRecord>> = items
        .iter()
        .filter(|(item, _)| is_covered(covers, item))
        .collect();
    let plain = health::plain_of(&covered)?;
    let fingerprint = app.keys.fingerprint(person, &plain);
    if held == Some(fingerprint.as_slice()) {
        return Ok(None);
    }
    Ok(Some(Update {
        id: person.bytes().to_vec(),
        old: held.map(<[u8]>::to_vec),
        fingerprint,
        items: health::seal(app, person, &plain, read_at),
    }))
}

impl Decided<'_> {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.missed.is_empty() && self.moved.is_empty()
    }

    /// Writes what was decided; how many became what.
    pub(crate) async fn write(&self, app: &App, tx: &mut Tx) -> Result<Counts> {
        let mut counts = self.counts;
        let mut gone = Vec::new();
        for (covers, alike) in &self.updates {
            let all: Vec<&Update> = alike.iter().map(|(update, _)| update).collect();
            let written = refresh::replace(tx, &all, self.read_at, covers).await?;
            if written == all.len() as u64 {
                counts.updated += i64::try_from(all.len()).unwrap_or(i64::MAX);
                continue;
            }
            // Somebody left or changed a consent while the source was asked: each is looked at.
            for (update, answer) in alike {
                let person = super::id_of(&update.id)?;
                let outcome = self.settle(app, tx, person, answer, Some(update)).await?;
                count(&mut counts, outcome);
                if outcome == Outcome::Gone {
                    gone.push(person);
                }
            }
        }
        for (person, answer) in &self.missed {
            let outcome = self.settle(app, tx, *person, answer, None).await?;
            count(&mut counts, outcome);
        }
        for (person, identity) in &self.moved {
            if !gone.contains(person) {
                move_phone(app, tx, *person, identity).await?;
            }
        }
        Ok(counts)
    }

    /// Writes one person's answer over what is held now, looking again where it changed meanwhile.
    async fn settle(
        &self,
        app: &App,
        tx: &mut Tx,
        person: Id,
        answer: &Answer,
        written: Option<&Update>,
    ) -> Result<Outcome> {
        for _ in 0..LOOKS {
            let Some(held) = refresh::held(tx, person.bytes()).await? else {
                return Ok(Outcome::Gone);
            };
            let own = written.is_some_and(|update| {
                held.snapshot.fingerprint.as_deref() == Some(&update.fingerprint)
            });
            if own && held.snapshot.miss == 0 {
                return Ok(Outcome::Updated);
            }
            if held.covers.is_empty() {
                return Ok(Outcome::Gone);
            }
            let (outcome, new) = self.means(app, person, &held, answer)?;
            let Some(new) = new else {
                return Ok(outcome);
            };
            if refresh::replace_one(tx, person.bytes(), &new, &held).await? {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Failed)
    }

    /// What an answer means over what is held, and what is to be written if anything.
    fn means(
        &self,
        app: &App,
        person: Id,
        held: &HeldRow,
        answer: &Answer,
    ) -> Result<(Outcome, Option<SnapshotRow>)> {
        let old = &held.snapshot;
        Ok(match (answer, old.miss) {
            (Answer::Found { items, .. }, miss) => {
                let mut items = items.clone();
                items.retain(|item, _| is_covered(&held.covers, item));
                let row = health::row_of(app, person, &items, self.read_at)?;
                match (row.fingerprint == old.fingerprint, miss) {
                    (true, 0) => (Outcome::Unchanged, None),
                    (true, _) => (Outcome::Unchanged, Some(row)),
                    (false, _) => (Outcome::Updated, Some(row)),
                }
            }
            (Answer::NotMatched, 2) => (Outcome::Unmatched, None),
            (Answer::NotMatched, _) => {
                let mut new = health::row_of(app, person, &Items::new(), self.read_at)?;
                (new.miss, new.seen_at) = (2, Some(self.read_at));
                (Outcome::Unmatched, Some(new))
            }
            (Answer::Failed, 1 | 2) => (Outcome::Failed, None),
            (Answer::Failed, _) => {
                let seen_at = health::seen_at(old, self.shard_read_at);
                let row = SnapshotRow {
                    miss: 1,
                    seen_at,
                    ..old.clone()
                };
                (Outcome::Failed, Some(row))
            }
        })
    }
}

fn is_covered(covers: &str, item: &str) -> bool {
    covers.split(',').any(|covered| covered == item)
}

fn count(counts: &mut Counts, outcome: Outcome) {
    match outcome {
        Outcome::Updated => counts.updated += 1,
        Outcome::Unchanged => counts.unchanged += 1,
        Outcome::Failed => counts.failed += 1,
        Outcome::Unmatched => counts.unmatched += 1,
        Outcome::Gone => {}
    }
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
