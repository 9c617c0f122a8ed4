//! Faults on demand, for the demo and for tests: a source that is down, slow or talks rubbish.
use super::{Adopted, Answer, Ask, Changes, HealthSource, Identity, SourceError};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// How long a slow source takes to answer.
const SLOW: Duration = Duration::from_secs(3);

/// What is wrong with the source.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    Ok,
    /// It cannot be reached.
    Down,
    /// It answers, but late.
    Slow,
    /// It answers something unreadable.
    Garbage,
}

/// A source with a switch before it.
pub struct Faults {
    inner: Arc<dyn HealthSource>,
    fault: AtomicU8,
}

impl Faults {
    /// The source, working.
    #[must_use]
    pub fn new(inner: Arc<dyn HealthSource>) -> Self {
        Self {
            inner,
            fault: AtomicU8::new(Fault::Ok as u8),
        }
    }

    /// Breaks or mends it.
    pub fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// What is wrong with it now.
    #[must_use]
    pub fn get(&self) -> Fault {
        let fault = self.fault.load(Ordering::SeqCst);
        [Fault::Down, Fault::Slow, Fault::Garbage]
            .into_iter()
            .find(|one| *one as u8 == fault)
            .unwrap_or(Fault::Ok)
    }

    async fn pass(&self) -> Result<(), SourceError> {
        let fault = self.fault.load(Ordering::SeqCst);
        if fault == Fault::Down as u8 {
            return Err(SourceError::Unavailable("told to be down".into()));
        }
        if fault == Fault::Garbage as u8 {
            return Err(SourceError::Garbage("told to talk rubbish".into()));
        }
        if fault == Fault::Slow as u8 {
            tokio::time::sleep(SLOW).await;
        }
        Ok(())
    }
}

#[async_trait]
impl HealthSource for Faults {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        self.pass().await?;
        self.inner.matches(who).await
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        self.pass().await?;
        self.inner.read(batch).await
    }

    async fn check(&self) -> Result<Vec<String>, SourceError> {
        self.pass().await?;
        self.inner.check().await
    }

    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        self.pass().await?;
        self.inner.cursor().await
    }

    /// What is broken on demand is the answers, not the file.
    async fn adopt_keys(&self) -> Result<Adopted, SourceError> {
        self.inner.adopt_keys().await
    }

    async fn changes(&self, since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        self.pass().await?;
        self.inner.changes(since).await
    }
}
