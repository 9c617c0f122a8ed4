//! What is asked of the database: the operator's queries, checked against their columns.
use super::{
    database::{Column, Database, DbError, Engine, Given},
    query::{Parameter, Query},
};
use crate::{
    config::{Sql, SqlItem},
    model::{
        catalogue::{Catalogue, Item, WireRecord},
        health::{Kind, Progress, UNKNOWN},
    },
    source::import::{column, parts},
};
use std::{collections::BTreeMap, sync::Arc};

/// Numbers that are asked for by one query.
pub(super) const MOST: usize = 1000;

/// What means that there is no record; [`UNKNOWN`] means that there is one which tells nothing.
pub(super) const ABSENT: &str = "none";

/// The queries as they are configured.
pub(super) struct Queries {
    matching: Option<Query>,
    batch: Query,
    changes: Option<Query>,
    cursor: Option<Query>,
    sample: Option<Query>,
}

/// The queries as they are asked.
pub(super) struct Plan {
    /// Finds one person.
    pub(super) matching: Statement,
    pub(super) matched: Person,
    /// Reads many.
    pub(super) batch: Statement,
    pub(super) person: Person,
    /// The items that the batch has columns of.
    pub(super) items: Vec<ItemColumns>,
    pub(super) changes: Option<Statement>,
    pub(super) cursor: Option<Statement>,
    pub(super) sample: Option<Statement>,
}

/// A query with all its columns as texts.
pub(super) struct Statement {
    /// By the length of the list that it takes: 1, 2, 4, …; one where the engine has lists.
    texts: Vec<Arc<str>>,
    takes: Vec<Parameter>,
}

/// Where a person's columns stand.
#[derive(Default)]
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) name: usize,
    pub(super) phones: Vec<usize>,
}

/// Where an item's columns stand, and what its codes mean.
pub(super) struct ItemColumns {
    pub(super) id: String,
    /// The first is the one without which there is no record.
    pub(super) fields: Vec<(&'static str, usize)>,
    pub(super) values: BTreeMap<String, String>,
}

/// The columns that are taken of a query.
struct Taken<'a> {
    key: &'static str,
    there: &'a [Column],
    taken: Vec<&'a Column>,
}

impl Queries {
    /// Reads them.
    ///
    /// # Errors
    /// Names the key that is wrong.
    pub(super) fn read(config: &Sql, catalogue: &Catalogue) -> Result<Self, String> {
        use Parameter::{DocumentNumber, DocumentNumbers, DocumentType, Since};
        let read = |key: &str, text: &str, allowed: &[Parameter]| {
            Query::read(text, allowed).map_err(|error| format!("source.sql.{key}: {error}"))
        };
        let optional = |key: &str, text: &Option<String>, allowed: &[Parameter]| {
            let text = text.as_deref();
            text.map(|text| read(key, text, allowed)).transpose()
        };
        for (id, settings) in &config.items {
            check_item(id, settings, catalogue)?;
        }
        if config.changes.is_some() != config.cursor.is_some() {
            return Err("source.sql.changes, source.sql.cursor: one needs the other".to_owned());
        }
        Ok(Self {
            matching: optional("match", &config.matching, &[DocumentType, DocumentNumber])?,
            batch: read("batch", &config.batch, &[DocumentType, DocumentNumbers])?,
            changes: optional("changes", &config.changes, &[Since])?,
            cursor: optional("cursor", &config.cursor, &[])?,
            sample: optional("sample", &config.sample, &[])?,
        })
    }

    /// Prepares each and checks its columns.
    pub(super) async fn plan(
        &self,
        database: &Database,
        config: &Sql,
        catalogue: &Catalogue,
    ) -> Result<Plan, DbError> {
        let engine = database.engine();
        let there = columns("batch", &self.batch, database).await?;
        let mut taken = Taken::new("batch", &there);
        let person = taken.person(config, true)?;
        let items = taken.items(config, catalogue)?;
        let batch = taken.statement(&self.batch, engine);
        let (matching, matched) = match &self.matching {
            Some(query) => {
                let there = columns("match", query, database).await?;
                let mut taken = Taken::new("match", &there);
                let matched = taken.person(config, false)?;
                (taken.statement(query, engine), matched)
            }
            None => {
                let mut taken = Taken::new("batch", &there);
                let matched = taken.person(config, false)?;
                (taken.statement(&self.batch, engine), matched)
            }
        };
        let number = &config.columns.document_number;
        Ok(Plan {
            matching,
            matched,
            batch,
            person,
            items,
            changes: one_column("changes", self.changes.as_ref(), number, database).await?,
            cursor: one_column("cursor", self.cursor.as_ref(), "cursor", database).await?,
            sample: one_column("sample", self.sample.as_ref(), number, database).await?,
        })
    }
}

/// A query of which one column is wanted.
async fn one_column(
    key: &'static str,
    query: Option<&Query>,
    column: &str,
    database: &Database,
) -> Result<Option<Statement>, DbError> {
    let Some(query) = query else { return Ok(None) };
    let there = columns(key, query, database).await?;
    let mut taken = Taken::new(key, &there);
    taken.need(column, "source.sql.columns.document_number")?;
    Ok(Some(taken.statement(query, database.engine())))
}

async fn columns(key: &str, query: &Query, database: &Database) -> Result<Vec<Column>, DbError> {
    let (text, takes) = query.text(database.engine(), 1);
    let text = format!("select * from (\n{text}\n) as q");
    let columns = database.columns(&text, &takes).await;
    columns.map_err(|error| match error {
        DbError::Refused(words) => {
            DbError::Refused(format!("source.sql.{key}: the database says: {words}"))
        }
        error => error,
    })
}

impl<'a> Taken<'a> {
    fn new(key: &'static str, there: &'a [Column]) -> Self {
        Self {
            key,
            there,
            taken: Vec::new(),
        }
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        let there: &'a [Column] = self.there;
        let column = there
            .iter()
            .find(|column| column.name == name)
            .or_else(|| {
                there
                    .iter()
                    .find(|column| column.name.eq_ignore_ascii_case(name))
            })?;
        self.taken.push(column);
        Some(self.taken.len() - 1)
    }

    /// `named_by` is the key that names the column.
    fn need(&mut self, name: &str, named_by: &str) -> Result<usize, DbError> {
        let key = self.key;
        self.find(name).ok_or_else(|| {
            let there: Vec<&str> = self.there.iter().map(|c| c.name.as_str()).collect();
            DbError::Refused(format!(
                "source.sql.{key}: the column {name} ({named_by}) is missing; there are: {}",
                there.join(", ")
            ))
        })
    }

    fn person(&mut self, config: &Sql, with_number: bool) -> Result<Person, DbError> {
        let columns = &config.columns;
        let number = if with_number {
            self.need(
                &columns.document_number,
                "source.sql.columns.document_number",
            )?
        } else {
            0
        };
        let name = self.need(&columns.name, "source.sql.columns.name")?;
        let mut phones = Vec::with_capacity(columns.phones.len());
        for phone in &columns.phones {
            phones.push(self.need(phone, "source.sql.columns.phones")?);
        }
        Ok(Person {
            number,
            name,
            phones,
        })
    }

    /// Each item by the columns that its section names, else by those of the usual names.
    fn items(&mut self, config: &Sql, catalogue: &Catalogue) -> Result<Vec<ItemColumns>, DbError> {
        let none = SqlItem::default();
        let mut items = Vec::new();
        for item in &catalogue.items {
            let settings = config.items.get(&item.id).unwrap_or(&none);
            let named = settings.columns();
            let wanted: Vec<(&'static str, String, bool)> = parts(item.kind)
                .iter()
                .map(|part| match named.iter().find(|(field, _)| field == part) {
                    Some((_, column)) => (*part, (*column).to_owned(), true),
                    None => (*part, column(&item.id, part), false),
                })
                .collect();
            let is_there = |name: &str| {
                let mut there = self.there.iter();
                there.any(|column| column.name.eq_ignore_ascii_case(name))
            };
            let listed = config.items.contains_key(&item.id);
            if !listed && !wanted.iter().any(|(_, name, _)| is_there(name)) {
                continue;
            }
            let mut fields = Vec::new();
            for (at, (part, name, is_named)) in wanted.iter().enumerate() {
                // The first is what a record is made of.
                if at == 0 || *is_named {
                    let key = format!("source.sql.items.{}.{part}", item.id);
                    fields.push((*part, self.need(name, &key)?));
                } else if let Some(place) = self.find(name) {
                    fields.push((*part, place));
                }
            }
            items.push(ItemColumns {
                id: item.id.clone(),
                fields,
                values: settings.values.clone(),
            });
        }
        Ok(items)
    }

    /// The query with what was taken of it alone, as texts.
    fn statement(&self, query: &Query, engine: Engine) -> Statement {
        let columns: Vec<String> = self
            .taken
            .iter()
            .map(|Column { name, is_moment }| match engine {
                Engine::Postgres => format!("q.\"{}\"::text", name.replace('"', "\"\"")),
                Engine::MySql => {
                    let text = format!("cast(q.`{}` as char)", name.replace('`', "``"));
                    match is_moment {
                        true => format!("concat({text}, '+00:00')"),
                        false => text,
                    }
                }
            })
            .collect();
        let columns = columns.join(", ");
        let lengths = match engine {
            Engine::Postgres => 0..=0,
            Engine::MySql => 0..=MOST.next_power_of_two().ilog2(),
        };
        let mut takes = Vec::new();
        let texts = lengths
            .map(|power| {
                let (text, order) = query.text(engine, 1 << power);
                takes = order;
                format!("select {columns} from (\n{text}\n) as q").into()
            })
            .collect();
        Statement { texts, takes }
    }
}

impl Statement {
    /// Its text for a list of so many, and what it is given in order.
    pub(super) fn with(
        &self,
        kind: &str,
        mut numbers: Vec<String>,
        since: &str,
    ) -> (&Arc<str>, Vec<Given>) {
        let power = numbers.len().next_power_of_two().ilog2() as usize;
        let at = power.min(self.texts.len() - 1);
        if at > 0
            && let Some(last) = numbers.last().cloned()
        {
            // A list of a length of its own would be a statement of its own.
            numbers.resize(1 << at, last);
        }
        let given = self.takes.iter().map(|parameter| match parameter {
            Parameter::DocumentType => Given::Text(kind.to_owned()),
            Parameter::DocumentNumber => Given::Text(numbers.first().cloned().unwrap_or_default()),
            Parameter::DocumentNumbers => Given::List(numbers.clone()),
            Parameter::Since => Given::Text(since.to_owned()),
        });
        (&self.texts[at], given.collect())
    }
}

/// Whether an item's section says what can be.
fn check_item(id: &str, settings: &SqlItem, catalogue: &Catalogue) -> Result<(), String> {
    let key = format!("source.sql.items.{id}");
    let Some(item) = catalogue.get(id) else {
        return Err(format!("{key}: not an item of the catalogue"));
    };
    for (field, _) in settings.columns() {
        if !parts(item.kind).contains(&field) {
            return Err(format!(
                "{key}.{field}: does not belong to an item of this kind"
            ));
        }
    }
    for (code, value) in &settings.values {
        if ![ABSENT, UNKNOWN].contains(&value.as_str()) && !takes(item, value) {
            return Err(format!(
                "{key}.values: {code} = {value}: not a value of this item"
            ));
        }
    }
    Ok(())
}

fn takes(item: &Item, value: &str) -> bool {
    match item.kind {
        Kind::Status => item.values.iter().any(|known| known.value == value),
        Kind::Test => {
            let result = Some(value.to_owned());
            let wire = WireRecord {
                result,
                ..WireRecord::default()
            };
            item.read(&wire).is_ok()
        }
        Kind::Immunization => Progress::parse(value).is_some(),
        Kind::Certificate => value == "valid",
    }
}
