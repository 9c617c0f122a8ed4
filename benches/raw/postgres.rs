//! PostgreSQL by tokio-postgres: prepared statements, rows in bulk by COPY.
use super::{COUNTS, FAILS, INDEX, MEMBERS, Member, PAGE, register_of};
use crate::{Res, reads, world::World};
use futures_util::future::try_join_all;
use std::{
    fmt::Write,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, CopyInSink, NoTls, Row, types::ToSql};

/// The plain tables, in the program's own database.
pub(crate) struct Plain {
    url: String,
}

impl Plain {
    pub(super) fn make(world: &World) -> Res<Self> {
        let plain = Self {
            url: world.config.database.url.clone(),
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
            copy(&client, "copy members from stdin", text).await?;
            client.batch_execute(INDEX).await?;
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
async fn connect(url: &str) -> Res<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // A connection that breaks fails what is asked of its client.
        let _ = connection.await;
    });
    Ok(client)
}

async fn copy(client: &Client, statement: &str, text: String) -> Res<()> {
    use futures_util::SinkExt;
    let sink: CopyInSink<axum::body::Bytes> = client.copy_in(statement).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(text.into()).await?;
    sink.finish().await?;
    Ok(())
}

/// Makes a database on a server; its URL.
pub(crate) fn new_database(server: Option<&str>) -> Res<String> {
    let server = server.ok_or("PostgreSQL: say --postgres URL, or run `make bench`")?;
    let name = format!("bench_{}", std::process::id());
    let (base, _) = server
        .rsplit_once('/')
        .ok_or("--postgres: no database in the URL")?;
    Runtime::new()?.block_on(async {
        let client = connect(server).await?;
        client
            .batch_execute(&format!("create database {name}"))
            .await?;
        Ok(format!("{base}/{name}"))
    })
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
