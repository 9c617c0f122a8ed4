//! The view of a register: made from rows once, kept while nothing that it shows changed.
use super::{
    Role, health,
    register_terms::{from_json, items_of},
};
use crate::{
    app::App,
    clock,
    error::Result,
    model::{
        health::Items,
        requirement::Requirement,
        view::{Moment, Source, Terms, View, reading},
    },
    store::{
        Tx, authorizations, refresh,
        registers::{self, RegisterRow},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The view of a register as of now: the kept one where it still holds.
pub(crate) async fn view_of(app: &App, tx: &mut Tx, register: &RegisterRow) -> Result<Arc<View>> {
    let id = super::id_of(&register.id)?;
    let shards = refresh::version(tx).await?;
    let now = app.now();
    if let Some(view) = app.views.get(&id).await
        && view.holds(register.version, shards, now)
    {
        return Ok(view);
    }
    let view = Arc::new(make(app, tx, register, shards, now).await?);
    app.views.insert(id, view.clone()).await;
    Ok(view)
}

async fn make(
    app: &App,
    tx: &mut Tx,
    register: &RegisterRow,
    shards: i64,
    now: i64,
) -> Result<View> {
    let times: HashMap<i64, refresh::ShardRow> = refresh::times(tx)
        .await?
        .into_iter()
        .map(|row| (row.shard, row))
        .collect();
    let rows = authorizations::with_snapshots(tx, &register.id).await?;
    let mut departments: HashMap<String, Arc<str>> = HashMap::new();
    let members = rows
        .into_iter()
        .map(|row| {
            let person = super::id_of(&row.person_id)?;
            let shard = times.get(&i64::from(person.shard()));
            // A snapshot that was tampered with shows nothing of that one person, and says so to
            // the operator; everybody else's row stands.
            let items = health::open(app, &row.person_id, row.snapshot.as_deref(), row.read_at)
                .unwrap_or_else(|error| {
                    tracing::error!(%error, "a snapshot does not open");
                    Items::new()
                });
            Ok(Source {
                id: super::id_of(&row.id)?,
                person,
                consented: row.items.split(',').map(str::to_owned).collect(),
                verdict_only: row.sharing == 1,
                requirements_version: row.requirements_version,
                department: row.department.map(|name| {
                    let shared: Arc<str> = Arc::from(name.as_str());
                    departments.entry(name).or_insert(shared).clone()
                }),
                joined_at: row.joined_at,
                items: if row.miss == Some(2) {
                    Items::new()
                } else {
                    items
                },
                reading: reading(
                    row.read_at,
                    row.miss.unwrap_or(1),
                    row.seen_at,
                    shard.and_then(|shard| shard.read_at),
                    shard.and_then(|shard| shard.failed_at),
                ),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let moment = Moment {
        now,
        today: clock::date(now, &app.zone),
        midnight: clock::next_midnight(now, &app.zone),
        zone: app.zone.clone(),
    };
    let terms = terms(app, tx, register).await?;
    Ok(View::make(
        terms,
        members,
        &moment,
        register.version,
        shards,
    ))
}

async fn terms(app: &App, tx: &mut Tx, register: &RegisterRow) -> Result<Terms> {
    let items = items_of(register)?
        .into_iter()
        .filter_map(|asked| {
            let kind = app.catalogue.get(&asked.item)?.kind;
            Some((asked.item, kind))
        })
        .collect();
    let mut requirements = BTreeMap::new();
    for row in registers::requirements(tx, &register.id).await? {
        requirements.insert(row.version, from_json::<Vec<Requirement>>(&row.body)?);
    }
    Ok(Terms {
        items,
        requirements,
        version: register.requirements_version,
    })
}

/// The departments whose members a role sees, narrowed to the wanted one.
pub(crate) fn departments_for(role: &Role, wanted: Option<&str>) -> Option<Vec<String>> {
    match (&role.departments, wanted) {
        (None, None) => None,
        (None, Some(wanted)) => Some(vec![wanted.to_owned()]),
        (Some(own), None) => Some(own.clone()),
        (Some(own), Some(wanted)) => {
            Some(own.iter().filter(|name| *name == wanted).cloned().collect())
        }
    }
}
