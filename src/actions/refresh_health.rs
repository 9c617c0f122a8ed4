//! The refresh: everybody with a live authorization is read again, shard by shard, batch by batch.
//!
//! A run is a row; each shard has a lease and a mark of how far it came. A batch is one
//! transaction: changed snapshots, misses, the shard's progress. So a killed run is picked up where
//! it stopped, several servers share one run, and people whose information did not change cost a
//! read and no write.
use super::{audit, health, profile::Profile, refresh_batch};
use crate::{
    app::App,
    clock,
    crypto::random,
    error::{Error, Result},
    model::id::{Id, SHARDS},
    source::{Answer, Ask, Identity, SourceError},
    store::refresh::{self, Counts, LeasedRow, RefreshRow, RunRow},
};
use jiff::civil::{DateTime, Time};
use serde::Serialize;
use std::time::Duration;

/// Between looks whether another server has finished its shards.
const WAIT: Duration = Duration::from_millis(200);

/// No batch takes longer, whatever the source does: each connector has bounds of its own below it.
const BATCH_WITHIN: Duration = Duration::from_secs(600);

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Run {
    /// People whose information changed.
    pub updated: i64,
    /// People whose information did not.
    pub unchanged: i64,
    /// People who could not be read; they keep what they had, with its time.
    pub failed: i64,
    /// People whom the source does not know by document and name.
    pub unmatched: i64,
    /// Beginning.
    pub started_at: String,
    /// End.
    pub finished_at: String,
}

/// Refreshes everybody, or goes on with the run that is under way, and waits for its end.
/// `progress` is told how many people are done and how many there are.
///
/// # Errors
/// When the database fails. A source that fails is no error: it is in the counts.
pub async fn refresh_health(
    app: &App,
    cause: &str,
    progress: &(dyn Fn(i64, i64) + Send + Sync),
) -> Result<Run> {
    let run = begin_or_join(app, cause).await?;
    let owner = random::id(&*app.random);
    let total = count_people(app).await?;
    let mut source_is_down = false;
    loop {
        let until = app.now() + app.config.refresh.lease_seconds * 1000;
        let mut tx = app.store.write().await?;
        let leased = refresh::lease(&mut tx, owner.bytes(), until, app.now(), &run).await?;
        tx.commit().await?;
        if let Some(shard) = leased {
            read_shard(app, &run, owner, &shard, &mut source_is_down).await?;
            let mut tx = app.store.read().await?;
            progress(refresh::progress(&mut tx, &run).await?, total);
            continue;
        }
        let mut tx = app.store.write().await?;
        refresh::lock(&mut tx).await?;
        refresh::finish_run(&mut tx, &run, app.now()).await?;
        let row = refresh::run(&mut tx, &run).await?;
        tx.commit().await?;
        let row = row.ok_or_else(|| Error::unexpected("a refresh run vanished"))?;
        if row.finished_at.is_some() {
            return Ok(run_of(app, &row));
        }
        // Another server works on the last shards, or was killed: then its leases run out.
        tokio::time::sleep(WAIT).await;
    }
}

/// The run that is under way or the last one, and whether it is under way.
///
/// # Errors
/// When the database fails.
pub async fn last_run(app: &App) -> Result<Option<(Run, bool)>> {
    let mut tx = app.store.read().await?;
    if let Some(open) = refresh::open_run(&mut tx).await? {
        return Ok(Some((run_of(app, &open), true)));
    }
    Ok(refresh::last_run(&mut tx)
        .await?
        .map(|row| (run_of(app, &row), false)))
}

/// Whether a scheduled time has passed since the last run began, or a run was left half-way.
///
/// # Errors
/// When the database fails.
pub async fn is_due(app: &App) -> Result<bool> {
    let mut tx = app.store.read().await?;
    if refresh::open_run(&mut tx).await?.is_some() {
        return Ok(true);
    }
    let last = refresh::last_run(&mut tx).await?;
    Ok(last.is_none_or(|last| last.started_at < last_due(app, app.now())))
}

/// The next scheduled time after `now`, in milliseconds.
#[must_use]
pub fn next_due(app: &App, now: i64) -> i64 {
    due_around(app, now)
        .into_iter()
        .find(|due| *due > now)
        .unwrap_or(i64::MAX)
}

/// The last scheduled time up to `now`.
#[must_use]
pub fn last_due(app: &App, now: i64) -> i64 {
    due_around(app, now)
        .into_iter()
        .rfind(|due| *due <= now)
        .unwrap_or(i64::MIN)
}

/// The scheduled times of yesterday, today and tomorrow.
fn due_around(app: &App, now: i64) -> Vec<i64> {
    let today = clock::date(now, &app.zone);
    let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
    let at = |time: &Time, day| app.zone.to_timestamp(DateTime::from_parts(day, *time)).ok();
    let mut due: Vec<i64> = days
        .into_iter()
        .flatten()
        .flat_map(|day| app.times.iter().filter_map(move |time| at(time, day)))
        .map(|at| at.as_millisecond())
        .collect();
    due.sort_unstable();
    due
}

/// Reads one person, on joining or when a consent changed. A source that fails is an answer too.
pub(crate) async fn read_one(app: &App, identity: &Identity, items: Vec<String>) -> Answer {
    let ask = Ask {
        name: identity.name.clone(),
        document: identity.document.clone(),
        items,
    };
    let limit = Duration::from_secs(app.config.source.timeout_seconds);
    match tokio::time::timeout(limit, app.source.read(&[ask])).await {
        Ok(Ok(answers)) => answers.into_iter().next().unwrap_or(Answer::Failed),
        Ok(Err(error)) => {
            tracing::warn!(source = app.source.kind(), %error, "a reading got no answer");
            Answer::Failed
        }
        Err(_) => Answer::Failed,
    }
}

async fn begin_or_join(app: &App, cause: &str) -> Result<Vec<u8>> {
    let mut tx = app.store.write().await?;
    refresh::lock(&mut tx).await?;
    if let Some(open) = refresh::open_run(&mut tx).await? {
        return Ok(open.id);
    }
    let id = random::id(&*app.random);
    refresh::insert_run(&mut tx, id.bytes(), cause, app.now()).await?;
    let event = audit::Event {
        action: "refresh_began",
        subject: Some(id),
        ..audit::Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(id.bytes().to_vec())
}

async fn count_people(app: &App) -> Result<i64> {
    let mut tx = app.store.read().await?;
    let today = app.today().to_string();
    Ok(refresh::count(&mut tx, &[], Id::last_of(SHARDS - 1).bytes(), &today).await?)
}

/// Reads a leased shard to its end.
async fn read_shard(
    app: &App,
    run: &[u8],
    owner: Id,
    leased: &LeasedRow,
    source_is_down: &mut bool,
) -> Result<()> {
    let shard = u8::try_from(leased.shard).map_err(|_| Error::unexpected("a shard's number"))?;
    let last = Id::last_of(shard);
    let mut after = leased.reached.clone().unwrap_or_else(|| match shard {
        0 => Vec::new(),
        shard => Id::last_of(shard - 1).bytes().to_vec(),
    });
    let today = app.today().to_string();
    loop {
        let mut tx = app.store.read().await?;
        let batch = app.config.refresh.batch;
        let people = refresh::people(&mut tx, &after, last.bytes(), batch, &today).await?;
        drop(tx);
        let Some(reached) = people.last().map(|row| row.id.clone()) else {
            let mut tx = app.store.write().await?;
            refresh::finish_shard(&mut tx, leased.shard, owner.bytes(), leased.began_at, None)
                .await?;
            tx.commit().await?;
            return Ok(());
        };
        let read_at = app.now();
        let (asks, readable) = asks(app, &people);
        let answers = match ask(app, owner, leased.shard, &asks, source_is_down).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::warn!(source = app.source.kind(), shard, %error, "a batch failed whole");
                return give_up_shard(app, run, owner, leased, &after, &today).await;
            }
        };
        let until = app.now() + app.config.refresh.lease_seconds * 1000;
        let mut race = 0;
        loop {
            let mut tx = app.store.write().await?;
            let outcome = refresh_batch::write(
                app,
                &mut tx,
                &people,
                &readable,
                &answers,
                leased.read_at,
                read_at,
            )
            .await;
            let outcome = match outcome {
                Ok(counts) => refresh::advance(
                    &mut tx,
                    leased.shard,
                    owner.bytes(),
                    &reached,
                    until,
                    counts,
                    run,
                )
                .await
                .map_err(Error::from),
                Err(error) => Err(error),
            };
            match outcome {
                // The lease was lost: another server reads this shard, and nothing of ours counts.
                Ok(false) => return Ok(()),
                Ok(true) => match tx.commit().await.map_err(Error::from) {
                    Ok(()) => break,
                    Err(error) if error.is_retryable() && race < 5 => race += 1,
                    Err(error) => return Err(error),
                },
                Err(error) if error.is_retryable() && race < 5 => race += 1,
                Err(error) => return Err(error),
            }
        }
        after = reached;
    }
}

/// What to ask for each person whose profile opens; the index of each in the batch.
fn asks(app: &App, people: &[RefreshRow]) -> (Vec<Ask>, Vec<Option<Identity>>) {
    let mut asks = Vec::with_capacity(people.len());
    let mut readable = Vec::with_capacity(people.len());
    for row in people {
        let identity = super::id_of(&row.id)
            .and_then(|id| Profile::open(app, id, &row.profile)?.identity(app));
        match identity {
            Ok(identity) => {
                asks.push(Ask {
                    name: identity.name.clone(),
                    document: identity.document.clone(),
                    items: health::union(row.wanted.as_deref()),
                });
                readable.push(Some(identity));
            }
            Err(error) => {
                tracing::error!(%error, "a profile does not open");
                readable.push(None);
            }
        }
    }
    (asks, readable)
}

/// Asks the source, again with backoff where it fails whole; once, while it is known to be down.
/// The shard's lease is kept meanwhile, however long the source takes.
async fn ask(
    app: &App,
    owner: Id,
    shard: i64,
    asks: &[Ask],
    source_is_down: &mut bool,
) -> std::result::Result<Vec<Answer>, SourceError> {
    let attempts = if *source_is_down {
        1
    } else {
        app.config.refresh.attempts.max(1)
    };
    let mut pause = Duration::from_secs(app.config.refresh.backoff_seconds);
    let asking = async {
        let mut attempt = 1;
        loop {
            let outcome = match tokio::time::timeout(BATCH_WITHIN, app.source.read(asks)).await {
                Ok(Ok(answers)) if answers.len() == asks.len() => Ok(answers),
                Ok(Ok(_)) => Err(SourceError::Garbage("not one answer for each ask".into())),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(SourceError::Unavailable("no answer in time".into())),
            };
            if outcome.is_ok() || attempt >= attempts {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    };
    let outcome = tokio::select! {
        outcome = asking => outcome,
        () = keep_lease(app, owner, shard) => Err(SourceError::Unavailable("the lease was lost".into())),
    };
    *source_is_down = outcome.is_err();
    outcome
}

/// Moves a lease's end on and on; comes back only where the database fails.
async fn keep_lease(app: &App, owner: Id, shard: i64) {
    let lease = app.config.refresh.lease_seconds.max(3);
    loop {
        tokio::time::sleep(Duration::from_secs(lease.unsigned_abs() / 3)).await;
        let kept = async {
            let mut tx = app.store.write().await?;
            let until = app.now() + lease * 1000;
            refresh::extend(&mut tx, shard, owner.bytes(), until).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(shard, error = error.kind(), "a lease could not be kept");
            return;
        }
    }
}

/// The rest of a shard could not be read: nobody is written off, the shard keeps its time.
async fn give_up_shard(
    app: &App,
    run: &[u8],
    owner: Id,
    leased: &LeasedRow,
    after: &[u8],
    today: &str,
) -> Result<()> {
    let shard = u8::try_from(leased.shard).unwrap_or(0);
    let last = Id::last_of(shard);
    let now = app.now();
    let mut tx = app.store.write().await?;
    let failed = refresh::count(&mut tx, after, last.bytes(), today).await?;
    let counts = Counts {
        failed,
        ..Counts::default()
    };
    let kept = refresh::advance(
        &mut tx,
        leased.shard,
        owner.bytes(),
        last.bytes(),
        now,
        counts,
        run,
    )
    .await?;
    if kept {
        refresh::finish_shard(&mut tx, leased.shard, owner.bytes(), None, Some(now)).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn run_of(app: &App, row: &RunRow) -> Run {
    Run {
        updated: row.updated,
        unchanged: row.unchanged,
        failed: row.failed,
        unmatched: row.unmatched,
        started_at: clock::rfc3339(row.started_at, &app.zone),
        finished_at: row
            .finished_at
            .map_or_else(String::new, |at| clock::rfc3339(at, &app.zone)),
    }
}
