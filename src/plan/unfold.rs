//! The sweep unfolded into rows.
//!
//! - Every combination of the groups' values is a point; entries of one group move together.
//! - The last entry of the sweep varies fastest; `repeats` runs the whole sweep again (A B A B).
//! - A row's loads and targets are the spec's with the swept values in place.

use std::collections::BTreeMap;

use super::field_error::FieldError;
use super::plan::PlannedRow;
use crate::api::{CpuQuantity, LoadTestSpec, MemoryQuantity, Setting, Sweep};

/// Most rows a test may have.
pub const MAX_ROWS: usize = 64;

/// The values of one entry of the sweep.
enum Values<'a> {
    Clients(&'a [i32]),
    Rate(&'a [i32]),
    Replicas(&'a [i32]),
    Cpu(&'a [CpuQuantity]),
    Memory(&'a [MemoryQuantity]),
}

impl Values<'_> {
    fn of(entry: &Sweep) -> Option<Values<'_>> {
        Some(match entry {
            e if !e.clients.is_empty() => Values::Clients(&e.clients),
            e if !e.rate.is_empty() => Values::Rate(&e.rate),
            e if !e.replicas.is_empty() => Values::Replicas(&e.replicas),
            e if !e.cpu.is_empty() => Values::Cpu(&e.cpu),
            e if !e.memory.is_empty() => Values::Memory(&e.memory),
            _ => return None,
        })
    }

    fn len(&self) -> usize {
        match self {
            Values::Clients(v) | Values::Rate(v) | Values::Replicas(v) => v.len(),
            Values::Cpu(v) => v.len(),
            Values::Memory(v) => v.len(),
        }
    }

    fn field(&self) -> &'static str {
        match self {
            Values::Clients(_) => "clients",
            Values::Rate(_) => "rate",
            Values::Replicas(_) => "replicas",
            Values::Cpu(_) => "cpu",
            Values::Memory(_) => "memory",
        }
    }
}

/// One entry of the sweep, understood.
struct Axis<'a> {
    /// Position in spec.sweep.
    index: usize,
    name: &'a str,
    values: Values<'a>,
}

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
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (index, entry) in spec.sweep.iter().enumerate() {
        let (Some(name), Some(values)) = (entry.load.as_ref().or(entry.target.as_ref()), Values::of(entry)) else {
            errors.push(FieldError::new(
                format!("spec.sweep[{index}]"),
                "name a load or target, and the values of one field",
            ));
            continue;
        };
        let (name, len, field) = (name.0.as_str(), values.len(), values.field());
        if let Some(first) = seen.insert((name, field), index) {
            let message =
                format!("{name}.{field} is swept by spec.sweep[{first}] already; put all its values into one entry");
            errors.push(FieldError::new(format!("spec.sweep[{index}].{field}"), message));
        }
        let axis = Axis { index, name, values };
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
        let value = set(&mut row, axis, pick);
        row.set.push(Setting { name: format!("{}.{}", axis.name, axis.values.field()), value });
    }
    row
}

/// Puts one swept value in place; says how it reads.
fn set(row: &mut PlannedRow, axis: &Axis<'_>, pick: usize) -> String {
    let load = row.loads.iter_mut().find(|l| l.name.0 == axis.name);
    let target = row.targets.iter_mut().find(|t| t.name.0 == axis.name);
    match (&axis.values, load, target) {
        (Values::Clients(v), Some(load), _) => {
            load.clients = Some(v[pick]);
            v[pick].to_string()
        }
        (Values::Rate(v), Some(load), _) => {
            load.rate = Some(v[pick]);
            load.clients = None;
            v[pick].to_string()
        }
        (Values::Replicas(v), _, Some(target)) => {
            target.replicas = Some(v[pick]);
            v[pick].to_string()
        }
        (Values::Cpu(v), _, Some(target)) => {
            target.cpu = Some(v[pick].clone());
            v[pick].0.to_string()
        }
        (Values::Memory(v), _, Some(target)) => {
            target.memory = Some(v[pick].clone());
            v[pick].0.to_string()
        }
        _ => String::new(),
    }
}
