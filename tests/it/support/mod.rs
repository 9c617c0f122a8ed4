//! What several tests stand on.
pub(crate) mod fake_fhir;
pub(crate) mod fault_proxy;
pub(crate) mod gateways;
pub(crate) mod health_source;
pub(crate) mod people;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod smpp;
pub(crate) mod their_database;

use jiff::tz::TimeZone;
use std::{path::PathBuf, sync::Arc};
use tuantibu::{
    crypto::{Keys, RootKey, Suite, random::OsRandom},
    model::{catalogue::Catalogue, phone::Regions},
    source::{embedded::EmbeddedSource, record::Rules},
};

/// The zone of the service.
pub(crate) fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

/// The embedded catalogue.
pub(crate) fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::embedded())
}

/// The rules of records, on a day of the service.
pub(crate) fn rules() -> Rules {
    Rules {
        catalogue: catalogue(),
        regions: Regions::default(),
        today: "2022-11-14".parse().unwrap(),
    }
}

/// Newly drawn keys.
pub(crate) fn keys() -> Arc<Keys> {
    let folder = tempfile::tempdir().unwrap();
    let root = RootKey::create(
        &folder.path().join("root.key"),
        Suite::Aes,
        &OsRandom::new(),
    )
    .unwrap();
    let rows = Keys::draw(&root, Suite::Aes, &OsRandom::new());
    Arc::new(Keys::unwrap_all(&root, &rows, Arc::new(OsRandom::new())).unwrap())
}

/// An empty embedded source in a folder that goes with it.
pub(crate) struct Store {
    pub(crate) source: EmbeddedSource,
    pub(crate) keys: Arc<Keys>,
    pub(crate) folder: tempfile::TempDir,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys();
        let path = folder.path().join("source.db");
        let source = EmbeddedSource::open(&path, keys.clone(), catalogue(), Regions::default())
            .await
            .unwrap();
        Self {
            source,
            keys,
            folder,
        }
    }

    /// The file once more.
    pub(crate) async fn open_again(&self) -> EmbeddedSource {
        EmbeddedSource::open(
            &self.path(),
            self.keys.clone(),
            catalogue(),
            Regions::default(),
        )
        .await
        .unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("source.db")
    }
}

/// A file of the tests' own.
pub(crate) fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

/// What `make test` hands over; without it the test fails and never skips.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}
