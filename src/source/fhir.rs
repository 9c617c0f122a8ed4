//! A FHIR R4 server as the health source: Patient, Immunization, Observation.
//!
//! What the server says is believed of nobody but who was asked for: every patient is re-checked
//! by identifier (and name, and phone), every other resource by its subject. Items of kinds that
//! FHIR carries no common form of (status, certificate) have no record here.
mod client;
mod config;
mod immunization;
mod observation;
mod patient;
mod resources;
mod time;

pub use config::{ConfigError, Credentials, FhirConfig, RESIDENT_ID_SYSTEM};

use super::{Answer, Ask, HealthSource, Identity, Now, SourceError};
use crate::model::{
    catalogue::{Catalogue, Coding, Item},
    document::Document,
    health::{Items, Kind},
};
use async_trait::async_trait;
use client::Client;
use futures_util::{StreamExt, stream};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use patient::Found;
use resources::{ImmunizationResource, ObservationResource, reference_of};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// So many requests in a row that get no answer end a batch: the server is down.
const GIVE_UP_AFTER: usize = 8;

/// A FHIR R4 server.
pub struct FhirSource {
    client: Client,
    config: FhirConfig,
    catalogue: Arc<Catalogue>,
    now: Now,
}

impl fmt::Debug for FhirSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FhirSource").field(&self.config).finish()
    }
}

/// The moment and place by which times are read.
#[derive(Clone)]
pub(in crate::source::fhir) struct Moment {
    now: Timestamp,
    today: Date,
    zone: TimeZone,
}

impl FhirSource {
    /// A source by its configuration. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When no client can be made of it.
    pub fn new(
        config: FhirConfig,
        catalogue: Arc<Catalogue>,
        now: Now,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            client: Client::new(&config)?,
            config,
            catalogue,
            now,
        })
    }

    fn moment(&self) -> Moment {
        let now = (self.now)();
        let zone = self.config.zone.clone();
        Moment {
            now,
            today: now.to_zoned_datetime(zone.clone()).date(),
            zone,
        }
    }

    /// The patients that have this document, re-checked. No name and no phone is compared here.
    async fn patients(
        &self,
        document: &Document,
        moment: &Moment,
    ) -> Result<Vec<Found>, SourceError> {
        let Some(system) = self.config.system_of(document.kind()) else {
            return Ok(Vec::new());
        };
        let token = format!("{}|{}", escape(system), escape(document.number()));
        let mut found = Vec::new();
        self.client
            .search("Patient", &[("identifier", token)], |entry| {
                found.extend(patient::check(
                    &entry,
                    system,
                    document,
                    moment,
                    &self.config,
                )?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    async fn matches_in_time(&self, who: &Identity) -> Result<bool, SourceError> {
        let found = self.patients(&who.document, &self.moment()).await?;
        Ok(found
            .iter()
            .any(|patient| patient.is_named(&who.name) & patient.has_phone(&who.phone)))
    }

    async fn answer(&self, ask: &Ask) -> Result<Answer, SourceError> {
        let moment = self.moment();
        let mut patients = self.patients(&ask.document, &moment).await?;
        patients.retain(|patient| patient.is_named(&ask.name));
        if patients.is_empty() {
            return Ok(Answer::NotMatched);
        }
        let mut items: Items = ask.items.iter().map(|id| (id.clone(), None)).collect();
        let of_kind = |kind| -> Vec<&Item> {
            let asked = self.catalogue.items.iter();
            asked
                .filter(|item| item.kind == kind && ask.items.contains(&item.id))
                .collect()
        };
        let vaccines = of_kind(Kind::Immunization);
        if let Some(codes) = codes(vaccines.iter().flat_map(|item| {
            let vaccines = item.vaccines.iter();
            vaccines.map(|vaccine| (&*vaccine.system, &*vaccine.code))
        })) {
            let given: Vec<ImmunizationResource> = self
                .resources("Immunization", "vaccine-code", &codes, &patients)
                .await?;
            for item in vaccines {
                items.insert(item.id.clone(), immunization::read(item, &given, &moment));
            }
        }
        let tests = of_kind(Kind::Test);
        if let Some(codes) = codes(tests.iter().flat_map(|item| {
            let tests = item.tests.iter();
            tests.map(|Coding { system, code }| (&**system, &**code))
        })) {
            let observed: Vec<ObservationResource> = self
                .resources("Observation", "code", &codes, &patients)
                .await?;
            for item in tests {
                items.insert(item.id.clone(), observation::read(item, &observed, &moment));
            }
        }
        Ok(Answer::Found {
            phones: patient::phones(patients),
            items,
        })
    }

    /// Every resource of a type that is about one of these patients.
    async fn resources<T: serde::de::DeserializeOwned + Send>(
        &self,
        kind: &'static str,
        parameter: &'static str,
        codes: &str,
        patients: &[Found],
    ) -> Result<Vec<T>, SourceError> {
        let ids: BTreeSet<&str> = patients.iter().map(|patient| &*patient.id).collect();
        let mut all = Vec::new();
        for id in ids {
            let query = [
                ("patient", format!("Patient/{id}")),
                (parameter, codes.to_owned()),
            ];
            self.client
                .search(kind, &query, |entry| {
                    let about = reference_of(&entry.resource).is_some_and(|reference| {
                        let mut same = patients.iter().filter(|patient| patient.id == id);
                        same.any(|patient| self.client.is_patient(reference, patient))
                    });
                    // Strangers' records are dropped unread.
                    if about {
                        all.push(serde_json::from_value(entry.resource).map_err(|_| {
                            SourceError::Garbage(format!("an {kind} has fields of a wrong type"))
                        })?);
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(all)
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        tokio::time::timeout(self.config.person_timeout, work)
            .await
            .unwrap_or_else(|_| Err(SourceError::Unavailable("one person takes too long".into())))
    }
}

#[async_trait]
impl HealthSource for FhirSource {
    fn kind(&self) -> &'static str {
        "fhir"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        self.in_time(self.matches_in_time(who)).await
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        self.client.count_anew();
        let given_up = AtomicBool::new(false);
        let each = |at: usize| {
            let given_up = &given_up;
            async move {
                if self.client.unreached() >= GIVE_UP_AFTER {
                    given_up.store(true, Ordering::Relaxed);
                }
                if given_up.load(Ordering::Relaxed) {
                    return Err(SourceError::Unavailable("given up".into()));
                }
                self.in_time(self.answer(&batch[at])).await
            }
        };
        let results: Vec<_> = stream::iter((0..batch.len()).map(each))
            .buffered(self.config.concurrency.max(1))
            .collect()
            .await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        if failed == 0 {
            return Ok(results.into_iter().flatten().collect());
        }
        let whole = failed == results.len() || given_up.into_inner();
        let mut answers = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(answer) => answers.push(answer),
                Err(error) if whole => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the FHIR server failed for one person");
                    answers.push(Answer::Failed);
                }
            }
        }
        Ok(answers)
    }
}

/// A token's value list, `system|code,system|code`; `None` for none.
fn codes<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let unique: BTreeSet<String> = codes
        .map(|(system, code)| format!("{}|{}", escape(system), escape(code)))
        .collect();
    let list: Vec<String> = unique.into_iter().collect();
    (!list.is_empty()).then(|| list.join(","))
}

/// FHIR's escape of the characters that part a search value.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
