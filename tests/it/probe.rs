//! The sample source behind a probe: it counts what is asked, and can be held in the middle of a
//! reading while something else happens.
use crate::app::{On, TestApp};
use async_trait::async_trait;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;
use tuantibu::{
    config::Config,
    source::{Answer, Ask, HealthSource, Identity, SourceError},
};

/// What it saw, and what it is told.
pub(crate) struct Probe {
    inner: Arc<dyn HealthSource>,
    matches: AtomicUsize,
    reads: AtomicUsize,
    fails_to_read: AtomicBool,
    holds: AtomicBool,
    reached: Semaphore,
    released: Semaphore,
}

impl Probe {
    /// A program whose source is probed.
    pub(crate) async fn start(on: On, change: impl FnOnce(&mut Config)) -> (TestApp, Arc<Self>) {
        let mut app = TestApp::start_with(on, change).await;
        let parts = Arc::get_mut(&mut app.app).unwrap();
        let probe = Arc::new(Self {
            inner: parts.source.clone(),
            matches: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            fails_to_read: AtomicBool::new(false),
            holds: AtomicBool::new(false),
            reached: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        parts.source = probe.clone();
        (app, probe)
    }

    /// How often it was asked to match and to read since the last time.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (take(&self.matches), take(&self.reads))
    }

    /// Whether readings, and they alone, fail.
    pub(crate) fn fail_to_read(&self, fails: bool) {
        self.fails_to_read.store(fails, Ordering::SeqCst);
    }

    /// Holds the next reading until [`Probe::release`].
    pub(crate) fn hold(&self) {
        self.holds.store(true, Ordering::SeqCst);
    }

    /// Waits until a reading is held.
    pub(crate) async fn held(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub(crate) fn release(&self) {
        self.released.add_permits(1);
    }
}

#[async_trait]
impl HealthSource for Probe {
    fn kind(&self) -> &'static str {
        "probe"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        self.matches.fetch_add(1, Ordering::SeqCst);
        self.inner.matches(who).await
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let answers = self.inner.read(batch).await?;
        if self.fails_to_read.load(Ordering::SeqCst) {
            return Ok(vec![Answer::Failed; batch.len()]);
        }
        if self.holds.swap(false, Ordering::SeqCst) {
            self.reached.add_permits(1);
            self.released.acquire().await.unwrap().forget();
        }
        Ok(answers)
    }
}
