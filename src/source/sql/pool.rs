//! Connections that are kept, and given up at the first doubt. A connection on which something was
//! under way and did not end is closed; one that was idle and turns out dead is replaced at once,
//! since nothing that is asked changes anything. (sqlx's own pool goes on connecting to a database that
//! refuses until the time is over: whoever joins would wait for it each time.)
use super::database::Cells;
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ColumnIndex, ConnectOptions, Connection, Database, Decode, Executor,
    IntoArguments, Row, Type,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// Most that connecting may take of a query's time.
const CONNECT: Duration = Duration::from_secs(5);

type OptionsOf<DB> = <<DB as Database>::Connection as Connection>::Options;

/// Connections of one engine.
pub(super) struct Pool<DB: Database> {
    options: OptionsOf<DB>,
    /// What a session begins with.
    session: &'static str,
    millis: u128,
    within: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<DB::Connection>>,
}

/// What is done with a connection.
pub(super) trait Work<DB: Database>: Sync {
    type Outcome: Send;

    fn run(
        &self,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<Self::Outcome, sqlx::Error>> + Send;
}

impl<DB> Pool<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// `session` has `{millis}` where the longest time of a query stands, `{seconds}` where it
    /// stands in seconds.
    pub(super) fn new(
        options: OptionsOf<DB>,
        session: &'static str,
        within: Duration,
        connections: u32,
    ) -> Self {
        Self {
            options,
            session,
            millis: within.as_millis(),
            within,
            permits: Semaphore::new(connections.max(1) as usize),
            idle: Mutex::default(),
        }
    }

    /// Does something with a connection, in time.
    pub(super) async fn with<W: Work<DB>>(&self, work: &W) -> Result<W::Outcome, sqlx::Error> {
        let outcome = timeout(self.within, self.with_any(work)).await;
        let outcome = outcome.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if outcome.as_ref().is_err_and(is_doubtful) {
            // The others are as old.
            self.idle().clear();
        }
        outcome
    }

    async fn with_any<W: Work<DB>>(&self, work: &W) -> Result<W::Outcome, sqlx::Error> {
        let _permit = self.permits.acquire().await;
        loop {
            let kept = self.idle().pop();
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => {
                    let connected = timeout(self.within.min(CONNECT), self.connect()).await;
                    connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))?
                }
            };
            let outcome = work.run(&mut connection).await;
            match &outcome {
                Err(error) if is_doubtful(error) && is_kept => {}
                Err(error) if is_doubtful(error) => return outcome,
                _ => {
                    self.idle().push(connection);
                    return outcome;
                }
            }
        }
    }

    async fn connect(&self) -> Result<DB::Connection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let session = self
            .session
            .replace("{millis}", &self.millis.to_string())
            .replace("{seconds}", &self.within.as_secs_f64().to_string());
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(session)))
            .await?;
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<DB::Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection may be of no use any more: it broke, or the server ends it.
fn is_doubtful(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        Some(refusal) => refusal
            .code()
            .is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        None => true,
    }
}

/// A query whose columns are all texts.
pub(super) struct Ask<'a, A> {
    pub(super) text: &'a Arc<str>,
    pub(super) arguments: A,
    /// More rows are a failure.
    pub(super) most: usize,
}

impl<DB, A> Work<DB> for Ask<'_, A>
where
    DB: Database<Arguments = A>,
    A: IntoArguments<DB> + Clone + Sync,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> String: Decode<'r, DB>,
    String: Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    type Outcome = Vec<Cells>;

    async fn run(&self, connection: &mut DB::Connection) -> Result<Vec<Cells>, sqlx::Error> {
        let text = AssertSqlSafe(self.text.clone());
        let mut stream = connection.fetch(sqlx::query_with(text, self.arguments.clone()));
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            if rows.len() == self.most {
                return Err(sqlx::Error::Protocol("too many rows".to_owned()));
            }
            let cells: Result<Cells, _> = (0..row.len()).map(|at| row.try_get(at)).collect();
            rows.push(cells?);
        }
        Ok(rows)
    }
}

/// A query that is prepared and not run, with the types of what it takes.
pub(super) struct Prepare<'a, DB: Database> {
    pub(super) text: &'a str,
    pub(super) types: Vec<DB::TypeInfo>,
}

impl<DB> Work<DB> for Prepare<'_, DB>
where
    DB: Database,
    DB::TypeInfo: Sync,
    DB::Statement: Send,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    type Outcome = DB::Statement;

    async fn run(&self, connection: &mut DB::Connection) -> Result<DB::Statement, sqlx::Error> {
        let text = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(self.text.to_owned()));
        connection.prepare_with(text, &self.types).await
    }
}
