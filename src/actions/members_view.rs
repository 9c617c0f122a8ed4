//! The view of a register: made from rows once, kept while nothing that it shows changed.
use super::{
    Role, health,
    register_terms::{from_json, items_of},
};
use crate::{
    app::App,
    clock,
    error::{Error, Result},
    model::{
        health::Items,
        id::Id,
        requirement::Requirement,
        view::{Moment, Readings, Source, Terms, View, reading},
    },
    store::{
        Tx,
        authorizations::{self, MemberRow},
        refresh,
        registers::{self, RegisterRow, StandingRow},
    },
};
use moka::ops::compute::{CompResult, Op};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Snapshots opened before other tasks of the thread get their turn.
const AT_ONCE: usize = 500;

/// The view of a register as of now: the kept one where it still holds.
pub(crate) async fn view_of(app: &App, id: Id, standing: &StandingRow) -> Result<Arc<View>> {
    let shards = standing.shards.unwrap_or(0);
    let holds = |view: &Arc<View>| view.holds(standing.version, shards, app.now());
    if let Some(view) = app.views.get(&id).await
        && holds(&view)
    {
        return Ok(view);
    }
    // One after the other makes it, and whoever waited looks at what was made meanwhile.
    let made = app
        .views
        .entry(id)
        .and_try_compute_with(async |kept| -> Result<_> {
            if kept.is_some_and(|kept| holds(kept.value())) {
                return Ok(Op::Nop);
            }
            let mut tx = app.store.read().await?;
            let register = registers::get(&mut tx, id.bytes())
                .await?
                .ok_or(Error::NotFound)?;
            Ok(Op::Put(Arc::new(make(app, &mut tx, &register).await?)))
        })
        .await?;
    match made {
        CompResult::Unchanged(entry)
        | CompResult::Inserted(entry)
        | CompResult::ReplacedWith(entry) => Ok(entry.into_value()),
        CompResult::StillNone(_) | CompResult::Removed(_) => Err(Error::NotFound),
    }
}

/// Makes a view of everybody, from the newest committed state.
pub(crate) async fn make(app: &App, tx: &mut Tx, register: &RegisterRow) -> Result<View> {
    let shards = refresh::version(tx).await?;
    let rows = authorizations::with_snapshots(tx, &register.id).await?;
    make_of(app, tx, register, rows, shards).await
}

/// Makes a view of one member alone; empty where there is no such member.
pub(crate) async fn make_one(
    app: &App,
    tx: &mut Tx,
    register: &RegisterRow,
    id: Id,
) -> Result<View> {
    let row = authorizations::one_with_snapshot(tx, id.bytes()).await?;
    let own = row.filter(|row| row.register_id == register.id);
    make_of(app, tx, register, own.into_iter().collect(), 0).await
}

async fn make_of(
    app: &App,
    tx: &mut Tx,
    register: &RegisterRow,
    rows: Vec<MemberRow>,
    shards: i64,
) -> Result<View> {
    let now = app.now();
    let times = refresh::times(tx).await?;
    let by_shard: HashMap<i64, &refresh::ShardRow> =
        times.iter().map(|row| (row.shard, row)).collect();
    let mut departments: HashMap<String, Arc<str>> = HashMap::new();
    let mut members = Vec::with_capacity(rows.len());
    for (done, row) in rows.into_iter().enumerate() {
        if done % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        members.push(source_of(app, row, &by_shard, &mut departments)?);
    }
    let moment = Moment {
        now,
        today: clock::date(now, &app.zone),
        midnight: clock::next_midnight(now, &app.zone),
        zone: app.zone.clone(),
    };
    let terms = terms(app, tx, register).await?;
    let readings = Readings {
        read_at: times.iter().map(|time| time.read_at).min().flatten(),
        failing_since: times.iter().filter_map(|time| time.failing_since).min(),
    };
    Ok(View::make(
        terms,
        members,
        &moment,
        (register.version, shards),
        readings,
    ))
}

fn source_of(
    app: &App,
    row: MemberRow,
    times: &HashMap<i64, &refresh::ShardRow>,
    departments: &mut HashMap<String, Arc<str>>,
) -> Result<Source> {
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
    let mut judged_on = BTreeMap::new();
    for row in registers::requirements(tx, &register.id).await? {
        requirements.insert(row.version, from_json::<Vec<Requirement>>(&row.body)?);
        let date = clock::date(row.created_at, &app.zone);
        judged_on.insert(row.version, date.to_string());
    }
    Ok(Terms {
        items,
        requirements,
        judged_on,
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
