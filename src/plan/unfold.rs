//! The sweep unfolded into rows.
//!
//! - Every combination of the groups' values is a point; entries of one group move together.
//! - The last entry of the sweep varies fastest; `repeats` runs the whole sweep again (A B A B).
//! - A row's loads, targets and variables are the spec's with the swept values in place.

use std::collections::BTreeMap;

use super::axis::{Axis, axis};
use super::field_error::FieldError;
use super::plan::PlannedRow;
use crate::api::{LoadTestSpec, Setting};

/// Most rows a test may have.
pub const MAX_ROWS: usize = 64;
/// Most characters of a setting's value as the table shows it.
const LONGEST_VALUE: usize = 64;

/// Axes that move together.
struct Group<'a> {
    axes: Vec<Axis<'a>>,
    len: usize,
}

/// The rows of `spec`, or every error of its sweep.
pub fn unfold(spec: &LoadTestSpec) -> Result<Vec<PlannedRow>, Vec<FieldError>> {
    let mut errors = Vec::new();
    let groups = groups(spec, &mut errors);
    let points: usize =
        groups.iter().map(|g| g.len).try_fold(1usize, |n, len| n.checked_mul(len)).unwrap_or(usize::MAX);
    let repeats = usize::try_from(spec.repeats).unwrap_or(1).max(1);
    let rows = points.saturating_mul(repeats);
    if rows > MAX_ROWS {
        let message =
            format!("the sweep has {points} points x {repeats} repeats = {rows} rows; at most {MAX_ROWS} are possible");
        errors.push(FieldError::new("spec.sweep", message));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok((0..rows).map(|i| row(spec, &groups, i, points)).collect())
}

fn groups<'a>(spec: &'a LoadTestSpec, errors: &mut Vec<FieldError>) -> Vec<Group<'a>> {
    let mut groups: Vec<(Option<&str>, Group<'a>)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, entry) in spec.sweep.iter().enumerate() {
        let axis = match axis(spec, index, entry) {
            Ok(axis) => axis,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let (name, len, field) = (axis.setting(), axis.values.len(), axis.values.field());
        if let Some(first) = seen.insert(name.clone(), index) {
            let message = format!("{name} is swept by spec.sweep[{first}] already; put all its values into one entry");
            errors.push(FieldError::new(format!("spec.sweep[{index}].{field}"), message));
        }
        let group = entry.group.as_ref().map(|g| g.0.as_str());
        match groups.iter_mut().find(|(g, _)| group.is_some() && *g == group) {
            Some((_, existing)) => {
                if existing.len != len {
                    let first = existing.axes[0].index;
                    let message = format!(
                        "group {} moves together, but spec.sweep[{first}] has {} values and this entry {len}",
                        group.unwrap_or_default(),
                        existing.len
                    );
                    errors.push(FieldError::new(format!("spec.sweep[{index}].{field}"), message));
                }
                existing.axes.push(axis);
            }
            None => groups.push((group, Group { axes: vec![axis], len })),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn row(spec: &LoadTestSpec, groups: &[Group<'_>], index: usize, points: usize) -> PlannedRow {
    let point = index % points;
    let mut row = PlannedRow {
        number: i32::try_from(index + 1).unwrap_or(i32::MAX),
        point: i32::try_from(point + 1).unwrap_or(i32::MAX),
        set: Vec::new(),
        loads: spec.loads.clone(),
        targets: spec.targets.clone(),
        variables: BTreeMap::new(),
        actions: spec.actions.clone(),
    };
    let mut rest = point;
    let mut chosen: Vec<(usize, &Axis<'_>)> = Vec::new();
    for group in groups.iter().rev() {
        let pick = rest % group.len;
        rest /= group.len;
        chosen.extend(group.axes.iter().map(|axis| (pick, axis)));
    }
    chosen.sort_by_key(|(_, axis)| axis.index);
    for (pick, axis) in chosen {
        let value = axis.set(&mut row, pick);
        row.set.push(Setting { name: axis.setting(), value: shown(&value) });
    }
    row
}

/// A value as the table shows it.
fn shown(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return value.to_owned();
    }
    value.chars().take(LONGEST_VALUE - 1).chain(['…']).collect()
}
