//! PostgreSQL by tokio-postgres: prepared statements, rows in bulk by COPY.
use super::{
    AUTHORIZATIONS, BATCH, COUNTS, Cells, FAILS, INDEX, JOIN_AUTHORIZATION, JOIN_PERSON, JOINS,
    MEMBERS, Member, PAGE, SNAPSHOTS, in_order, register_of,
};
use crate::{Res, reads, world::World};
use futures_util::future::try_join_all;
use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, CopyInSink, NoTls, Row, types::ToSql};

const OFFERED: &str = "create temporary table offered (person_id bytea, items bytea, fingerprint bytea, \
    read_at bigint) on commit delete rows";
const UPDATE: &str = "update plain_snapshots s set items = o.items, fingerprint = o.fingerprint, \
    read_at = s.read_at + 1 from offered o where s.person_id = o.person_id and s.fingerprint <> o.fingerprint";

/// The plain tables, in the program's own database.
pub(crate) struct Plain {
    url: String,
    people: Vec<u64>,
    joined: AtomicU64,
}

impl Plain {
    pub(super) fn make(world: &World) -> Res<Self> {
        let plain = Self {
            url: world.config.database.url.clone(),
            people: in_order(world.members),
            joined: AtomicU64::new(0),
        };
        Runtime::new()?.block_on(async {
            let client = connect(&plain.url).await?;
            client.batch_execute(MEMBERS).await?;
            let mut text = String::new();
            for n in 0..world.members {
                let m = Member::number(n);
                writeln!(
                    text,
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    m.id,
                    register_of(n),
                    m.name,
                    m.document,
                    m.phone,
                    m.department,
                    m.verdict,
                    m.code,
                    m.result,
                    m.sampled_at,
                    m.vaccination,
                    m.doses,
                    m.data_time,
                    m.joined_at
                )?;
            }
            copy(&client, "copy members from stdin", text.into()).await?;
            client.batch_execute(INDEX).await?;
            for table in [JOINS, AUTHORIZATIONS, SNAPSHOTS] {
                client
                    .batch_execute(&table.replace("{blob}", "bytea"))
                    .await?;
            }
            // Room for updates in place, as ours have.
            client
                .batch_execute("alter table plain_snapshots set (fillfactor = 50)")
                .await?;
            let offered = Cells::offered(&plain.people, 1, 0);
            copy(
                &client,
                "copy plain_snapshots from stdin (format binary)",
                rows(&offered)?,
            )
            .await?;
            client.batch_execute("analyze").await?;
            Ok(plain)
        })
    }

    pub(super) fn pages(&self, connections: usize, seconds: f64) -> Res<f64> {
        self.repeat(PAGE, &[&0_i64, &FAILS], connections, seconds, |rows| {
            let rows = rows.iter().map(member).collect::<Result<Vec<_>, _>>()?;
            let body = serde_json::to_vec(&rows)?;
            Ok(rows.len() <= reads::PAGE && body.len() > rows.len() * 100)
        })
    }

    pub(super) fn counts(&self, connections: usize, seconds: f64) -> Res<f64> {
        self.repeat(COUNTS, &[&0_i64], connections, seconds, |rows| {
            let rows: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            Ok(serde_json::to_vec(&rows)?.len() > 2)
        })
    }

    /// On each of the connections one after the other, each join sent at once and committed alone.
    pub(super) fn joins(&self, connections: usize, seconds: f64) -> Res<f64> {
        Runtime::new()?.block_on(async {
            let clients = try_join_all((0..connections).map(|_| connect(&self.url))).await?;
            let end = Instant::now() + Duration::from_secs_f64(seconds);
            let one = async |client: Client| -> Res<u64> {
                let person = client.prepare(JOIN_PERSON).await?;
                let authorization = client.prepare(JOIN_AUTHORIZATION).await?;
                let mut done = 0;
                while Instant::now() < end {
                    let cells = Cells::of(self.joined.fetch_add(1, Ordering::Relaxed), 0);
                    let (id, hash, fingerprint) =
                        (&cells.id[..], &cells.hash[..], &cells.fingerprint[..]);
                    let (profile, items) = (&cells.profile[..], &cells.items[..]);
                    let (register, own) = (&[0_u8; 16][..], &cells.hash[16..]);
                    let of_person: [&(dyn ToSql + Sync); 7] = [
                        &id,
                        &hash,
                        &fingerprint,
                        &profile,
                        &items,
                        &fingerprint,
                        &0_i64,
                    ];
                    let of_authorization: [&(dyn ToSql + Sync); 5] = [
                        &register,
                        &id,
                        &own,
                        &"health_code,nucleic_acid,vaccination",
                        &0_i64,
                    ];
                    tokio::try_join!(
                        client.batch_execute("begin"),
                        client.execute(&person, &of_person),
                        client.execute(&authorization, &of_authorization),
                        client.batch_execute("commit"),
                    )?;
                    done += 1;
                }
                Ok(done)
            };
            let done = try_join_all(clients.into_iter().map(one)).await?;
            Ok(done.iter().sum::<u64>() as f64 / seconds)
        })
    }

    /// Each batch goes by COPY into a temporary table and from there by one update; two connections.
    pub(super) fn update(&self, every: usize, change: i64) -> Res<f64> {
        let offered = Cells::offered(&self.people, every, change);
        let batches = offered.chunks(BATCH).map(rows).collect::<Res<Vec<_>>>()?;
        Runtime::new()?.block_on(async {
            let one = async |part: usize| -> Res<u64> {
                let client = connect(&self.url).await?;
                client.batch_execute(OFFERED).await?;
                let mut updated = 0;
                for rows in batches.iter().skip(part).step_by(2) {
                    client.batch_execute("begin").await?;
                    copy(
                        &client,
                        "copy offered from stdin (format binary)",
                        rows.clone(),
                    )
                    .await?;
                    updated += client.execute(UPDATE, &[]).await?;
                    client.batch_execute("commit").await?;
                }
                Ok(updated)
            };
            let begun = Instant::now();
            let updated: u64 = try_join_all([one(0), one(1)]).await?.iter().sum();
            let seconds = begun.elapsed().as_secs_f64();
            match usize::try_from(updated)? == offered.len().div_ceil(every) {
                true => Ok(offered.len() as f64 / seconds),
                false => Err(format!("{updated} raw updates").into()),
            }
        })
    }

    /// How often a second a prepared statement is done, on so many connections.
    fn repeat(
        &self,
        text: &str,
        arguments: &[&(dyn ToSql + Sync)],
        connections: usize,
        seconds: f64,
        right: impl Fn(&[Row]) -> Res<bool>,
    ) -> Res<f64> {
        Runtime::new()?.block_on(async {
            let clients = try_join_all((0..connections).map(|_| connect(&self.url))).await?;
            let end = Instant::now() + Duration::from_secs_f64(seconds);
            let one = async |client: Client| -> Res<u64> {
                let statement = client.prepare(text).await?;
                let mut done = 0;
                while Instant::now() < end {
                    if !right(&client.query(&statement, arguments).await?)? {
                        return Err("a wrong raw answer".into());
                    }
                    done += 1;
                }
                Ok(done)
            };
            let done = try_join_all(clients.into_iter().map(one)).await?;
            Ok(done.iter().sum::<u64>() as f64 / seconds)
        })
    }
}

/// A connection; what drives it ends with it.
pub(crate) async fn connect(url: &str) -> Res<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // A connection that breaks fails what is asked of its client.
        let _ = connection.await;
    });
    Ok(client)
}

async fn copy(client: &Client, statement: &str, rows: Vec<u8>) -> Res<()> {
    use futures_util::SinkExt;
    let sink: CopyInSink<axum::body::Bytes> = client.copy_in(statement).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(rows.into()).await?;
    sink.finish().await?;
    Ok(())
}

/// Snapshots as a binary COPY reads them.
fn rows(offered: &[Cells]) -> Res<Vec<u8>> {
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for cells in offered {
        let read_at = 0_i64.to_be_bytes();
        let columns = [
            &cells.id[..],
            &cells.items[..],
            &cells.fingerprint[..],
            &read_at[..],
        ];
        bytes.extend(4_i16.to_be_bytes());
        for column in columns {
            bytes.extend(i32::try_from(column.len())?.to_be_bytes());
            bytes.extend(column);
        }
    }
    bytes.extend((-1_i16).to_be_bytes());
    Ok(bytes)
}

/// Makes a database on a server; its URL.
pub(crate) async fn new_database(server: Option<&str>, what: &str) -> Res<String> {
    let server = server.ok_or("PostgreSQL: say --postgres URL, or run `make bench`")?;
    let name = format!("bench_{what}_{}", std::process::id());
    let (base, _) = server
        .rsplit_once('/')
        .ok_or("--postgres: no database in the URL")?;
    let client = connect(server).await?;
    // One for each engine whose refresh is measured.
    client
        .batch_execute(&format!("drop database if exists {name} with (force)"))
        .await?;
    client
        .batch_execute(&format!("create database {name}"))
        .await?;
    Ok(format!("{base}/{name}"))
}

fn member(row: &Row) -> Result<Member, tokio_postgres::Error> {
    Ok(Member {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        document: row.try_get(2)?,
        phone: row.try_get(3)?,
        department: row.try_get(4)?,
        verdict: row.try_get(5)?,
        code: row.try_get(6)?,
        result: row.try_get(7)?,
        sampled_at: row.try_get(8)?,
        vaccination: row.try_get(9)?,
        doses: row.try_get(10)?,
        data_time: row.try_get(11)?,
        joined_at: row.try_get(12)?,
    })
}
