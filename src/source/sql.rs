//! The authority's own database as the health source: PostgreSQL or MySQL/MariaDB, through queries
//! that the operator writes.
//!
//! Sessions are read-only, and a user who may write is refused all the same. No word of the
//! database's about a query that was given values is passed on: it quotes them.
mod database;
mod people;
mod plan;
mod pool;
mod query;
mod rights;

use super::{
    Answer, Ask, Changes, HealthSource, Identity, Now, SourceError,
    changed::{self, Changed},
    record::{FieldError, Rules},
};
use crate::{
    config::Sql,
    crypto::{self, Keys},
    model::{
        catalogue::Catalogue,
        document::{Document, DocumentType},
        phone::Regions,
    },
};
use async_trait::async_trait;
use database::{Cells, Database, DbError, Engine};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use people::Reading;
use plan::{MOST, Plan, Queries, Statement};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use zeroize::Zeroizing;

/// Rights and columns are looked at anew after this time.
const CHECKED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Rows that one document may have, each a test of years.
const ROWS_EACH: usize = 200;

/// What an SQL source is made of.
pub struct SqlParts {
    /// The configuration.
    pub config: Sql,
    /// What one query may take.
    pub timeout: Duration,
    /// The zone of local days, and of times without offset where the configuration names none.
    pub zone: TimeZone,
    /// The health items.
    pub catalogue: Arc<Catalogue>,
    /// Whose phones are accepted.
    pub regions: Regions,
    /// By which changes are found.
    pub keys: Arc<Keys>,
    /// The time.
    pub now: Now,
}

/// The authority's database.
pub struct SqlSource {
    database: Database,
    queries: Queries,
    config: Sql,
    kinds: Vec<(DocumentType, String)>,
    zone: TimeZone,
    catalogue: Arc<Catalogue>,
    regions: Regions,
    keys: Arc<Keys>,
    now: Now,
    /// The queries as they were found right, and when.
    checked: Mutex<Option<(Timestamp, Arc<Plan>)>>,
}

impl fmt::Debug for SqlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlSource(…)")
    }
}

impl From<DbError> for SourceError {
    fn from(error: DbError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl SqlSource {
    /// Opens it: rights and columns are checked where the database answers. Where it does not, they
    /// are checked once it does, before anything is asked of it.
    ///
    /// # Errors
    /// Names the key that is wrong, and what is to be done about it.
    pub async fn open(parts: SqlParts) -> Result<Self, String> {
        let SqlParts {
            mut config,
            timeout,
            mut zone,
            catalogue,
            regions,
            keys,
            now,
        } = parts;
        if let Some(name) = &config.zone {
            zone = TimeZone::get(name)
                .map_err(|_| "source.sql.zone: not a time zone like Asia/Shanghai".to_owned())?;
        }
        let kinds = config.document_types.iter().map(|(kind, code)| {
            let kind: DocumentType = kind
                .parse()
                .map_err(|error| format!("source.sql.document_types: {error}"))?;
            Ok((kind, code.clone()))
        });
        let kinds = kinds.collect::<Result<_, String>>()?;
        let url = url(&config)?;
        let source = Self {
            database: Database::new(&config, &url, timeout)?,
            queries: Queries::read(&config, &catalogue)?,
            kinds,
            zone,
            catalogue,
            regions,
            keys,
            now,
            checked: Mutex::default(),
            config: {
                config.url.clear();
                config
            },
        };
        match source.plan().await {
            Ok(_) => Ok(source),
            Err(DbError::Refused(words)) => Err(words),
            Err(DbError::Unavailable(error)) => {
                tracing::warn!(
                    source = "sql",
                    error,
                    "the health source is not checked yet"
                );
                Ok(source)
            }
        }
    }

    /// The queries, once rights and columns are found right.
    async fn plan(&self) -> Result<Arc<Plan>, DbError> {
        let now = (self.now)();
        let held = match &mut *self.checked() {
            Some((at, plan)) if now.duration_since(*at).abs() < CHECKED_FOR => {
                return Ok(plan.clone());
            }
            // The others go on meanwhile.
            Some((at, _)) => Some(std::mem::replace(at, now)),
            None => None,
        };
        let checked = self.check_anew().await;
        let mut slot = self.checked();
        match (&checked, held, &mut *slot) {
            (Ok(plan), _, slot) => *slot = Some((now, plan.clone())),
            (Err(DbError::Refused(_)), _, slot) => *slot = None,
            (Err(DbError::Unavailable(_)), Some(before), Some((at, _))) => *at = before,
            _ => {}
        }
        checked
    }

    async fn check_anew(&self) -> Result<Arc<Plan>, DbError> {
        rights::read_only(&self.database).await?;
        let plan = self
            .queries
            .plan(&self.database, &self.config, &self.catalogue);
        Ok(Arc::new(plan.await?))
    }

    fn checked(&self) -> MutexGuard<'_, Option<(Timestamp, Arc<Plan>)>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules(&self) -> Rules {
        Rules {
            catalogue: self.catalogue.clone(),
            regions: self.regions.clone(),
            today: (self.now)().to_zoned_datetime(self.zone.clone()).date(),
        }
    }

    fn code_of(&self, kind: DocumentType) -> Option<&str> {
        let mut kinds = self.kinds.iter();
        kinds
            .find(|(known, _)| *known == kind)
            .map(|(_, code)| code.as_str())
    }

    async fn rows(
        &self,
        statement: &Statement,
        code: &str,
        numbers: Vec<String>,
    ) -> Result<Vec<Cells>, DbError> {
        let most = numbers.len().max(1) * ROWS_EACH;
        let (text, given) = statement.with(code, numbers, "");
        self.database.rows(text, &given, most).await
    }

    /// Reads some people of one type of document.
    async fn read_some(
        &self,
        reading: &Reading<'_>,
        code: &str,
        asks: &[(usize, &Ask)],
        answers: &mut [Answer],
    ) -> Result<(), DbError> {
        let numbers = asks.iter().map(|(_, ask)| ask.document.number().to_owned());
        let rows = self
            .rows(&reading.plan.batch, code, numbers.collect())
            .await?;
        let Some((_, first)) = asks.first() else {
            return Ok(());
        };
        let rows = by_number(&rows, reading, first.document.kind());
        let mut unreadable: Option<FieldError> = None;
        let mut failed = 0;
        for (at, ask) in asks {
            let own = rows
                .get(ask.document.number())
                .map_or(&[][..], Vec::as_slice);
            answers[*at] = reading.answer(own, ask).unwrap_or_else(|error| {
                unreadable = Some(error);
                failed += 1;
                Answer::Failed
            });
        }
        if let Some(error) = unreadable {
            tracing::warn!(source = "sql", failed, %error, "rows cannot be read");
        }
        Ok(())
    }
}

/// Rows by the document's number in its normal form; whatever is no number of that type is nobody's.
fn by_number<'a>(
    rows: &'a [Cells],
    reading: &Reading<'_>,
    kind: DocumentType,
) -> HashMap<String, Vec<&'a Cells>> {
    let mut people: HashMap<String, Vec<&Cells>> = HashMap::with_capacity(rows.len());
    for row in rows {
        let number = row.get(reading.plan.person.number);
        let Some(number) = number.and_then(|cell| cell.as_deref()) else {
            continue;
        };
        if let Some(own) = people.get_mut(number) {
            own.push(row);
        } else if let Ok(document) = Document::parse(kind, number, reading.rules.today) {
            let own = people.entry(document.number().to_owned()).or_default();
            own.push(row);
        }
    }
    people
}

/// The URL: what the key says, or the file.
fn url(config: &Sql) -> Result<Zeroizing<String>, String> {
    let Some(path) = &config.url_file else {
        return Ok(Zeroizing::new(config.url.clone()));
    };
    let wrong = |error: &dyn fmt::Display| format!("source.sql.url_file: {error}");
    if !config.url.is_empty() {
        return Err(wrong(&"source.sql.url is set too: one of both"));
    }
    crypto::secret_text(path).map_err(|error| wrong(&error))
}

#[async_trait]
impl HealthSource for SqlSource {
    fn kind(&self) -> &'static str {
        "sql"
    }

    async fn matches(&self, who: &Identity) -> Result<bool, SourceError> {
        let Some(code) = self.code_of(who.document.kind()) else {
            return Ok(false);
        };
        let plan = self.plan().await?;
        let number = who.document.number().to_owned();
        let rows = self.rows(&plan.matching, code, vec![number]).await?;
        let rules = self.rules();
        let reading = self.reading(&plan, &rules);
        Ok(reading.matches(&rows, who))
    }

    async fn read(&self, batch: &[Ask]) -> Result<Vec<Answer>, SourceError> {
        let plan = self.plan().await?;
        let rules = self.rules();
        let reading = self.reading(&plan, &rules);
        let mut answers = vec![Answer::NotMatched; batch.len()];
        for (kind, code) in &self.kinds {
            let asks = batch.iter().enumerate();
            let asks: Vec<(usize, &Ask)> = asks
                .filter(|(_, ask)| ask.document.kind() == *kind)
                .collect();
            for some in asks.chunks(MOST) {
                self.read_some(&reading, code, some, &mut answers).await?;
            }
        }
        Ok(answers)
    }

    async fn cursor(&self) -> Result<Option<String>, SourceError> {
        let plan = self.plan().await?;
        let Some(statement) = &plan.cursor else {
            return Ok(None);
        };
        let (text, given) = statement.with("", Vec::new(), "");
        let rows = self.database.rows(text, &given, 1).await?;
        Ok(rows.into_iter().next().and_then(|mut row| row.pop()?))
    }

    async fn changes(&self, since: &str) -> Result<Option<Box<dyn Changes>>, SourceError> {
        let plan = self.plan().await?;
        let Some(statement) = &plan.changes else {
            return Ok(None);
        };
        let (text, given) = statement.with("", Vec::new(), since);
        let rows = self.database.rows(text, &given, changed::MOST).await?;
        let (mut changed, today) = (Changed::none(&self.keys), self.rules().today);
        for number in rows.iter().filter_map(|row| row.first()?.as_deref()) {
            // A number that two types of document share is read once too often.
            for (kind, _) in &self.kinds {
                if let Ok(document) = Document::parse(*kind, number, today) {
                    changed.add(&document);
                }
            }
        }
        Ok(Some(Box::new(changed)))
    }

    async fn check(&self) -> Result<Vec<String>, SourceError> {
        let plan = self.plan().await?;
        let (name, clock) = match self.database.engine() {
            Engine::Postgres => (
                "select 'PostgreSQL ' || current_setting('server_version')",
                "select (extract(epoch from clock_timestamp()) * 1000)::bigint::text",
            ),
            Engine::MySql => (
                "select cast(version() as char)",
                "select cast(cast(unix_timestamp(now(3)) * 1000 as signed) as char)",
            ),
        };
        let name = self.database.value(name).await?.unwrap_or_default();
        let mut seen = vec![
            format!("connected to {name}"),
            "may only read".to_owned(),
            "right columns".to_owned(),
        ];
        let items: Vec<&str> = plan.items.iter().map(|item| item.id.as_str()).collect();
        seen.push(match items.is_empty() {
            true => "no item has columns: nothing but names and phones is read".to_owned(),
            false => format!("items: {}", items.join(", ")),
        });
        seen.push(self.sample(&plan).await?);
        let asked = (self.now)();
        let clock = self.database.value(clock).await?;
        if let Some(theirs) = clock.and_then(|clock| clock.parse::<i64>().ok()) {
            let ahead = theirs - asked.as_millisecond();
            let is = if ahead < 0 { "behind" } else { "ahead" };
            let seconds = ahead.unsigned_abs() as f64 / 1000.0;
            seen.push(format!("its clock is {seconds:.1} s {is}"));
        }
        Ok(seen)
    }
}

impl SqlSource {
    fn reading<'a>(&'a self, plan: &'a Plan, rules: &'a Rules) -> Reading<'a> {
        Reading {
            plan,
            rules,
            zone: &self.zone,
            now: (self.now)(),
        }
    }

    /// Whether anybody whom the authority names is found and reads.
    async fn sample(&self, plan: &Plan) -> Result<String, DbError> {
        let Some(statement) = &plan.sample else {
            return Ok("no sample person: source.sql.sample is not set".to_owned());
        };
        let (text, given) = statement.with("", Vec::new(), "");
        let rows = self.database.rows(text, &given, MOST).await?;
        let number = rows.into_iter().next().and_then(|mut row| row.pop()?);
        let Some(number) = number else {
            return Ok("sample person found: no, source.sql.sample names nobody".to_owned());
        };
        let rules = self.rules();
        let reading = self.reading(plan, &rules);
        for (kind, code) in &self.kinds {
            let Ok(document) = Document::parse(*kind, &number, rules.today) else {
                continue;
            };
            let number = vec![document.number().to_owned()];
            let rows = self.rows(&plan.batch, code, number).await?;
            let people = by_number(&rows, &reading, *kind);
            let Some(rows) = people.get(document.number()) else {
                continue;
            };
            return Ok(match rows.iter().find_map(|row| reading.problem(row)) {
                None => "sample person found: yes".to_owned(),
                Some(error) => format!("sample person found: yes, but not to be read: {error}"),
            });
        }
        Ok("sample person found: no".to_owned())
    }
}
