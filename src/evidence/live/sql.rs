//! `measurements.sql`: one row with one number, in a read-only transaction; and `actions.sql`, which may write. Variables are
//! bound, never pasted.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::timeout;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::connect::{Lost, Server, Session};
use super::number::Number;
use super::sessions::{ACTION, MARK, OWN};
use super::values::{Value, Values};
use crate::plan::{Piece, names, pieces};

/// A measurement takes no longer than this.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The sql measurements of a test; they share one connection, one after the other.
pub struct SqlSource {
    server: Server,
    session: Option<Session>,
}

impl SqlSource {
    /// A source that hasn't connected yet.
    pub fn new(server: Server) -> Self {
        Self { server, session: None }
    }

    /// The number that `statement` answers with these values.
    ///
    /// # Errors
    /// Why there is none: no connection, no row, more than one, NULL, not a number.
    pub async fn ask(&mut self, statement: &str, values: &Values) -> Result<f64, Lost> {
        let bound = Bound::new(statement, values)?;
        let session = match self.session.take().filter(|s| !s.is_closed()) {
            Some(session) => session,
            None => self.server.connect(&format!("{OWN}-sql"), STATEMENT_TIMEOUT).await?,
        };
        let mut session = session;
        let asked = timeout(STATEMENT_TIMEOUT + Duration::from_secs(1), bound.ask(&mut session)).await;
        let number = asked.map_err(|_| Lost::new("no answer within 11 s"))?;
        // Kept after an answer, good or bad; dropped, and so closed, after silence.
        self.session = Some(session);
        number
    }
}

/// Runs a statement that may write, and takes no answer. Without variables it is sent as it is, so that it may be any command,
/// or several.
///
/// # Errors
/// Why it was not run to its end within `limit`.
pub async fn run_statement(server: &Server, statement: &str, values: &Values, limit: Duration) -> Result<(), Lost> {
    let mut session = server.connect(ACTION, limit).await?;
    let run = async {
        if names(statement).next().is_none() {
            return Ok(session.transaction().batch_execute(&plain(statement)).await?);
        }
        Bound::new(statement, values)?.run(&mut session).await
    };
    timeout(limit + Duration::from_secs(1), run).await.map_err(|_| Lost::new("the statement took too long"))?
}

/// What the pieces of a text without variables come to: `$$(name)` is the text `$(name)`.
fn plain(text: &str) -> String {
    let piece = |piece| match piece {
        Piece::Text(text) | Piece::Variable(text) => text,
    };
    pieces(text).into_iter().map(piece).collect()
}

/// A statement with `$1`, `$2`, … and what they stand for.
struct Bound {
    statement: String,
    types: Vec<Type>,
    parameters: Vec<Parameter>,
}

impl Bound {
    fn new(statement: &str, values: &Values) -> Result<Self, Lost> {
        let mut numbers = BTreeMap::new();
        let mut bound = Self { statement: String::new(), types: vec![], parameters: vec![] };
        for piece in pieces(statement) {
            let name = match piece {
                Piece::Text(text) => {
                    bound.statement.push_str(text);
                    continue;
                }
                Piece::Variable(name) => name,
            };
            let value = values.get(name).ok_or_else(|| Lost::new(format!("$({name}) is not known yet")))?;
            let number = *numbers.entry(name).or_insert_with(|| {
                bound.types.push(match value {
                    Value::Instant(_) => Type::TIMESTAMPTZ,
                    Value::Number(_) => Type::INT4,
                    // The server finds out from where it stands, so that a variable may be compared with any column.
                    Value::Text(_) => Type::UNKNOWN,
                });
                bound.parameters.push(Parameter(value.text()));
                bound.parameters.len()
            });
            bound.statement.push_str(&format!("${number}"));
        }
        // On a line of its own: the statement may end with a comment.
        let end = bound.statement.trim_end().trim_end_matches(';').len();
        bound.statement.truncate(end);
        bound.statement.push_str(&format!("\n{MARK}"));
        Ok(bound)
    }

    async fn run(&self, session: &mut Session) -> Result<(), Lost> {
        let client = session.transaction();
        let statement = client.prepare_typed(&self.statement, &self.types).await?;
        let parameters: Vec<&(dyn ToSql + Sync)> = self.parameters.iter().map(|p| p as _).collect();
        Ok(client.execute(&statement, &parameters).await.map(drop)?)
    }

    async fn ask(&self, session: &mut Session) -> Result<f64, Lost> {
        let transaction = session.transaction_mut().build_transaction().read_only(true).start().await?;
        let statement = transaction.prepare_typed(&self.statement, &self.types).await?;
        let [column] = statement.columns() else {
            return Err(Lost::new(format!("the statement answers {} columns, not one", statement.columns().len())));
        };
        if !<Number as tokio_postgres::types::FromSql>::accepts(column.type_()) {
            return Err(Lost::new(format!("the statement answers a {}, not a number", column.type_().name())));
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = self.parameters.iter().map(|p| p as _).collect();
        let rows = transaction.query(&statement, &parameters).await?;
        let [row] = rows.as_slice() else {
            return Err(Lost::new(format!("the statement answers {} rows, not one", rows.len())));
        };
        let number: Option<Number> = row.try_get(0).map_err(|_| Lost::new("the statement answers no finite number"))?;
        transaction.rollback().await?;
        let Number(number) = number.ok_or_else(|| Lost::new("the statement answers NULL"))?;
        if number.is_finite() { Ok(number) } else { Err(Lost::new("the statement answers no finite number")) }
    }
}

/// A parameter in PostgreSQL's text format, which fits every type. May be a secret.
struct Parameter(String);

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parameter")
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values::of_run("demo-1", 0, &BTreeMap::from([("n".into(), "'; drop table t --".into())]))
    }

    #[test]
    fn a_name_used_twice_is_bound_once() {
        let bound = Bound::new("a > $(run.start) and b < $(run.start) and c = $(run.id)", &values()).unwrap();
        assert_eq!(bound.statement.lines().next(), Some("a > $1 and b < $1 and c = $2"));
        assert_eq!(bound.types, [Type::TIMESTAMPTZ, Type::UNKNOWN]);
    }

    #[test]
    fn a_value_never_becomes_part_of_the_statement() {
        let bound = Bound::new("select $(vars.n)", &values()).unwrap();
        assert_eq!(bound.statement, format!("select $1\n{MARK}"));
        assert_eq!(format!("{:?}", bound.parameters), "[Parameter]");
    }

    #[test]
    fn a_name_without_value_is_not_asked_for() {
        assert!(Bound::new("select $(row.start)", &values()).err().unwrap().text.contains("row.start"));
    }
}
