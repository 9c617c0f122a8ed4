//! SQLite by rusqlite: what is prepared once is kept, and as many threads read as there are
//! processors.
use super::{
    AUTHORIZATIONS, BATCH, COUNTS, Cells, FAILS, INDEX, JOIN_AUTHORIZATION, JOIN_PERSON, JOINS,
    MEMBERS, Member, PAGE, SNAPSHOTS, in_order, register_of,
};
use crate::{Res, reads, world::World};
use rusqlite::{Connection, Row, Statement, TransactionBehavior, params};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The plain tables, in a file of their own beside the program's.
pub(crate) struct Plain {
    path: PathBuf,
    people: Vec<u64>,
    joined: AtomicU64,
}

impl Plain {
    pub(super) fn make(world: &World) -> Res<Self> {
        let plain = Self {
            path: world.folder().join("raw.db"),
            people: in_order(world.members),
            joined: AtomicU64::new(0),
        };
        let mut connection = plain.open()?;
        connection.execute_batch(MEMBERS)?;
        connection.execute_batch(INDEX)?;
        for table in [JOINS, AUTHORIZATIONS, SNAPSHOTS] {
            let clustered = format!("{} without rowid", table.replace("{blob}", "blob"));
            connection.execute_batch(&clustered)?;
        }
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
        {
            let mut insert =
                transaction.prepare("insert into plain_snapshots values ($1, $2, $3, 0)")?;
            for n in &plain.people {
                let cells = Cells::of(*n, 0);
                insert.execute(params![cells.id, cells.items, cells.fingerprint])?;
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

    /// One writer, who commits each alone.
    pub(super) fn joins(&self, seconds: f64) -> Res<f64> {
        let mut connection = self.open()?;
        connection.set_prepared_statement_cache_capacity(8);
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let mut done = 0_u64;
        while Instant::now() < end {
            let n = self.joined.fetch_add(1, Ordering::Relaxed);
            let cells = Cells::of(n, 0);
            let id = cells.hash[16..].to_vec();
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.prepare_cached(JOIN_PERSON)?.execute(params![
                cells.id,
                cells.hash,
                cells.fingerprint,
                cells.profile,
                cells.items,
                cells.fingerprint,
                0
            ])?;
            transaction
                .prepare_cached(JOIN_AUTHORIZATION)?
                .execute(params![
                    [0_u8; 16],
                    cells.id,
                    id,
                    "health_code,nucleic_acid,vaccination",
                    0
                ])?;
            transaction.commit()?;
            done += 1;
        }
        Ok(done as f64 / seconds)
    }

    /// A prepared update for each, a transaction for each batch.
    pub(super) fn update(&self, every: usize, change: i64) -> Res<f64> {
        let offered = Cells::offered(&self.people, every, change);
        let mut connection = self.open()?;
        let begun = Instant::now();
        let mut updated = 0;
        for batch in offered.chunks(BATCH) {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut update = transaction.prepare_cached(
                    "update plain_snapshots set items = ?2, fingerprint = ?3, read_at = read_at + 1
                     where person_id = ?1 and fingerprint <> ?3",
                )?;
                for cells in batch {
                    updated += update.execute(params![cells.id, cells.items, cells.fingerprint])?;
                }
            }
            transaction.commit()?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        match updated == offered.len().div_ceil(every) {
            true => Ok(offered.len() as f64 / seconds),
            false => Err(format!("{updated} raw updates").into()),
        }
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
