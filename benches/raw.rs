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
/// What a join writes, at the least.
const JOINS: &str = "create table joined_persons (id {blob} primary key, document_hash {blob} not null unique, \
    phone_hash {blob} not null, profile {blob} not null, items {blob} not null, fingerprint {blob} not null, \
    read_at bigint not null)";
const AUTHORIZATIONS: &str = "create table joined_authorizations (register_id {blob} not null, \
    person_id {blob} not null, id {blob} not null unique, items text not null, joined_at bigint not null, \
    primary key (register_id, person_id))";
const JOIN_PERSON: &str = "insert into joined_persons values ($1, $2, $3, $4, $5, $6, $7)";
const JOIN_AUTHORIZATION: &str = "insert into joined_authorizations values ($1, $2, $3, $4, $5)";
/// What a refresh writes.
const SNAPSHOTS: &str = "create table plain_snapshots (person_id {blob} primary key, items {blob} not null, \
    fingerprint {blob} not null, read_at bigint not null)";
/// Rows of one transaction of updates.
const BATCH: usize = 10_000;
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

/// Sealed cells as large as ours.
struct Cells {
    id: [u8; 16],
    hash: [u8; 32],
    profile: [u8; 160],
    items: [u8; 280],
    fingerprint: [u8; 32],
}

impl Cells {
    /// Those of the n-th person: ids and hashes are spread, a `change` alters items and fingerprint.
    fn of(n: u64, change: i64) -> Self {
        Self {
            id: spread(n, 0),
            hash: spread(n, 1),
            profile: spread(n, 2),
            items: spread(n, change),
            fingerprint: spread(n, change),
        }
    }

    /// Those of everybody, every so many-th with the newest change and the others with the one before.
    fn offered(people: &[u64], every: usize, change: i64) -> Vec<Self> {
        let change_of = |n: u64| change - i64::from(!n.is_multiple_of(every as u64));
        let cells = people.iter().map(|n| Self::of(*n, change_of(*n)));
        cells.collect()
    }
}

/// Bytes that look random (splitmix64), the same for the same numbers.
fn spread<const N: usize>(n: u64, salt: i64) -> [u8; N] {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.unsigned_abs().rotate_left(40);
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
    }
    bytes
}

/// The n-th people in the order of their ids, as a refresh walks them.
fn in_order(members: usize) -> Vec<u64> {
    let mut people: Vec<u64> = (0..members as u64).collect();
    people.sort_by_key(|n| spread::<16>(*n, 0));
    people
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

    /// Joins a second: a person with the snapshot, and an authorization, in one durable transaction.
    pub(crate) fn joins(&self, connections: usize, seconds: f64) -> Res<f64> {
        match self {
            Self::Sqlite(plain) => plain.joins(seconds),
            Self::Postgres(plain) => plain.joins(connections, seconds),
        }
    }

    /// Snapshots offered a second, where each so many-th has changed and is updated.
    pub(crate) fn update(&self, every: usize, change: i64) -> Res<f64> {
        match self {
            Self::Sqlite(plain) => plain.update(every, change),
            Self::Postgres(plain) => plain.update(every, change),
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
