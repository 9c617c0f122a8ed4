//! An authority's database for a test: PostgreSQL or MariaDB, with invented people, and a user who
//! only reads.
use super::{catalogue, keys, shanghai, variable};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tuantibu::{
    config::{Sql, SqlColumns, SqlItem},
    crypto::Keys,
    model::phone::Regions,
    source::sql::{SqlParts, SqlSource},
};

/// The password of every reader; it must stand nowhere.
pub(crate) const PASSWORD: &str = "canary-of-a-password";
pub(crate) const NOW: &str = "2022-11-14T12:00:00+08:00";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    MariaDb,
}

pub(crate) struct Theirs {
    pub(crate) engine: Engine,
    pub(crate) name: String,
    /// The user who reads.
    pub(crate) reader: String,
    pub(crate) address: SocketAddr,
    admin: Admin,
}

enum Admin {
    Postgres(PgPool),
    MariaDb(MySqlPool),
}

/// Runs a test once on each.
#[macro_export]
macro_rules! on_theirs {
    (async fn $name:ident($theirs:ident: Theirs) $body:block) => {
        async fn $name($theirs: Theirs) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(super::Theirs::new(super::Engine::Postgres).await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                super::$name(super::Theirs::new(super::Engine::MariaDb).await).await;
            }
        }
    };
}

impl Theirs {
    /// A database with the tables `residents` and `tests`, both empty.
    pub(crate) async fn new(engine: Engine) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("theirs{}_{nth}", std::process::id());
        let reader = format!("reader{}_{nth}", std::process::id());
        let server = variable(match engine {
            Engine::Postgres => "TUANTIBU_TEST_POSTGRES",
            Engine::MariaDb => "TUANTIBU_TEST_MARIADB",
        });
        let url: url::Url = server.parse().unwrap();
        let address = format!("127.0.0.1:{}", url.port().unwrap())
            .parse()
            .unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        let admin = match engine {
            Engine::Postgres => {
                let pool = PgPool::connect(&server).await.unwrap();
                sqlx::query(create).execute(&pool).await.unwrap();
                let (server, _) = server.rsplit_once('/').unwrap();
                Admin::Postgres(PgPool::connect(&format!("{server}/{name}")).await.unwrap())
            }
            Engine::MariaDb => {
                let pool = MySqlPool::connect(&server).await.unwrap();
                sqlx::query(create).execute(&pool).await.unwrap();
                Admin::MariaDb(
                    MySqlPool::connect(&format!("{server}/{name}"))
                        .await
                        .unwrap(),
                )
            }
        };
        let theirs = Self {
            engine,
            name,
            reader,
            address,
            admin,
        };
        let moment = theirs.either("timestamptz", "timestamp null");
        theirs
            .run(&format!(
                "create table residents (id_no varchar(30), full_name varchar(100), mobile varchar(60),
                    landline varchar(60), code varchar(20), doses varchar(20), last_dose varchar(30), version bigint);
                 create table tests (id_no varchar(30), result varchar(20), sampled {}, reported {moment})",
                theirs.either("timestamp", "datetime"),
            ))
            .await;
        let (name, reader) = (&theirs.name, &theirs.reader);
        theirs
            .run(&match engine {
                Engine::Postgres => format!(
                    "create role {reader} login password '{PASSWORD}';
                     grant select on residents, tests to {reader}"
                ),
                Engine::MariaDb => format!(
                    "create user {reader}@'%' identified by '{PASSWORD}';
                     grant select on {name}.* to {reader}@'%'"
                ),
            })
            .await;
        theirs
    }

    pub(crate) fn either<'a>(&self, postgres: &'a str, mariadb: &'a str) -> &'a str {
        match self.engine {
            Engine::Postgres => postgres,
            Engine::MariaDb => mariadb,
        }
    }

    /// Runs statements as their administrator.
    pub(crate) async fn run(&self, statements: &str) {
        for statement in statements.split(';').filter(|text| !text.trim().is_empty()) {
            self.one(statement).await;
        }
    }

    /// Runs one statement, which may have semicolons.
    pub(crate) async fn one(&self, statement: &str) {
        let text = AssertSqlSafe(statement.to_owned());
        let outcome = match &self.admin {
            Admin::Postgres(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
            Admin::MariaDb(pool) => sqlx::raw_sql(text).execute(pool).await.map(|_| ()),
        };
        outcome.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The values of a row, as they stand in SQL.
    pub(crate) async fn resident(&self, number: &str, rest: &str) {
        self.run(&format!(
            "insert into residents values ('{number}', {rest})"
        ))
        .await;
    }

    /// What their clocks say of a test.
    pub(crate) async fn test(&self, number: &str, result: &str, sampled: &str) {
        self.run(&format!(
            "insert into tests values ('{number}', '{result}', '{sampled}', null)"
        ))
        .await;
    }

    pub(crate) fn url(&self, address: SocketAddr) -> String {
        let scheme = self.either("postgres", "mysql");
        let (reader, name) = (&self.reader, &self.name);
        format!("{scheme}://{reader}:{PASSWORD}@{address}/{name}")
    }

    /// A configuration as an operator writes it for these tables.
    pub(crate) fn config(&self) -> Sql {
        let numbers = self.either("= any(:document_numbers)", "in (:document_numbers)");
        let since = self.either(":since::bigint", ":since");
        let item = |values: &[(&str, &str)]| SqlItem {
            values: values
                .iter()
                .map(|(code, value)| ((*code).to_owned(), (*value).to_owned()))
                .collect(),
            ..SqlItem::default()
        };
        let name = |column: &str| Some(column.to_owned());
        let code = SqlItem {
            value: name("code"),
            ..item(&[("00", "green"), ("01", "yellow"), ("10", "red")])
        };
        let test = SqlItem {
            result: name("result"),
            sampled_at: name("sampled"),
            reported_at: name("reported"),
            ..item(&[
                ("1", "negative"),
                ("2", "positive"),
                ("3", "unknown"),
                ("9", "none"),
            ])
        };
        let vaccination = SqlItem {
            value: name("doses"),
            doses: name("doses"),
            last_on: name("last_dose"),
            ..item(&[("1", "incomplete"), ("2", "complete"), ("3", "booster")])
        };
        Sql {
            url: self.url(self.address),
            connections: 2,
            document_types: [("resident_id".to_owned(), "01".to_owned())].into(),
            matching: Some(
                "select full_name, mobile, landline from residents
                 where id_no = :document_number and :document_type = '01';"
                    .to_owned(),
            ),
            batch: format!(
                "select r.id_no, full_name, mobile, landline, code, doses, last_dose, result, sampled, reported
                 from residents r left join tests t on t.id_no = r.id_no where r.id_no {numbers}"
            ),
            changes: Some(format!(
                "select id_no from residents where version > {since}"
            )),
            cursor: Some(format!(
                "select coalesce(max(version), 0) as {} from residents",
                self.either("cursor", "`cursor`")
            )),
            sample: Some("select min(id_no) as id_no from residents".to_owned()),
            columns: SqlColumns {
                document_number: "id_no".to_owned(),
                name: "FULL_NAME".to_owned(),
                phones: vec!["mobile".to_owned(), "landline".to_owned()],
            },
            items: [
                ("health_code".to_owned(), code),
                ("nucleic_acid".to_owned(), test),
                ("vaccination".to_owned(), vaccination),
            ]
            .into(),
            ..Sql::default()
        }
    }

    /// The source, its configuration changed.
    pub(crate) async fn source(&self, change: impl FnOnce(&mut Sql)) -> Result<SqlSource, String> {
        self.source_with(keys(), change).await
    }

    /// The same with keys of the test's.
    pub(crate) async fn source_with(
        &self,
        keys: Arc<Keys>,
        change: impl FnOnce(&mut Sql),
    ) -> Result<SqlSource, String> {
        let mut config = self.config();
        change(&mut config);
        let now = NOW.parse().unwrap();
        SqlSource::open(SqlParts {
            config,
            timeout: Duration::from_secs(2),
            zone: shanghai(),
            catalogue: catalogue(),
            regions: Regions::default(),
            keys,
            now: Arc::new(move || now),
        })
        .await
    }
}
