//! PostgreSQL as a source: one kept connection for the samples, and now and then a fresh one.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::connect::{Lost, Server, Session};
use super::sessions::{OWN, facts, sample};
use super::statements::Ranking;
use crate::plan::ObservedRow;
use crate::results::gathered::sample::{DatabaseFacts, PostgresSample};
use crate::results::gathered::statements::Statements;

/// A sample takes no longer than this.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two attempts to connect again: doubled each time, up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// PostgreSQL itself, asked once a second.
pub struct PostgresSource {
    server: Server,
    slow_ms: u32,
    session: Option<Session>,
    backoff: Duration,
    next_attempt: Option<Instant>,
    last_error: Option<Lost>,
    ranking: Ranking,
}

/// What one second brought.
#[derive(Debug, Default)]
pub struct Seen {
    /// Said when the connection is new.
    pub facts: Option<DatabaseFacts>,
    pub sample: Option<PostgresSample>,
    /// Now and then: the statements of the row.
    pub statements: Option<Statements>,
    /// Why there is no sample.
    pub lost: Option<String>,
    /// New connections that the server refused.
    pub refused: u32,
}

impl PostgresSource {
    /// A source that hasn't connected yet. `slow_ms`: a query that runs longer is a slow query.
    pub fn new(server: Server, slow_ms: u32) -> Self {
        let ranking = Ranking::default();
        Self { server, slow_ms, session: None, backoff: Duration::ZERO, next_attempt: None, last_error: None, ranking }
    }

    /// Takes a sample at `t` (milliseconds since the epoch) of this row, connecting first where needed.
    pub async fn ask(&mut self, t: i64, row: &ObservedRow) -> Seen {
        let mut seen = Seen::default();
        match self.try_ask(&mut seen, t, row).await {
            Ok(()) => self.last_error = None,
            Err(lost) => {
                seen.lost = Some(lost.text.clone());
                seen.refused += u32::from(lost.refused);
                // The same refusal is told again while it is waited for, but counted once.
                self.last_error = Some(Lost { refused: false, ..lost });
            }
        }
        seen
    }

    async fn try_ask(&mut self, seen: &mut Seen, t: i64, row: &ObservedRow) -> Result<(), Lost> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            self.reconnect(seen).await?;
        }
        let Some(session) = &self.session else {
            return Err(Lost::new("not connected"));
        };
        match timeout(STATEMENT_TIMEOUT + Duration::from_secs(1), sample(session, self.slow_ms)).await {
            Ok(Ok(sample)) => seen.sample = Some(sample),
            Ok(Err(lost)) => {
                // A statement that only took too long leaves the connection usable; is_closed tells the rest.
                return Err(lost);
            }
            Err(_) => {
                self.session = None;
                return Err(Lost::new("no answer within 3 s"));
            }
        }
        // The statements are told beside the figures: what is wrong with them takes no sample away.
        match timeout(STATEMENT_TIMEOUT * 4, self.ranking.ask(session, t, row)).await {
            Ok(told) => seen.statements = told.unwrap_or_default(),
            Err(_) => self.session = None,
        }
        Ok(())
    }

    async fn reconnect(&mut self, seen: &mut Seen) -> Result<(), Lost> {
        if self.next_attempt.is_some_and(|at| Instant::now() < at) {
            return Err(self.last_error.clone().unwrap_or_else(|| Lost::new("not connected")));
        }
        self.session = None;
        let opened = async {
            let session = self.server.connect(OWN, STATEMENT_TIMEOUT).await?;
            let facts = facts(&session).await?;
            Ok::<_, Lost>((session, facts))
        };
        match opened.await {
            Ok((session, facts)) => {
                (self.backoff, self.next_attempt) = (Duration::ZERO, None);
                self.session = Some(session);
                seen.facts = Some(facts);
                Ok(())
            }
            Err(lost) => {
                self.backoff = (self.backoff * 2).clamp(Duration::from_secs(1), LONGEST_BACKOFF);
                self.next_attempt = Some(Instant::now() + self.backoff);
                Err(lost)
            }
        }
    }
}
