//! An authority's own server, over the Health Source API.
//!
//! What it says is believed of nobody but who was asked for: every record is re-checked by document
//! and name, in whatever order the answers stand.
use super::{
    Answer, Ask, Changes, HealthSource, Identity, Now, SourceError,
    changed::{self, Changed},
    contract::{MOST, MatchAnswer, MatchAsked, Matching, PersonAsked, ReadAsked, Reading},
    record::{HealthRecord, Rules, Sealed, read_line},
};
use crate::{
    crypto::{Keys, SharedSecret},
    model::{
        catalogue::Catalogue,
        document::{Document, DocumentType},
        phone::Regions,
    },
    outbound::AddressError,
};
use async_trait::async_trait;
use client::Client;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::HashMap, sync::Arc, time::Duration};

pub mod client;

/// Why a server cannot be used. Names the key of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum HttpSourceError {
    /// Its address is refused.
    #[error("source.url {0}")]
    Address(#[from] AddressError),
    /// Our own name cannot stand in a header.
    #[error("source.client: letters, digits, '-', '_' and '.' alone")]
    Client,
    /// No client can be made.
    #[error("no HTTP client can be made: {0}")]
    Http(String),
}

/// What a server is reached and read with.
#[derive(Debug)]
pub struct HttpSourceConfig<'a> {
    /// The base URL, with the version: `https://…/v1`.
    pub url: &'a str,
    /// Who we say that we are.
    pub client: &'a str,
    /// What requests are signed with.
    pub secret: SharedSecret,
    /// Seconds that a request may take.
    pub timeout: Duration,
    /// The zone of local days.
    pub zone: TimeZone,
    /// The items that there are.
    pub catalogue: Arc<Catalogue>,
    /// The countries whose phones are allowed.
    pub regions: Regions,
}

/// A server of the Health Source API.
pub struct HttpSource {
    client: Client,
    keys: Arc<Keys>,
    catalogue: Arc<Catalogue>,
    regions: Regions,
    zone: TimeZone,
    now: Now,
}

/// One answer as it came: the record is read for itself, so that one that cannot be is one person's.
#[derive(Deserialize)]
struct Heard<'a> {
    document_type: DocumentType,
    document_number: String,
    outcome: Reading,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AllHeard<'a> {
    #[serde(borrow)]
    answers: Vec<Heard<'a>>,
}

impl HttpSource {
    /// A source at an address. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// When the address is refused, or no client can be made.
    pub fn new(
        config: HttpSourceConfig<'_>,
        keys: Arc<Keys>,
        now: Now,
    ) -> Result<Self, HttpSourceError> {
        let client = Client::new(
            config.url,
            config.client,
            config.secret,
            config.timeout,
            now.clone(),
        )?;
        Ok(Self {
            client,
            keys,
            catalogue: config.catalogue,
            regions: config.regions,
            zone: config.zone,
            now,
        })
    }

    fn today(&self) -> Date {
        (self.now)().to_zoned_datetime(self.zone.clone()).date()
    }

    async fn read_some(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let people = batch.iter().map(|ask| PersonAsked {
            document_type: ask.document.kind(),
            document_number: ask.document.number().to_owned(),
            name: ask.name.as_str().to_owned(),
            items: ask.items.clone(),
        });
        let asked = ReadAsked {
            people: people.collect(),
        };
        let body = self.client.post("read", &asked).await?;
        let heard: AllHeard<'_> = client::parse(&body)?;
        let mut of_each: HashMap<(DocumentType, &str), Vec<&Heard<'_>>> = batch
            .iter()
            .map(|ask| ((ask.document.kind(), ask.document.number()), Vec::new()))
            .collect();
        for answer in &heard.answers {
            let who = (answer.document_type, answer.document_number.as_str());
            let known = of_each.get_mut(&who);
            known
                .ok_or_else(|| client::garbage("it answers of somebody who was not asked for"))?
                .push(answer);
        }
        let rules = Rules {
            catalogue: self.catalogue.clone(),
            regions: self.regions.clone(),
            today: self.today(),
        };
        let answer = |ask: &Ask| {
            let who = (ask.document.kind(), ask.document.number());
            of_each
                .get(&who)
                .map_or(Answer::Failed, |heard| answer(&rules, ask, heard))
        };
        Ok(batch.iter().map(answer).collect())
    }
}

/// What the answers about one person mean. Half an answer is none: who is missing is read later. Of
/// two records the newest test counts; answers that say different things are believed neither.
fn answer(rules: &Rules, ask: &Ask, heard: &[&Heard<'_>]) -> Answer {
    let Some(first) = heard.first() else {
        return Answer::Failed;
    };
    if heard.iter().any(|other| other.outcome != first.outcome) {
        return Answer::Failed;
    }
    match first.outcome {
        Reading::NotMatched | Reading::NoRecord => return Answer::NotMatched,
        Reading::TryLater => return Answer::Failed,
        Reading::Found => {}
    }
    let mut all: Option<Sealed> = None;
    for one in heard {
        let record = one
            .record
            .and_then(|record| read_line(record.get()).ok())
            .and_then(|wire| HealthRecord::check(&wire, rules).ok())
            .filter(|record| record.document == ask.document);
        let Some(record) = record else {
            return Answer::Failed;
        };
        match &mut all {
            Some(all) => all.merge(record),
            None => all = Some(record.into_sealed()),
        }
    }
    all.map_or(Answer::Failed, |record| record.answer(ask))
}

#[async_trait]
impl HealthSource for HttpSource {
    fn kind(&self) -> &'static str {
        "http"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        let asked = MatchAsked {
            document_type: who.document.kind(),
            document_number: who.document.number().to_owned(),
            name: who.name.as_str().to_owned(),
            phone: who.phone.e164().to_owned(),
        };
        let body = self.client.post("match", &asked).await?;
        let answer: MatchAnswer = client::parse(&body)?;
        Ok(answer.outcome == Matching::Matched)
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let mut answers = Vec::with_capacity(batch.len());
        for some in batch.chunks(MOST) {
            answers.extend(self.read_some(some).await?);
        }
        let failed = answers.iter().filter(|one| **one == Answer::Failed).count();
        if failed > 0 {
            tracing::warn!(
                failed,
                "the source answered of some people unreadably or not at all"
            );
            if failed == answers.len() {
                return Err(client::garbage("not one record of a batch can be read"));
            }
        }
        Ok(answers)
    }

    async fn check(&self) -> Result<Vec<String>, SourceError> {
        let about = self.client.about().await?;
        let mut seen = vec![format!("Health Source API {}", about.version)];
        if let Ok(time) = about.time.parse::<Timestamp>() {
            let apart = time.as_second() - (self.now)().as_second();
            seen.push(format!("its clock is {apart} s ahead of ours"));
        }
        let known = self.catalogue.items.iter();
        let known = known.filter(|item| about.items.contains(&item.id)).count();
        seen.push(format!("{known} items of {}", self.catalogue.items.len()));
        Ok(seen)
    }

    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        Ok(self.client.changes(None).await?.map(|answer| answer.cursor))
    }

    async fn changes(&self, since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        let today = self.today();
        let mut changed = Changed::none(&self.keys);
        let mut since = since.to_owned();
        loop {
            let Some(answer) = self.client.changes(Some(&since)).await? else {
                return Ok(None);
            };
            let more = answer.more;
            for named in &answer.documents {
                let (kind, number) = (named.document_type, &named.document_number);
                // What is no document is nobody's here.
                if let Ok(document) = Document::parse(kind, number, today) {
                    changed.add(&document);
                }
            }
            // A server whose cursor stands still would be asked for ever.
            if changed.len() > changed::MOST || (more && answer.cursor == since) {
                return Ok(None);
            }
            if !more {
                return Ok(Some(Box::new(changed)));
            }
            since = answer.cursor;
        }
    }
}
