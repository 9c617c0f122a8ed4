//! The shards of a refresh: leased, read batch by batch, written, given up where the source fails.
use super::{
    health,
    profile::Profile,
    refresh_batch::{self, Asked, Decided},
};
use crate::{
    app::App,
    crypto::random,
    error::{Error, Result},
    model::id::Id,
    source::{Answer, Ask, Changes, SourceError},
    store::{
        Tx,
        refresh::{self, Counts, LeasedRow, RefreshRow},
    },
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{Mutex, mpsc};

/// No batch takes longer, whatever the source does: each connector has bounds of its own below it.
const BATCH_WITHIN: Duration = Duration::from_secs(600);
/// Profiles opened before other tasks of the thread get their turn.
const AT_ONCE: usize = 200;

type Changed = Option<Arc<dyn Changes>>;

/// A run that is under way.
pub(crate) struct UnderWay {
    /// Its id.
    pub(crate) id: Vec<u8>,
    /// Where the source's changes stood when it began.
    cursor: Option<String>,
    /// What changed since the cursors of the shards, each asked for once.
    changes: Mutex<HashMap<String, Changed>>,
}

impl UnderWay {
    pub(crate) fn new(id: Vec<u8>, cursor: Option<String>) -> Self {
        Self {
            id,
            cursor,
            changes: Mutex::default(),
        }
    }

    /// What changed since a shard was read; `None` reads everybody.
    async fn changes(&self, app: &App, shard: &LeasedRow) -> Changed {
        // Without a cursor of this run's own the next could not go on from it.
        let since = shard.cursor.as_ref().filter(|_| self.cursor.is_some())?;
        let mut known = self.changes.lock().await;
        if let Some(changes) = known.get(since) {
            return changes.clone();
        }
        let changes = app.source.changes(since).await.unwrap_or_else(|error| {
            tracing::warn!(source = app.source.kind(), %error, "the source told no changes");
            None
        });
        let changes: Changed = changes.map(Arc::from);
        known.insert(since.clone(), changes.clone());
        changes
    }
}

/// Who reads: one lease at a time.
struct Reader<'a> {
    app: &'a App,
    run: &'a UnderWay,
    owner: Id,
    source_is_down: bool,
}

/// Leases shards and reads each to its end, until none is left; tells after each.
pub(crate) async fn read_shards(app: &App, run: &UnderWay, told: &mpsc::Sender<()>) -> Result<()> {
    let mut reader = Reader {
        app,
        run,
        owner: random::id(&*app.random),
        source_is_down: false,
    };
    let mut tx = app.store.write().await?;
    let mut leased = reader.lease(&mut tx).await?;
    tx.commit().await?;
    while let Some(shard) = leased {
        leased = reader.read_shard(&shard).await?;
        // Who is not listened to has told somebody already.
        let _ = told.try_send(());
    }
    Ok(())
}

impl Reader<'_> {
    async fn lease(&self, tx: &mut Tx) -> Result<Option<LeasedRow>> {
        let now = self.app.now();
        let until = self.lease_end();
        Ok(refresh::lease(tx, self.owner.bytes(), until, now, &self.run.id).await?)
    }

    fn lease_end(&self) -> i64 {
        self.app.now() + self.app.config.refresh.lease_seconds * 1000
    }

    /// Reads a leased shard to its end, and leases the next.
    async fn read_shard(&mut self, leased: &LeasedRow) -> Result<Option<LeasedRow>> {
        let app = self.app;
        let shard =
            u8::try_from(leased.shard).map_err(|_| Error::unexpected("a shard's number"))?;
        let last = Id::last_of(shard);
        let changes = self.run.changes(app, leased).await;
        let batch = app.config.refresh.batch;
        let mut after = leased.reached.clone().unwrap_or_else(|| match shard {
            0 => Vec::new(),
            shard => Id::last_of(shard - 1).bytes().to_vec(),
        });
        loop {
            let mut tx = app.store.read().await?;
            let page = refresh::people(&mut tx, &after, last.bytes(), batch).await?;
            drop(tx);
            let is_last = i64::try_from(page.len()).is_ok_and(|count| count < batch);
            let reached = match page.last() {
                Some(row) if !is_last => row.id.clone(),
                _ => last.bytes().to_vec(),
            };
            let untouched = page.len();
            let due: Vec<RefreshRow> = page
                .into_iter()
                .filter(|row| {
                    let changed = |changes: &Arc<dyn Changes>| changes.touch(&row.document_hash);
                    row.miss != 0 || changes.as_ref().is_none_or(changed)
                })
                .collect();
            let untouched = untouched - due.len();
            let read_at = app.now();
            let (asks, asked) = self.asks(due).await;
            let answers = match self.ask(leased.shard, &asks).await {
                Ok(answers) => answers,
                Err(error) => {
                    let source = app.source.kind();
                    tracing::warn!(source, shard, %error, "a batch failed whole");
                    return self.give_up(leased, &after).await;
                }
            };
            let decided =
                refresh_batch::decide(app, &asked, &answers, leased.read_at, read_at).await?;
            let done = Done {
                after: &after,
                reached: &reached,
                unchanged: i64::try_from(untouched).unwrap_or(i64::MAX),
                is_last,
            };
            let mut race = 0;
            let next = loop {
                match self.write(leased, &decided, &done).await {
                    Err(error) if error.is_retryable() && race < super::RACES => race += 1,
                    outcome => break outcome?,
                }
            };
            match next {
                Written::GoOn => after = reached,
                Written::Next(next) => return Ok(next),
                // The lease was lost: another server reads this shard, and nothing of ours counts.
                Written::Lost => {
                    let mut tx = app.store.write().await?;
                    let next = self.lease(&mut tx).await?;
                    tx.commit().await?;
                    return Ok(next);
                }
            }
        }
    }

    /// One batch's transaction: what changed, how far the shard came, its end and the next lease.
    async fn write(
        &self,
        leased: &LeasedRow,
        decided: &Decided<'_>,
        done: &Done<'_>,
    ) -> Result<Written> {
        let (app, owner) = (self.app, self.owner.bytes());
        let mut tx = app.store.write().await?;
        let mut counts = decided.write(app, &mut tx).await?;
        counts.unchanged += done.unchanged;
        if !decided.is_empty() {
            refresh::tell(&mut tx, done.after, done.reached).await?;
        }
        let until = self.lease_end();
        let (shard, run) = (leased.shard, self.run.id.as_slice());
        if !refresh::advance(&mut tx, shard, owner, done.reached, until, counts, run).await? {
            return Ok(Written::Lost);
        }
        if !done.is_last {
            tx.commit().await?;
            return Ok(Written::GoOn);
        }
        let cursor = self.run.cursor.as_deref();
        refresh::finish_shard(&mut tx, shard, owner, leased.began_at, None, cursor).await?;
        let next = self.lease(&mut tx).await?;
        tx.commit().await?;
        Ok(Written::Next(next))
    }

    /// What to ask for each person whose profile opens.
    async fn asks(&self, due: Vec<RefreshRow>) -> (Vec<Ask>, Vec<Asked>) {
        let mut asks = Vec::with_capacity(due.len());
        let mut asked = Vec::with_capacity(due.len());
        for (done, row) in due.into_iter().enumerate() {
            if done % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let identity = super::id_of(&row.id)
                .and_then(|id| Profile::open(self.app, id, &row.profile)?.identity(self.app))
                .inspect_err(|error| tracing::error!(%error, "a profile does not open"))
                .ok();
            if let Some(identity) = &identity {
                asks.push(Ask {
                    name: identity.name.clone(),
                    document: identity.document.clone(),
                    items: health::union(Some(row.covers.as_str())),
                });
            }
            asked.push(Asked { row, identity });
        }
        (asks, asked)
    }

    /// Asks the source, again with backoff where it fails whole; once, while it is known to be down.
    /// The shard's lease is kept meanwhile, however long the source takes.
    async fn ask(
        &mut self,
        shard: i64,
        asks: &[Ask],
    ) -> std::result::Result<Vec<Answer>, SourceError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let outcome = tokio::select! {
            outcome = self.try_asking(asks) => outcome,
            () = self.keep_lease(shard) => Err(SourceError::Unavailable("the lease was lost".into())),
        };
        self.source_is_down = outcome.is_err();
        outcome
    }

    async fn try_asking(&self, asks: &[Ask]) -> std::result::Result<Vec<Answer>, SourceError> {
        let settings = &self.app.config.refresh;
        let attempts = if self.source_is_down {
            1
        } else {
            settings.attempts.max(1)
        };
        let mut pause = Duration::from_secs(settings.backoff_seconds);
        let mut attempt = 1;
        loop {
            let reading = tokio::time::timeout(BATCH_WITHIN, self.app.source.read(asks));
            let outcome = match reading.await {
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
    }

    /// Moves a lease's end on and on; comes back only where the database fails.
    async fn keep_lease(&self, shard: i64) {
        let lease = self.app.config.refresh.lease_seconds.max(3);
        loop {
            tokio::time::sleep(Duration::from_secs(lease.unsigned_abs() / 3)).await;
            let kept = async {
                let mut tx = self.app.store.write().await?;
                let until = self.app.now() + lease * 1000;
                refresh::extend(&mut tx, shard, self.owner.bytes(), until).await?;
                tx.commit().await
            };
            if let Err(error) = kept.await {
                tracing::warn!(shard, error = error.kind(), "a lease could not be kept");
                return;
            }
        }
    }

    /// The rest of a shard could not be read: nobody is written off, the shard keeps its time and
    /// its cursor. Leases the next.
    async fn give_up(&self, leased: &LeasedRow, after: &[u8]) -> Result<Option<LeasedRow>> {
        let last = Id::last_of(u8::try_from(leased.shard).unwrap_or(0));
        let (app, owner, run) = (self.app, self.owner.bytes(), self.run.id.as_slice());
        let (now, shard) = (app.now(), leased.shard);
        let mut tx = app.store.write().await?;
        let counts = Counts {
            failed: refresh::count(&mut tx, after, last.bytes()).await?,
            ..Counts::default()
        };
        if refresh::advance(&mut tx, shard, owner, last.bytes(), now, counts, run).await? {
            refresh::finish_shard(&mut tx, shard, owner, None, Some(now), None).await?;
        }
        let next = self.lease(&mut tx).await?;
        tx.commit().await?;
        Ok(next)
    }
}

/// How far a batch comes.
struct Done<'a> {
    after: &'a [u8],
    reached: &'a [u8],
    /// People whom nobody had to open.
    unchanged: i64,
    is_last: bool,
}

/// What came of writing a batch.
enum Written {
    /// The shard goes on.
    GoOn,
    /// The shard is done, and this is the next.
    Next(Option<LeasedRow>),
    /// Another server has it.
    Lost,
}
