//! SQLite by rusqlite: what is prepared once is kept, and as many threads read as there are
//! processors.
use super::{COUNTS, FAILS, INDEX, MEMBERS, Member, PAGE, register_of};
use crate::{Res, reads, world::World};
use rusqlite::{Connection, Row, Statement, params};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// The plain tables, in a file of their own beside the program's.
pub(crate) struct Plain {
    path: PathBuf,
}

impl Plain {
    pub(super) fn make(world: &World) -> Res<Self> {
        let plain = Self {
            path: world.folder().join("raw.db"),
        };
        let mut connection = plain.open()?;
        connection.execute_batch(MEMBERS)?;
        connection.execute_batch(INDEX)?;
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare(
                "insert into members values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            )?;
            for n in 0..world.members {
                let m = Member::number(n);
                insert.execute(params![
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
                ])?;
            }
        }
        transaction.commit()?;
        Ok(plain)
    }

    /// A connection with the settings of the program.
    fn open(&self) -> Res<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full;")?;
        Ok(connection)
    }

    pub(super) fn pages(&self, connections: usize, seconds: f64) -> Res<f64> {
        self.repeat(PAGE, connections, seconds, |statement| {
            let rows = statement.query_map(params![0, FAILS], member)?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let body = serde_json::to_vec(&rows)?;
            Ok(rows.len() <= reads::PAGE && body.len() > rows.len() * 100)
        })
    }

    pub(super) fn counts(&self, connections: usize, seconds: f64) -> Res<f64> {
        self.repeat(COUNTS, connections, seconds, |statement| {
            let rows = statement.query_map(params![0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let rows = rows.collect::<Result<Vec<(i64, i64)>, _>>()?;
            Ok(serde_json::to_vec(&rows)?.len() > 2)
        })
    }

    /// How often a second a prepared statement is done.
    fn repeat(
        &self,
        text: &str,
        connections: usize,
        seconds: f64,
        once: impl Fn(&mut Statement<'_>) -> Res<bool> + Sync,
    ) -> Res<f64> {
        let threads = connections.min(std::thread::available_parallelism()?.get());
        let work = || -> Res<u64> {
            let connection = self.open()?;
            let mut statement = connection.prepare(text)?;
            let end = Instant::now() + Duration::from_secs_f64(seconds);
            let mut done = 0;
            while Instant::now() < end {
                if !once(&mut statement)? {
                    return Err("a wrong raw answer".into());
                }
                done += 1;
            }
            Ok(done)
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let mut done = 0;
            for each in running {
                done += each.join().map_err(|_| "a raw thread failed")??;
            }
            Ok(done as f64 / seconds)
        })
    }
}

fn member(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        id: row.get(0)?,
        name: row.get(1)?,
        document: row.get(2)?,
        phone: row.get(3)?,
        department: row.get(4)?,
        verdict: row.get(5)?,
        code: row.get(6)?,
        result: row.get(7)?,
        sampled_at: row.get(8)?,
        vaccination: row.get(9)?,
        doses: row.get(10)?,
        data_time: row.get(11)?,
        joined_at: row.get(12)?,
    })
}
