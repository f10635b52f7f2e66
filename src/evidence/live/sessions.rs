//! The one query of a second: sessions by state, and the server's counters.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::connect::{Lost, Session};
use crate::results::gathered::sample::{DatabaseFacts, PostgresSample};

/// Every session of ours begins its application_name so; they are left out of the figures.
pub const OWN: &str = "loadtest-observer";
/// The sessions of actions call themselves so.
pub const ACTION: &str = "loadtest-observer-action";
/// Stands at the end of every statement of ours, so that pg_stat_statements tells them apart.
pub const MARK: &str = "/* loadtest-observer */";

/// Client backends only. Without pg_read_all_stats the server hides `backend_type` of other users' sessions; then a
/// session with a database and a user is counted, which takes in the parallel workers of others.
/// `$1`: slow query in milliseconds. PostgreSQL 10 and later have all these columns.
const SAMPLE: &str = "
with seen as (
  select state, wait_event_type as waits, query_start
  from pg_stat_activity
  where (backend_type = 'client backend' or (backend_type is null and datid is not null and usesysid is not null))
    and pid <> pg_backend_pid() and coalesce(application_name, '') not like 'loadtest-observer%'
)
select
  count(*) as connections,
  count(*) filter (where state = 'active') as active,
  count(*) filter (where state = 'active' and waits is not null) as waiting,
  count(*) filter (where state like 'idle in transaction%') as idle_in_transaction,
  count(*) filter (where state = 'active' and waits = 'Lock') as lock,
  count(*) filter (where state = 'active' and waits = 'LWLock') as lwlock,
  count(*) filter (where state = 'active' and waits = 'IO') as io,
  count(*) filter (where state = 'active' and waits = 'Client') as client,
  count(*) filter (where state = 'active'
    and clock_timestamp() - query_start > $1::int8 * interval '1 millisecond') as slow,
  pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as sees_all,
  (select sum(xact_commit + xact_rollback)::int8 from pg_stat_database) as transactions,
  (select sum(blks_hit)::int8 from pg_stat_database) as blocks_hit,
  (select sum(blks_read)::int8 from pg_stat_database) as blocks_read,
  (select sum(deadlocks)::int8 from pg_stat_database) as deadlocks,
  (select sum(temp_bytes)::int8 from pg_stat_database) as temp_bytes
from seen /* loadtest-observer */";

/// What PostgreSQL says about itself.
const FACTS: &str = "
select current_setting('server_version') as version, current_setting('max_connections')::int4 as max_connections,
  (extract(epoch from pg_postmaster_start_time()) * 1000)::int8 as started_ms,
  pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as sees_all /* loadtest-observer */";

/// Asks for the facts.
///
/// # Errors
/// Why there was no answer.
pub async fn facts(session: &Session) -> Result<DatabaseFacts, Lost> {
    let rows = session.transaction().query_typed(FACTS, &[]).await?;
    let row = rows.first().ok_or_else(|| Lost::new("the server answered nothing"))?;
    Ok(DatabaseFacts {
        version: row.try_get("version")?,
        max_connections: row.try_get("max_connections")?,
        started_ms: row.try_get("started_ms")?,
        sees_all: row.try_get("sees_all")?,
    })
}

/// One sample; `connect_ms` and `refused` are not of this query and stay as they are by default.
///
/// The query itself is a transaction, which `own_transactions` counts.
///
/// # Errors
/// Why there was no answer.
pub async fn sample(session: &Session, slow_ms: u32) -> Result<PostgresSample, Lost> {
    // One round trip and one transaction: a prepared statement would be two.
    let rows = session.transaction().query_typed(SAMPLE, &[(&i64::from(slow_ms), Type::INT8)]).await?;
    let row = rows.first().ok_or_else(|| Lost::new("the server answered nothing"))?;
    let sees_all: bool = row.try_get("sees_all")?;
    let state = |name| {
        if sees_all { count(row, name).map(Some) } else { Ok(None) }
    };
    Ok(PostgresSample {
        connections: count(row, "connections")?,
        active: state("active")?,
        waiting: state("waiting")?,
        idle_in_transaction: state("idle_in_transaction")?,
        lock: state("lock")?,
        lwlock: state("lwlock")?,
        io: state("io")?,
        client: state("client")?,
        slow: state("slow")?,
        connect_ms: None,
        refused: 0,
        transactions: row.try_get("transactions")?,
        own_transactions: Some(session.own_transactions()),
        blocks_hit: row.try_get("blocks_hit")?,
        blocks_read: row.try_get("blocks_read")?,
        deadlocks: row.try_get("deadlocks")?,
        temp_bytes: row.try_get("temp_bytes")?,
    })
}

fn count(row: &Row, name: &str) -> Result<u32, Lost> {
    let count: i64 = row.try_get(name)?;
    u32::try_from(count).map_err(|_| Lost::new("the server counted more sessions than there can be"))
}
