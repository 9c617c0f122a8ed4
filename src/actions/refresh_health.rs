//! The refresh: everybody with a live authorization is read again, shard by shard, batch by batch.
//!
//! A run is a row; each shard has a lease and a mark of how far it came. A batch is one
//! transaction: changed snapshots, misses, the shard's progress. So a killed run is picked up where
//! it stopped, several servers share one run, and people whose information did not change cost a
//! read and no write. Where the source can tell what changed since the last run, nobody else is even
//! opened.
use super::{
    audit, erase_expired,
    refresh_shard::{self, UnderWay},
};
use crate::{
    app::App,
    clock,
    crypto::random,
    error::{Error, Result},
    model::id::{Id, SHARDS},
    source::{Answer, Ask, Identity},
    store::refresh::{self, RunRow},
};
use jiff::civil::{DateTime, Time};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};

/// Between looks whether another server has finished its shards.
const WAIT: Duration = Duration::from_millis(200);

/// The cause of a run that the schedule began: it is run once, however many servers see it due.
pub const SCHEDULED: &str = "schedule";

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
    app: &Arc<App>,
    cause: &str,
    progress: &(dyn Fn(i64, i64) + Send + Sync),
) -> Result<Run> {
    // Nobody is asked about for a register that is over.
    erase_expired::end_registers(app).await?;
    let under_way = match begin_or_join(app, cause).await? {
        Begun::UnderWay(run) => Arc::new(run),
        Begun::Already(run) => return Ok(run),
    };
    let total = count_people(app).await?;
    let (told, mut tells) = mpsc::channel(1);
    let mut workers = JoinSet::new();
    for _ in 0..app.config.refresh.at_once {
        let (app, run, told) = (app.clone(), under_way.clone(), told.clone());
        workers.spawn(async move { refresh_shard::read_shards(&app, &run, &told).await });
    }
    drop(told);
    while tells.recv().await.is_some() {
        let mut tx = app.store.read().await?;
        progress(refresh::progress(&mut tx, &under_way.id).await?, total);
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|_| Error::unexpected("a part of the refresh broke off"))??;
    }
    finished(app, &under_way).await
}

/// Waits for the end of a run whose shards are all taken, and tells how it went.
async fn finished(app: &App, under_way: &UnderWay) -> Result<Run> {
    loop {
        let mut tx = app.store.write().await?;
        refresh::lock(&mut tx).await?;
        refresh::finish_run(&mut tx, &under_way.id, app.now()).await?;
        let row = refresh::run(&mut tx, &under_way.id).await?;
        tx.commit().await?;
        let row = row.ok_or_else(|| Error::unexpected("a refresh run vanished"))?;
        if row.finished_at.is_some() {
            return Ok(run_of(app, &row));
        }
        // Another server works on the last shards, or was killed: then its leases run out.
        tokio::time::sleep(WAIT).await;
        let (nobody, _) = mpsc::channel(1);
        refresh_shard::read_shards(app, under_way, &nobody).await?;
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

enum Begun {
    UnderWay(UnderWay),
    /// Another server has done it since this one saw that it was due.
    Already(Run),
}

async fn begin_or_join(app: &App, cause: &str) -> Result<Begun> {
    // Asked before anything is read: what changes while the run reads is found by the next.
    let cursor = app.source.cursor().await.unwrap_or_else(|error| {
        tracing::warn!(source = app.source.kind(), %error, "the source told no cursor");
        None
    });
    let mut tx = app.store.write().await?;
    refresh::lock(&mut tx).await?;
    if let Some(open) = refresh::open_run(&mut tx).await? {
        return Ok(Begun::UnderWay(UnderWay::new(open.id, open.cursor)));
    }
    if cause == SCHEDULED
        && let Some(last) = refresh::last_run(&mut tx).await?
        && last.started_at >= last_due(app, app.now())
    {
        return Ok(Begun::Already(run_of(app, &last)));
    }
    let id = random::id(&*app.random);
    refresh::insert_run(&mut tx, id.bytes(), cause, app.now(), cursor.as_deref()).await?;
    let event = audit::Event {
        action: "refresh_began",
        subject: Some(id),
        ..audit::Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(Begun::UnderWay(UnderWay::new(id.bytes().to_vec(), cursor)))
}

async fn count_people(app: &App) -> Result<i64> {
    let mut tx = app.store.read().await?;
    Ok(refresh::count(&mut tx, &[], Id::last_of(SHARDS - 1).bytes()).await?)
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
