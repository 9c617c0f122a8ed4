//! A register's counts, its data time and its next refresh.
use super::{Actor, members_view, view_register::reading_session};
use crate::{
    app::App,
    clock,
    error::Result,
    model::{
        health::{ItemState, Kind},
        id::Id,
    },
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The counts of a register.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Summary {
    /// How many members.
    pub members: usize,
    /// How many joins wait for the source.
    pub waiting: i64,
    /// By verdict.
    pub verdicts: Verdicts,
    /// By item: values, `days` and states.
    #[schema(value_type = Object)]
    pub items: Map<String, Value>,
    /// When the last refresh that read everybody began.
    pub refreshed_at: Option<String>,
    /// When the next is due.
    pub next_refresh_at: String,
    /// Since when the source has not been reached, where the last attempt failed.
    pub source_failing_since: Option<String>,
}

/// Counts by verdict.
#[derive(Clone, Copy, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Verdicts {
    /// 符合, those of tomorrow included.
    pub meets: usize,
    /// 明天到期
    pub expires_tomorrow: usize,
    /// 不符合
    pub fails: usize,
    /// 无法判断
    pub unknown: usize,
}

/// Counts a register's members.
///
/// # Errors
/// [`crate::error::Error::NotFound`] for another group's register.
pub async fn summarise_register(app: &App, actor: &Actor, register: Id) -> Result<Summary> {
    let session = reading_session(app, actor).await?;
    let (standing, role) = super::standing_of(app, session, register).await?;
    let view = members_view::view_of(app, register, &standing).await?;
    let counts = view.counts(role.departments.as_deref());
    let items = view
        .items
        .iter()
        .zip(&counts.items)
        .map(|((item, kind), counts)| (item.clone(), item_counts(app, item, *kind, counts)))
        .collect();
    Ok(Summary {
        members: counts.members,
        waiting: standing.waiting,
        verdicts: Verdicts {
            meets: counts.meets,
            expires_tomorrow: counts.expires_tomorrow,
            fails: counts.fails,
            unknown: counts.unknown,
        },
        items,
        refreshed_at: view
            .readings
            .read_at
            .map(|at| clock::rfc3339(at, &app.zone)),
        next_refresh_at: clock::rfc3339(super::refresh_health::next_due(app, app.now()), &app.zone),
        source_failing_since: view
            .readings
            .failing_since
            .map(|at| clock::rfc3339(at, &app.zone)),
    })
}

/// An item's counts by value, days and state; what nobody has is 0, so that every key is there.
fn item_counts(app: &App, item: &str, kind: Kind, counts: &BTreeMap<String, usize>) -> Value {
    let mut keys: Vec<&str> = match (kind, app.catalogue.get(item)) {
        (Kind::Test, _) => vec!["positive", "overdue", "unknown"],
        (Kind::Certificate, _) => vec!["valid", "expired"],
        (Kind::Immunization, _) => vec!["booster", "complete", "incomplete", "unsuitable"],
        (Kind::Status, Some(item)) => item.values.iter().map(|v| v.value.as_str()).collect(),
        (Kind::Status, None) => Vec::new(),
    };
    let states = ItemState::ALL
        .iter()
        .filter(|state| **state != ItemState::Ok);
    keys.extend(states.map(|state| state.as_str()));
    let mut all: Map<String, Value> = keys
        .into_iter()
        .map(|key| (key.to_owned(), 0.into()))
        .collect();
    let mut days = Map::new();
    if kind == Kind::Test {
        days.extend(["0", "1", "2", "3", "4+"].map(|day| (day.to_owned(), Value::from(0))));
    }
    for (key, count) in counts {
        match key.strip_prefix("days.") {
            Some(day) => days.insert(day.to_owned(), (*count).into()),
            None => all.insert(key.clone(), (*count).into()),
        };
    }
    if kind == Kind::Test {
        all.insert("days".to_owned(), Value::Object(days));
    }
    Value::Object(all)
}
