//! Which act of the plan a number means.

use crate::api::{Action, When};
use crate::controller::session::Session;
use crate::plan::{Act, acts, run_acts};

/// The act of that number, from 1, of where the run stands: of its row, before its first one, or after its verdict.
pub fn planned<'a>(session: &'a Session<'_>, number: u16) -> Option<(Act, &'a Action)> {
    let spec = &session.plan.as_ref()?.spec;
    let (actions, acts) = match session.row() {
        _ if session.state.judged => (&spec.actions, run_acts(spec, When::AfterRun)),
        None => (&spec.actions, run_acts(spec, When::BeforeRun)),
        Some(row) => (&row.actions, acts(spec, row)),
    };
    let act = *acts.get(usize::from(number).checked_sub(1)?)?;
    Some((act, actions.get(act.action)?))
}
