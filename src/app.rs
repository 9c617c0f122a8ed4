//! The parts of a running program, put together.
mod connectors;
mod holder;
pub use connectors::open_embedded;
pub use holder::{Holder, LIVE_MS};
pub(crate) use holder::{key_row, wrapped_key};

use crate::{
    clock::{Clock, SystemClock},
    config::{Administrators, Config},
    crypto::{
        Keys,
        random::{OsRandom, Random},
        webauthn::Site,
    },
    erasure_list::Listed,
    gather::Gather,
    model::{catalogue::Catalogue, id::Id, phone::Regions, view::View},
    sms::{
        Receipt,
        gateways::Gateways,
        open::{self, Means},
        outbox::Outbox,
    },
    source::{HealthSource, embedded::EmbeddedSource, faults::Faults},
    store::{
        Store, hex_list,
        numbers::Numbers,
        registers::{self, StandingRow},
        sessions::{self, SessionRow},
    },
    texts::Texts,
};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use moka::future::Cache;
use std::{
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicI64},
};
use tokio::sync::Semaphore;

/// Memory that the kept views of registers may take in all, in bytes: some 250,000 members.
const VIEWS: u64 = 128 << 20;

/// Exports that a server makes at once.
const EXPORTS: usize = 2;

/// Why a program could not start. Names the key of the configuration or the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl StartError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A running program's parts. Actions take it; nothing else is global.
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The zone of days and of what people read.
    pub zone: TimeZone,
    /// The refresh's times of day.
    pub times: Vec<Time>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Keys.
    pub keys: Arc<Keys>,
    /// What tells the others which keys this program holds.
    pub holder: Arc<Holder>,
    /// The database.
    pub store: Store,
    /// The authority's database.
    pub source: Arc<dyn HealthSource>,
    /// The SMS gateways.
    pub sms: Gateways,
    /// What gateways told of texts that are not recorded yet.
    pub early_receipts: std::sync::Mutex<Vec<(String, Receipt, u32)>>,
    /// The health items.
    pub catalogue: Arc<Catalogue>,
    /// Whose phones are accepted.
    pub regions: Regions,
    /// Texts in every language.
    pub texts: Texts,
    /// Live sessions by the hashes of their tokens.
    pub sessions: Gather<[u8; 32], SessionRow>,
    /// How persons stand in registers.
    pub standings: Gather<(Id, Id), StandingRow>,
    /// What the lists of registers show, kept while their versions hold.
    pub views: Cache<Id, Arc<View>>,
    /// Which views by which session were logged in the last minutes.
    pub seen: Cache<(Id, Id), i64>,
    /// How many exports may be made at once.
    pub exports: Arc<Semaphore>,
    /// This server among those that share the database.
    pub server: Id,
    /// How far the list of erasures outside the database has come.
    pub erasures: tokio::sync::Mutex<Listed>,
    /// The numbers of this server's audit entries.
    pub audit_numbers: Numbers,
    /// What this server remembers of its work on the audit chain.
    pub audit_times: AuditTimes,
    /// The site that passkeys are made for; none where there are none.
    pub passkeys: Option<Site>,
    /// The demo's switches and outbox; none in `serve`.
    pub demo: Option<Demo>,
}

/// When this server last did what the audit chain wants now and then, in milliseconds.
#[derive(Default)]
pub struct AuditTimes {
    /// Looked through the whole log for entries that are not in the chain.
    pub searched: AtomicI64,
    /// Published the head.
    pub published: AtomicI64,
}

/// What only the demo has.
#[derive(Clone)]
pub struct Demo {
    /// The messages that were "sent".
    pub outbox: Arc<Outbox>,
    /// The sample source; none where the demo reads another's.
    pub sample: Option<Arc<EmbeddedSource>>,
    /// Breaks the source on demand.
    pub faults: Arc<Faults>,
    /// A few people to try, once the sample source is filled.
    pub people: Arc<OnceLock<Vec<SamplePerson>>>,
}

/// Somebody of the sample source.
#[derive(Clone, Debug)]
pub struct SamplePerson {
    /// The name.
    pub name: String,
    /// The number of the resident ID.
    pub document: String,
    /// The phone.
    pub phone: String,
    /// The key of the words that say what is special.
    pub note: &'static str,
}

/// What a test or the demo puts in the place of the usual parts.
#[derive(Clone)]
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Whether this is a demo: an outbox, faults, `/demo/*`.
    pub demo: bool,
    /// A source in the place of the configured one.
    pub source: Option<Arc<dyn HealthSource>>,
    /// Whether the store remembers which statements ran.
    pub recording: bool,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom::new()),
            demo: false,
            source: None,
            recording: false,
        }
    }
}

impl App {
    /// Opens the database, the keys and the connectors that the configuration names.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong and which key names it.
    pub async fn start(config: Config, parts: Parts) -> Result<Arc<Self>, StartError> {
        let zone = config.zone().map_err(StartError::of)?;
        let times = config.times().map_err(StartError::of)?;
        let regions = connectors::regions(&config)?;
        let passkeys = site(&config)?;
        let outbox = Arc::new(Outbox::new(parts.clock.clone()));
        let means = Means {
            clock: &parts.clock,
            random: &parts.random,
            zone: &zone,
            outbox: parts.demo.then_some(&outbox),
        };
        let sms = open::open(&config.sms, &means).map_err(StartError)?;
        make_folder_of(&config.database.url)?;
        let mut store = Store::open(&config.database)
            .await
            .map_err(StartError::of)?;
        if parts.recording {
            store = store.recording();
        }
        let holder = Arc::new(Holder::open(&config, &store, &parts).await?);
        let keys = holder.keys();
        let catalogue = Arc::new(Catalogue::embedded());
        let (source, demo) =
            connectors::open_source(&config, &parts, &keys, &catalogue, outbox).await?;
        Ok(Arc::new(Self {
            sessions: sessions_by_token(store.clone()),
            standings: standings(store.clone(), parts.clock.clone()),
            zone,
            times,
            server: holder.server(),
            random: parts.random,
            keys,
            holder,
            store,
            source,
            sms,
            early_receipts: std::sync::Mutex::default(),
            catalogue,
            regions,
            texts: Texts::embedded(),
            views: Cache::builder()
                .max_capacity(VIEWS)
                .weigher(|_, view: &Arc<View>| u32::try_from(view.weight()).unwrap_or(u32::MAX))
                .build(),
            seen: Cache::builder().max_capacity(100_000).build(),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            audit_numbers: Numbers::default(),
            audit_times: AuditTimes::default(),
            erasures: tokio::sync::Mutex::default(),
            passkeys,
            demo,
            clock: parts.clock,
            config,
        }))
    }

    /// Now, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.millis()
    }

    /// Today, in the configured zone.
    #[must_use]
    pub fn today(&self) -> Date {
        crate::clock::date(self.now(), &self.zone)
    }

    /// The address that links and QR codes carry.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.config.server.public_url
    }
}

/// The site of passkeys, where they are wanted and browsers make them for its address.
fn site(config: &Config) -> Result<Option<Site>, StartError> {
    let site = Site::of(&config.server.public_url);
    match config.auth.administrators {
        Administrators::Off => Ok(None),
        Administrators::Offered => Ok(site),
        Administrators::Required if site.is_none() => Err(StartError(
            "auth.administrators: passkeys need a server.public_url of a domain over https".into(),
        )),
        Administrators::Required => Ok(site),
    }
}

/// Look-ups of sessions by the hashes of their tokens.
fn sessions_by_token(store: Store) -> Gather<[u8; 32], SessionRow> {
    let gathers = store.has_round_trips();
    Gather::new(move |hashes: Vec<[u8; 32]>| {
        let store = store.clone();
        Box::pin(async move {
            let list = hex_list(hashes.iter().map(<[u8; 32]>::as_slice));
            let rows = sessions::by_tokens(&mut store.read().await?, &list).await?;
            Ok(rows
                .into_iter()
                .filter_map(|row| Some((row.token_hash.try_into().ok()?, row.session)))
                .collect())
        })
    })
    .gathering(gathers)
}

/// Look-ups of how persons stand in registers.
fn standings(store: Store, clock: Arc<dyn Clock>) -> Gather<(Id, Id), StandingRow> {
    let gathers = store.has_round_trips();
    Gather::new(move |pairs: Vec<(Id, Id)>| {
        let (store, now) = (store.clone(), clock.millis());
        Box::pin(async move {
            let pairs: Vec<Vec<u8>> = pairs
                .iter()
                .map(|(person, register)| [person.bytes(), register.bytes()].concat())
                .collect();
            let list = hex_list(pairs.iter().map(Vec::as_slice));
            let rows = registers::standings(&mut store.read().await?, &list, now).await?;
            Ok(rows
                .into_iter()
                .filter_map(|row| {
                    let person = Id::from_slice(&row.person_id)?;
                    Some(((person, Id::from_slice(&row.register_id)?), row))
                })
                .collect())
        })
    })
    .gathering(gathers)
}

/// Makes the folder of a SQLite database, so that a first start needs no preparation.
fn make_folder_of(url: &str) -> Result<(), StartError> {
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Ok(());
    };
    match Path::new(path.trim_start_matches("//")).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| StartError(format!("database.url: {}: {error}", folder.display()))),
        _ => Ok(()),
    }
}
