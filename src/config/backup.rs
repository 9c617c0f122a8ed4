//! Backups and what outlives them.
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// The list of erasures, outside the database: who is started on an old copy erases again.
    /// Where it is not said, beside a SQLite database's file; PostgreSQL has none then.
    pub erasures_file: Option<PathBuf>,
    /// Days after which the operator destroys backups (SECURITY.md §4).
    pub keep_days: i64,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            erasures_file: None,
            keep_days: 35,
        }
    }
}

impl super::Config {
    /// Where the list of erasures stands.
    #[must_use]
    pub fn erasures_file(&self) -> Option<PathBuf> {
        let own = self.backup.erasures_file.clone();
        own.or_else(|| {
            let path = self.database.url.strip_prefix("sqlite:")?;
            let path = Path::new(path.trim_start_matches("//"));
            Some(path.with_extension("erased"))
        })
    }
}
