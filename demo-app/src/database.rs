//! The queue in PostgreSQL: table `tasks` (states `waiting`, `running`, `done`, `failed`) and table `workers`.

use std::str::FromStr;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::NoTls;

use crate::Error;

/// Longest wait for a free connection of the pool, and for a new connection.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// A worker that has not been heard of for so long counts as offline.
pub const OFFLINE_AFTER_SECONDS: f64 = 15.0;
/// A task still `running` after so long is given to another worker: its own was killed.
pub const ABANDONED_AFTER_SECONDS: f64 = 60.0;

const SCHEMA: &str = "
    set local client_min_messages = warning; -- no notice for each table that is there already
    create table if not exists tasks (
        id bigserial primary key,
        state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
        payload jsonb not null,
        created_at timestamptz not null default clock_timestamp(),
        started_at timestamptz,
        finished_at timestamptz
    );
    create index if not exists tasks_open on tasks (state, id) where state in ('waiting', 'running');
    create index if not exists tasks_created on tasks (created_at);
    create table if not exists workers (name text primary key, seen_at timestamptz not null);";

/// Any number: all processes of the application take the same advisory lock while they make the tables, because two
/// `create table if not exists` at once can still collide in the catalogue.
const SCHEMA_LOCK: i64 = 7_302_214;

/// Why a statement gave no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No connection was to be had.
    #[error("{}", pool_error(.0))]
    Pool(#[from] PoolError),
    /// PostgreSQL refused or was lost.
    #[error("{}", postgres_error(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

/// A task that a worker has claimed.
#[derive(Debug)]
pub struct Claimed {
    /// Its id.
    pub id: i64,
    /// Its payload.
    pub payload: Value,
}

/// A task, as it is listed.
#[derive(Debug, serde::Serialize)]
pub struct Task {
    /// Its id.
    pub id: i64,
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// When a worker took it; absent: none did yet.
    pub started_at: Option<Timestamp>,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// The queue; clones share one connection pool.
#[derive(Clone)]
pub struct Queue {
    pool: Pool,
}

impl Queue {
    /// A queue over at most `connections` connections; connects when first used.
    ///
    /// # Errors
    /// When the URL is not one.
    pub fn new(url: &str, connections: usize) -> Result<Self, Error> {
        let config = tokio_postgres::Config::from_str(url).map_err(|_| Error::DatabaseUrl)?;
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let timeouts = Timeouts {
            wait: Some(CONNECTION_TIMEOUT),
            create: Some(CONNECTION_TIMEOUT),
            recycle: Some(CONNECTION_TIMEOUT),
        };
        let pool = Pool::builder(Manager::from_config(config, NoTls, manager))
            .max_size(connections)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self { pool })
    }

    /// Waits for the database and makes the tables; may run in any number of processes at once.
    ///
    /// # Errors
    /// When that has not worked for `patience`.
    pub async fn prepare(&self, patience: Duration) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            let error = match self.create_tables().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if start.elapsed() >= patience {
                return Err(Error::DatabaseAway { seconds: patience.as_secs(), cause: error.to_string() });
            }
            tracing::warn!("waiting for the database: {error}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn create_tables(&self) -> Result<(), QueryError> {
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        transaction.execute("select pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK]).await?;
        transaction.batch_execute(SCHEMA).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Asks the database for nothing, to see whether it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), QueryError> {
        self.pool.get().await?.simple_query("select 1").await?;
        Ok(())
    }

    /// Adds one waiting task; answers its id.
    ///
    /// # Errors
    /// When it may not have been added.
    pub async fn enqueue(&self, payload: &Value) -> Result<i64, QueryError> {
        let connection = self.pool.get().await?;
        let insert = prepared(&connection, "insert into tasks (payload) values ($1) returning id").await?;
        Ok(connection.query_one(&insert, &[payload]).await?.get(0))
    }

    /// Number of tasks in these states, created at `since` or later.
    ///
    /// # Errors
    /// When the database does not say.
    pub async fn count(&self, states: &[String], since: Option<Timestamp>) -> Result<i64, QueryError> {
        let connection = self.pool.get().await?;
        let text = "select count(*) from tasks where state = any($1) and ($2::timestamptz is null or created_at >= $2)";
        let count = prepared(&connection, text).await?;
        Ok(connection.query_one(&count, &[&states, &since]).await?.get(0))
    }

    /// At most `limit` tasks with a larger id than `after`, created at `since` or later, by id.
    ///
    /// # Errors
    /// When the database does not say.
    pub async fn list(&self, since: Option<Timestamp>, after: i64, limit: i64) -> Result<Vec<Task>, QueryError> {
        let connection = self.pool.get().await?;
        let text = "select id, state, created_at, started_at, finished_at from tasks
            where id > $1 and ($2::timestamptz is null or created_at >= $2) order by id limit $3";
        let list = prepared(&connection, text).await?;
        let rows = connection.query(&list, &[&after, &since, &limit]).await?;
        let task = |row: &tokio_postgres::Row| Task {
            id: row.get(0),
            state: row.get(1),
            created_at: row.get(2),
            started_at: row.get(3),
            finished_at: row.get(4),
        };
        Ok(rows.iter().map(task).collect())
    }

    /// Takes the oldest waiting task that no other worker is just taking.
    ///
    /// # Errors
    /// When the database does not answer; the task is then still waiting, or abandoned.
    pub async fn claim(&self) -> Result<Option<Claimed>, QueryError> {
        let connection = self.pool.get().await?;
        let text = "update tasks set state = 'running', started_at = clock_timestamp() where id = (
                select id from tasks where state = 'waiting' order by id for update skip locked limit 1
            ) returning id, payload";
        let claim = prepared(&connection, text).await?;
        let row = connection.query_opt(&claim, &[]).await?;
        Ok(row.map(|row| Claimed { id: row.get(0), payload: row.get(1) }))
    }

    /// Marks a claimed task as `done` or `failed`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn finish(&self, task: i64, state: &str) -> Result<(), QueryError> {
        let connection = self.pool.get().await?;
        let text = "update tasks set state = $2, finished_at = clock_timestamp() where id = $1";
        let finish = prepared(&connection, text).await?;
        connection.execute(&finish, &[&task, &state]).await?;
        Ok(())
    }

    /// Says that a worker is there, and gives abandoned tasks back to the queue; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn heartbeat(&self, worker: &str) -> Result<u64, QueryError> {
        let connection = self.pool.get().await?;
        let text = "insert into workers values ($1, clock_timestamp())
            on conflict (name) do update set seen_at = excluded.seen_at";
        connection.execute(text, &[&worker]).await?;
        let text = "update tasks set state = 'waiting', started_at = null
            where state = 'running' and started_at < clock_timestamp() - make_interval(secs => $1)";
        Ok(connection.execute(text, &[&ABANDONED_AFTER_SECONDS]).await?)
    }

    /// Says that a worker has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_off(&self, worker: &str) -> Result<(), QueryError> {
        self.pool.get().await?.execute("delete from workers where name = $1", &[&worker]).await?;
        Ok(())
    }

    /// Names of the workers heard of lately.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn online_workers(&self) -> Result<Vec<String>, QueryError> {
        let text =
            "select name from workers where seen_at > clock_timestamp() - make_interval(secs => $1) order by name";
        let rows = self.pool.get().await?.query(text, &[&OFFLINE_AFTER_SECONDS]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

async fn prepared(connection: &Object, text: &str) -> Result<tokio_postgres::Statement, QueryError> {
    Ok(connection.prepare_cached(text).await?)
}

/// PostgreSQL's own words: the `Display` of the driver's error is only "db error".
fn postgres_error(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

fn pool_error(error: &PoolError) -> String {
    match error {
        PoolError::Timeout(_) => {
            format!("request timed out: no database connection within {} s", CONNECTION_TIMEOUT.as_secs())
        }
        PoolError::Backend(error) => postgres_error(error),
        other => other.to_string(),
    }
}
