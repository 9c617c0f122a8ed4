//! The health source that the configuration names.
use super::{Demo, Holder, Parts, StartError, make_folder_of};
use crate::{
    config::{Config, SourceKind},
    crypto::{self, Keys, SharedSecret},
    model::{catalogue::Catalogue, phone::Regions},
    sms::outbox::Outbox,
    source::{
        HealthSource,
        embedded::EmbeddedSource,
        faults::Faults,
        fhir::{Credentials, FhirConfig, FhirSource},
        http::{HttpSource, HttpSourceConfig},
        sql::{SqlParts, SqlSource},
    },
    store::Store,
};
use jiff::tz::TimeZone;
use std::{path::Path, sync::Arc, time::Duration};

/// The embedded source alone, for `tuantibu source import`.
///
/// # Errors
/// As [`crate::app::App::start`].
pub async fn open_embedded(
    config: &Config,
    parts: &Parts,
) -> Result<(EmbeddedSource, Arc<Holder>), StartError> {
    make_folder_of(&config.database.url)?;
    let mut database = config.database.clone();
    database.connections = 1;
    let store = Store::open(&database).await.map_err(StartError::of)?;
    let holder = Arc::new(Holder::open(config, &store, parts).await?);
    let regions = regions(config)?;
    let catalogue = Arc::new(Catalogue::embedded());
    let source = embedded(config, holder.keys(), catalogue, regions).await?;
    Ok((source, holder))
}

pub(super) fn regions(config: &Config) -> Result<Regions, StartError> {
    Regions::with(config.phones.regions.iter().map(String::as_str))
        .map_err(|error| StartError(format!("phones.regions: {error}")))
}

async fn embedded(
    config: &Config,
    keys: Arc<Keys>,
    catalogue: Arc<Catalogue>,
    regions: Regions,
) -> Result<EmbeddedSource, StartError> {
    let path = Path::new(&config.source.url);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| StartError(format!("source.url: {}: {error}", folder.display())))?;
    }
    EmbeddedSource::open(path, keys, catalogue, regions)
        .await
        .map_err(|error| StartError(format!("source.url: {error}")))
}

/// The FHIR connector, as the configuration describes the server.
fn fhir(
    config: &Config,
    parts: &Parts,
    catalogue: Arc<Catalogue>,
    regions: Regions,
    zone: TimeZone,
) -> Result<FhirSource, StartError> {
    let wrong = |key: &str, error: &dyn std::fmt::Display| StartError(format!("{key}: {error}"));
    let settings = &config.source;
    let mut fhir = FhirConfig::new(&settings.url, zone, regions)
        .map_err(|error| wrong("source.url", &error))?;
    fhir.timeout = Duration::from_secs(settings.timeout_seconds);
    fhir.systems = settings
        .identifier_systems
        .iter()
        .map(|(kind, system)| {
            let kind = kind
                .parse()
                .map_err(|error| wrong("source.identifier_systems", &error))?;
            Ok((kind, system.clone()))
        })
        .collect::<Result<_, StartError>>()?;
    if let Some(path) = &settings.token_file {
        let token =
            crypto::secret_text(path).map_err(|error| wrong("source.token_file", &error))?;
        fhir.credentials = Credentials::Bearer(token);
    }
    let clock = parts.clock.clone();
    FhirSource::new(fhir, catalogue, Arc::new(move || clock.now()))
        .map_err(|error| wrong("source", &error))
}

/// The connector to a server of the Health Source API.
fn http(
    config: &Config,
    parts: &Parts,
    keys: Arc<Keys>,
    catalogue: Arc<Catalogue>,
    regions: Regions,
    zone: TimeZone,
) -> Result<HttpSource, StartError> {
    let settings = &config.source;
    let path = settings.secret_file.as_deref().ok_or_else(|| {
        StartError("source.secret_file: requests are signed with a secret, name its file".into())
    })?;
    let secret = SharedSecret::read(path)
        .map_err(|error| StartError(format!("source.secret_file: {error}")))?;
    let clock = parts.clock.clone();
    let http = HttpSourceConfig {
        url: &settings.url,
        client: &settings.client,
        secret,
        timeout: Duration::from_secs(settings.timeout_seconds),
        zone,
        catalogue,
        regions,
    };
    HttpSource::new(http, keys, Arc::new(move || clock.now())).map_err(StartError::of)
}

/// The connector that the configuration names, and the demo's switches where it is a demo.
pub(super) async fn open_source(
    config: &Config,
    parts: &Parts,
    keys: &Arc<Keys>,
    catalogue: &Arc<Catalogue>,
    outbox: Arc<Outbox>,
) -> Result<(Arc<dyn HealthSource>, Option<Demo>), StartError> {
    let zone = config.zone().map_err(StartError::of)?;
    let mut sample = None;
    let source: Arc<dyn HealthSource> = match (&parts.source, config.source.kind) {
        (Some(source), _) => source.clone(),
        (None, SourceKind::Embedded) => {
            let source =
                embedded(config, keys.clone(), catalogue.clone(), regions(config)?).await?;
            let source = Arc::new(source);
            sample = Some(source.clone());
            source
        }
        (None, SourceKind::Fhir) => Arc::new(fhir(
            config,
            parts,
            catalogue.clone(),
            regions(config)?,
            zone,
        )?),
        (None, SourceKind::Http) => Arc::new(http(
            config,
            parts,
            keys.clone(),
            catalogue.clone(),
            regions(config)?,
            zone,
        )?),
        (None, SourceKind::Sql) => {
            let clock = parts.clock.clone();
            let parts = SqlParts {
                config: config.source.sql.clone(),
                timeout: Duration::from_secs(config.source.timeout_seconds),
                zone,
                catalogue: catalogue.clone(),
                regions: regions(config)?,
                keys: keys.clone(),
                now: Arc::new(move || clock.now()),
            };
            Arc::new(SqlSource::open(parts).await.map_err(StartError)?)
        }
    };
    if !parts.demo {
        return Ok((source, None));
    }
    let faults = Arc::new(Faults::new(source));
    let demo = Demo {
        outbox,
        sample,
        faults: faults.clone(),
        people: Arc::default(),
    };
    Ok((faults, Some(demo)))
}
