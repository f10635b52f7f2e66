//! pg_stat_statements, where it is installed: which statements added the most time over a row.

use std::collections::HashMap;

use tokio_postgres::types::Type;

use super::connect::{Lost, Session};
use super::literals::without_literals;
use super::sessions::MARK;
use crate::plan::ObservedRow;
use crate::results::gathered::statements::{Statement, Statements};

/// Statements that are told.
const MOST: usize = 10;
/// Of so many the texts are asked for, since some are the observer's own.
const CANDIDATES: usize = 30;
/// The first reading is taken up to so long before the row's start, milliseconds.
const BEFORE: i64 = 1_500;
/// While the row goes on, readings are further and further apart, milliseconds.
const FIRST_READING: i64 = 5_000;
const LONGEST_READING: i64 = 300_000;

/// Follows the rows of a test.
#[derive(Default)]
pub struct Ranking {
    /// Of the row in progress.
    first: Option<First>,
}

struct First {
    row: i32,
    at_ms: i64,
    /// `Err`: why there are none.
    counted: Result<HashMap<i64, Counted>, String>,
    /// When it is read again, milliseconds since the epoch; `None`: the row's end was read.
    next_ms: Option<i64>,
}

/// What one statement has used since the statistics began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    pub calls: i64,
    pub ms: f64,
    pub rows: i64,
}

impl Ranking {
    /// Reads when it is due at `t` (milliseconds since the epoch): at the row's start, now and then, and once its end is
    /// known.
    ///
    /// # Errors
    /// Why the server did not answer; that the extension isn't there stands in the answer.
    pub async fn ask(&mut self, session: &Session, t: i64, row: &ObservedRow) -> Result<Option<Statements>, Lost> {
        let Some(start) = row.start_ms.filter(|start| row.row > 0 && t >= start - BEFORE) else { return Ok(None) };
        let Some(first) = self.first.as_mut().filter(|first| first.row == row.row) else {
            let counted = read(session).await?;
            self.first = Some(First { row: row.row, at_ms: t, counted, next_ms: Some(start + FIRST_READING) });
            return Ok(None);
        };
        if first.next_ms.is_none_or(|next| row.end_ms.is_none() && t < next) {
            return Ok(None);
        }
        let (top, problem) = match (&first.counted, read(session).await?) {
            (Ok(before), Ok(now)) => (told(session, &added(before, &now)).await?, None),
            (Err(why), _) => (Vec::new(), Some(why.clone())),
            (_, Err(why)) => (Vec::new(), Some(why)),
        };
        let step = (t - start).clamp(FIRST_READING, LONGEST_READING);
        first.next_ms = row.end_ms.is_none().then_some(t + step);
        Ok(Some(Statements { row: row.row, from_ms: first.at_ms, to_ms: t, top, problem }))
    }
}

/// What was added, the most time first. A statement whose counts went back was reset or evicted in between: it is left out.
pub fn added(before: &HashMap<i64, Counted>, now: &HashMap<i64, Counted>) -> Vec<(i64, Counted)> {
    let mut all: Vec<(i64, Counted)> = now
        .iter()
        .filter_map(|(id, now)| {
            let old = before.get(id).copied().unwrap_or_default();
            let added = Counted { calls: now.calls - old.calls, ms: now.ms - old.ms, rows: now.rows - old.rows };
            (added.calls > 0 && added.ms >= 0.0 && added.rows >= 0).then_some((*id, added))
        })
        .collect();
    all.sort_by(|(id, a), (other, b)| b.ms.total_cmp(&a.ms).then(id.cmp(other)));
    all
}

/// The extension's schema, and the column with the time: renamed in its version 1.8 (PostgreSQL 13).
async fn place(session: &Session) -> Result<Result<(String, &'static str), String>, Lost> {
    let sql = "select quote_ident(n.nspname::text) as place, e.extversion as version, \
        pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as sees_all \
        from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements' \
        /* loadtest-observer */";
    let rows = session.transaction().query_typed(sql, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(Err("the extension pg_stat_statements is not installed in the database of the URL".into()));
    };
    let sees_all: bool = row.try_get("sees_all")?;
    if !sees_all {
        return Ok(Err("without the role pg_monitor the statements of other users can't be seen".into()));
    }
    let (place, version): (String, String) = (row.try_get("place")?, row.try_get("version")?);
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    Ok(Ok((place, if version >= (1, 8) { "total_exec_time" } else { "total_time" })))
}

async fn read(session: &Session) -> Result<Result<HashMap<i64, Counted>, String>, Lost> {
    let (place, time) = match place(session).await? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let sql = format!(
        "select queryid, sum(calls)::int8, sum({time})::float8, sum(rows)::int8 \
         from {place}.pg_stat_statements(false) where queryid is not null group by queryid {MARK}"
    );
    let rows = match session.transaction().query_typed(&sql, &[]).await {
        Ok(rows) => rows,
        // 55000: the library was not loaded when the server started.
        Err(error) if error.code().is_some_and(|code| code.code() == "55000") => {
            return Ok(Err("pg_stat_statements is not in shared_preload_libraries of the server".into()));
        }
        Err(error) => return Err(error.into()),
    };
    let mut counted = HashMap::new();
    for row in rows {
        let used = Counted { calls: row.try_get(1)?, ms: row.try_get(2)?, rows: row.try_get(3)? };
        counted.insert(row.try_get(0)?, used);
    }
    Ok(Ok(counted))
}

/// The texts of those that added the most, without the observer's own.
async fn told(session: &Session, added: &[(i64, Counted)]) -> Result<Vec<Statement>, Lost> {
    let candidates = &added[..added.len().min(CANDIDATES)];
    let Ok((place, _)) = place(session).await? else { return Ok(Vec::new()) };
    let ids: Vec<i64> = candidates.iter().map(|(id, _)| *id).collect();
    let sql = format!(
        "select queryid, min(query) from {place}.pg_stat_statements(true) where queryid = any($1) group by queryid {MARK}"
    );
    let rows = session.transaction().query_typed(&sql, &[(&ids, Type::INT8_ARRAY)]).await?;
    let mut texts = HashMap::<i64, String>::new();
    for row in rows {
        if let Some(text) = row.try_get::<_, Option<String>>(1)? {
            texts.insert(row.try_get(0)?, text);
        }
    }
    let others = candidates.iter().filter_map(|(id, used)| Some((texts.get(id)?, used)));
    let told = others.filter(|(text, _)| !text.contains(MARK)).take(MOST);
    Ok(told.map(|(text, used)| statement(text, used)).collect())
}

fn statement(text: &str, used: &Counted) -> Statement {
    let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
    Statement {
        text: without_literals(text),
        calls: used.calls,
        added_ms: rounded(used.ms),
        mean_ms: rounded(used.ms / used.calls.max(1) as f64),
        rows: used.rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(all: &[(i64, i64, f64)]) -> HashMap<i64, Counted> {
        all.iter().map(|(id, calls, ms)| (*id, Counted { calls: *calls, ms: *ms, rows: *calls })).collect()
    }

    #[test]
    fn the_most_added_time_comes_first_and_what_did_not_run_is_left_out() {
        let before = counted(&[(1, 10, 9000.0), (2, 1, 1.0), (3, 5, 50.0)]);
        let now = counted(&[(1, 11, 9001.0), (2, 3, 401.0), (3, 5, 50.0), (4, 1, 30.0)]);
        let ids: Vec<i64> = added(&before, &now).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [2, 4, 1]);
        assert_eq!(added(&before, &now)[0].1, Counted { calls: 2, ms: 400.0, rows: 2 });
    }

    #[test]
    fn counts_that_went_back_are_left_out_and_never_negative() {
        let now = counted(&[(1, 2, 5.0)]);
        assert_eq!(added(&counted(&[(1, 10, 9000.0)]), &now), []);
    }
}
