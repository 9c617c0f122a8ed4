//! What the database holds, table by table, so that a test can say that nothing changed.
use crate::app::TestApp;
use sqlx::{Connection, PgConnection, PgPool};
use std::collections::{BTreeMap, BTreeSet};

/// Every table's rows as one text each, in an order of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows(BTreeMap<String, Vec<String>>);

impl Rows {
    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> usize {
        self.0.get(table).map_or(0, Vec::len)
    }

    /// How many rows hold a text.
    pub(crate) fn holding(&self, text: &str) -> usize {
        let rows = self.0.values().flatten();
        rows.filter(|row| row.contains(text)).count()
    }

    /// The same without tables that may change: counters of limits, say.
    pub(crate) fn without(mut self, tables: &[&str]) -> Self {
        self.0.retain(|table, _| !tables.contains(&table.as_str()));
        self
    }

    /// The tables in which something differs.
    pub(crate) fn changed(&self, other: &Self) -> Vec<String> {
        let both = self.0.keys().chain(other.0.keys());
        let mut changed: Vec<String> = both
            .filter(|table| self.0.get(*table) != other.0.get(*table))
            .cloned()
            .collect();
        changed.dedup();
        changed
    }
}

/// Reads every row of every table.
pub(crate) async fn rows(app: &TestApp) -> Rows {
    let mut all = BTreeMap::new();
    if app.is_sqlite() {
        let database = app.sqlite();
        let texts = |statement: &str| -> Vec<String> {
            let mut statement = database.prepare(statement).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let tables =
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
        for table in texts(tables) {
            let columns = texts(&format!("select name from pragma_table_info('{table}')"));
            let columns: Vec<String> = columns.iter().map(|own| format!("quote({own})")).collect();
            let columns = columns.join(" || ',' || ");
            let rows = texts(&format!("select {columns} from {table} order by 1"));
            all.insert(table, rows);
        }
        return Rows(all);
    }
    let pool = PgPool::connect(&app.config.database.url).await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(&pool)
            .await
            .unwrap();
    for table in tables {
        let text = format!("select t::text from {table} t order by 1");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(text));
        all.insert(table, rows.fetch_all(&pool).await.unwrap());
    }
    pool.close().await;
    Rows(all)
}

/// What must hold between tables whatever happened at the same time; each finds the offenders.
const BROKEN: &[(&str, &str)] = &[
    (
        "a register counts its members wrongly",
        "select count(*) from registers r where r.members <> \
         (select count(*) from authorizations a where a.register_id = r.id)",
    ),
    (
        "an authorization without its person",
        "select count(*) from authorizations a where not exists \
         (select 1 from persons p where p.id = a.person_id)",
    ),
    (
        "an authorization without its register",
        "select count(*) from authorizations a where not exists \
         (select 1 from registers r where r.id = a.register_id)",
    ),
    (
        "an authorization without its guardian",
        "select count(*) from authorizations a where a.guardian_id is not null and not exists \
         (select 1 from persons p where p.id = a.guardian_id)",
    ),
    (
        "an authorization without a snapshot",
        "select count(*) from authorizations a where not exists \
         (select 1 from snapshots s where s.person_id = a.person_id)",
    ),
    (
        "a snapshot that nobody consented to",
        "select count(*) from snapshots s where not exists \
         (select 1 from authorizations a where a.person_id = s.person_id)",
    ),
    (
        "a register without an owner",
        "select count(*) from registers r where not exists \
         (select 1 from register_administrators a join persons p on p.id = a.person_id \
          where a.register_id = r.id and a.role = 1)",
    ),
    (
        "a register with two owners",
        "select count(*) from registers r where \
         (select count(*) from register_administrators a \
          where a.register_id = r.id and a.role = 1) > 1",
    ),
    (
        "an administrator without their person",
        "select count(*) from register_administrators a where not exists \
         (select 1 from persons p where p.id = a.person_id)",
    ),
    (
        "an invitation by somebody who is not the owner",
        "select count(*) from invitations i where not exists \
         (select 1 from register_administrators a where a.register_id = i.register_id \
          and a.person_id = i.inviter_id and a.role = 1)",
    ),
    (
        "an administrator of nothing",
        "select count(*) from register_administrators a where not exists \
         (select 1 from registers r where r.id = a.register_id)",
    ),
    (
        "a passkey of somebody who administers nothing",
        "select count(*) from passkeys k where not exists \
         (select 1 from register_administrators a where a.person_id = k.person_id)",
    ),
    (
        "requirements that a register names and has not",
        "select count(*) from registers r where not exists \
         (select 1 from register_requirements q \
          where q.register_id = r.id and q.version = r.requirements_version)",
    ),
    (
        "a waiting join of nothing",
        "select count(*) from pending_joins j where not exists \
         (select 1 from registers r where r.id = j.register_id)",
    ),
];

/// Holds that no race left half of anything.
pub(crate) async fn assert_whole(app: &TestApp) {
    assert_whole_at(&app.config.database.url).await;
}

/// The same of a database, whoever uses it.
pub(crate) async fn assert_whole_at(url: &str) {
    for (what, text) in BROKEN {
        let count: i64 = match sqlite(url) {
            Some(database) => database.query_row(text, [], |row| row.get(0)).unwrap(),
            None => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let count = sqlx::query_scalar(*text).fetch_one(&mut connection);
                count.await.unwrap()
            }
        };
        assert_eq!(count, 0, "{what}");
    }
}

/// The ids of the messages that a database has a record of.
pub(crate) async fn messages(url: &str) -> BTreeSet<Vec<u8>> {
    let text = "select id from sms_messages";
    let ids: Vec<Vec<u8>> = match sqlite(url) {
        Some(database) => {
            let mut statement = database.prepare(text).unwrap();
            let ids = statement.query_map([], |row| row.get(0)).unwrap();
            ids.map(Result::unwrap).collect()
        }
        None => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let ids = sqlx::query_scalar(text).fetch_all(&mut connection);
            ids.await.unwrap()
        }
    };
    ids.into_iter().collect()
}

/// A SQLite database, for reading; none where the URL is PostgreSQL's.
fn sqlite(url: &str) -> Option<rusqlite::Connection> {
    let path = url.strip_prefix("sqlite:")?;
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    Some(rusqlite::Connection::open_with_flags(path, flags).unwrap())
}
