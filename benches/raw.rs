//! The raw engine on the same data: hand-written SQL over plain tables, by the plain driver.
pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::{
    Res,
    people::{FAILS_EVERY, Person},
    world::{Engine, REGISTER, World},
};
use serde::Serialize;

/// A page of those who do not meet.
const PAGE: &str = "select id, name, document, phone, department, verdict, code, result, sampled_at, \
    vaccination, doses, data_time, joined_at from members \
    where register = $1 and verdict = $2 order by joined_at, id limit 50";
const COUNTS: &str = "select verdict, count(*) from members where register = $1 group by verdict";
const MEMBERS: &str = "create table members (id bigint primary key, register bigint not null, \
    name text not null, document text not null, phone text not null, department text not null, \
    verdict bigint not null, code text not null, result text not null, sampled_at bigint not null, \
    vaccination text not null, doses bigint not null, data_time bigint not null, joined_at bigint not null)";
const INDEX: &str = "create index members_by_verdict on members (register, verdict, joined_at, id)";
/// The verdict of those who do not meet.
const FAILS: i64 = 2;

/// A plain row.
#[derive(Serialize)]
struct Member {
    id: i64,
    name: String,
    document: String,
    phone: String,
    department: String,
    verdict: i64,
    code: String,
    result: String,
    sampled_at: i64,
    vaccination: String,
    doses: i64,
    data_time: i64,
    joined_at: i64,
}

impl Member {
    fn number(n: usize) -> Self {
        let person = Person::number(n);
        let fails = n.is_multiple_of(FAILS_EVERY);
        let id = i64::try_from(n).unwrap_or_default();
        Self {
            id,
            name: person.name,
            document: person.document,
            phone: person.phone,
            department: ["一年级组", "后勤"][n % 2].to_owned(),
            verdict: if fails { FAILS } else { 0 },
            code: if fails { "yellow" } else { "green" }.to_owned(),
            result: "negative".to_owned(),
            sampled_at: 1_668_398_400_000 + id,
            vaccination: "booster".to_owned(),
            doses: 3,
            data_time: 1_668_398_400_000,
            joined_at: 1_668_398_400_000 - id,
        }
    }
}

/// The register of the n-th.
fn register_of(n: usize) -> i64 {
    i64::try_from(n / REGISTER).unwrap_or_default()
}

/// The raw engine.
pub(crate) enum Raw {
    Sqlite(sqlite::Plain),
    Postgres(postgres::Plain),
}

impl Raw {
    /// Makes the plain tables beside a world.
    pub(crate) fn make(world: &World) -> Res<Self> {
        Ok(match world.engine {
            Engine::Sqlite => Self::Sqlite(sqlite::Plain::make(world)?),
            Engine::Postgres => Self::Postgres(postgres::Plain::make(world)?),
        })
    }

    /// Pages of the list a second.
    pub(crate) fn pages(&self, connections: usize, seconds: f64) -> Res<f64> {
        match self {
            Self::Sqlite(plain) => plain.pages(connections, seconds),
            Self::Postgres(plain) => plain.pages(connections, seconds),
        }
    }

    /// Counts by verdict a second.
    pub(crate) fn counts(&self, connections: usize, seconds: f64) -> Res<f64> {
        match self {
            Self::Sqlite(plain) => plain.counts(connections, seconds),
            Self::Postgres(plain) => plain.counts(connections, seconds),
        }
    }
}
