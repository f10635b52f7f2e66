//! One entry of the sweep: what it varies, and its values.

use super::field_error::FieldError;
use super::plan::PlannedRow;
use crate::api::{CpuQuantity, EnvVar, LoadTestSpec, MemoryQuantity, Sweep};

/// One entry of the sweep, understood.
pub struct Axis<'a> {
    /// Position in spec.sweep.
    pub index: usize,
    /// The load, target or action; `vars` of a variable.
    name: &'a str,
    pub values: Values<'a>,
}

/// The values of one entry of the sweep.
pub enum Values<'a> {
    Clients(&'a [i32]),
    Rate(&'a [i32]),
    Replicas(&'a [i32]),
    /// Replicas of the action of that name.
    Scale(&'a [i32]),
    Cpu(&'a [CpuQuantity]),
    Memory(&'a [MemoryQuantity]),
    /// Of the environment variable of that name.
    Env(&'a str, &'a [String]),
    /// Of the entry of vars of that name.
    Variable(&'a str, &'a [String]),
}

impl Values<'_> {
    fn of(entry: &Sweep) -> Option<Values<'_>> {
        Some(match entry {
            e if !e.clients.is_empty() => Values::Clients(&e.clients),
            e if !e.rate.is_empty() => Values::Rate(&e.rate),
            e if !e.replicas.is_empty() && e.action.is_some() => Values::Scale(&e.replicas),
            e if !e.replicas.is_empty() => Values::Replicas(&e.replicas),
            e if !e.cpu.is_empty() => Values::Cpu(&e.cpu),
            e if !e.memory.is_empty() => Values::Memory(&e.memory),
            Sweep { env: Some(env), .. } if !env.values.is_empty() => Values::Env(&env.name, &env.values),
            Sweep { variable: Some(one), .. } if !one.values.is_empty() => Values::Variable(&one.name, &one.values),
            _ => return None,
        })
    }

    /// How many rows they make.
    pub fn len(&self) -> usize {
        match self {
            Values::Clients(v) | Values::Rate(v) | Values::Replicas(v) | Values::Scale(v) => v.len(),
            Values::Cpu(v) => v.len(),
            Values::Memory(v) => v.len(),
            Values::Env(_, v) | Values::Variable(_, v) => v.len(),
        }
    }

    /// The field of the entry that holds them.
    pub fn field(&self) -> &'static str {
        match self {
            Values::Clients(_) => "clients",
            Values::Rate(_) => "rate",
            Values::Replicas(_) | Values::Scale(_) => "replicas",
            Values::Cpu(_) => "cpu",
            Values::Memory(_) => "memory",
            Values::Env(..) => "env",
            Values::Variable(..) => "variable",
        }
    }
}

/// What the entry at `index` varies.
///
/// # Errors
/// It names nothing, or a variable that can't be varied.
pub fn axis<'a>(spec: &LoadTestSpec, index: usize, entry: &'a Sweep) -> Result<Axis<'a>, FieldError> {
    let named = entry.load.as_ref().or(entry.target.as_ref()).or(entry.action.as_ref()).map(|name| name.0.as_str());
    let values = Values::of(entry);
    if let (Some(Values::Variable(name, _)), None) = (&values, named) {
        known_variable(spec, index, name)?;
    }
    match (named, values) {
        (None, Some(values @ Values::Variable(..))) => Ok(Axis { index, name: "vars", values }),
        (Some(name), Some(values)) if !matches!(values, Values::Variable(..)) => Ok(Axis { index, name, values }),
        _ => {
            let message = "name a load, target or action and the values of one field, or a variable and its values";
            Err(FieldError::new(format!("spec.sweep[{index}]"), message))
        }
    }
}

/// Only what the spec holds itself can be varied in it.
fn known_variable(spec: &LoadTestSpec, index: usize, name: &str) -> Result<(), FieldError> {
    let message = match spec.vars.iter().find(|var| var.name == name) {
        Some(var) if var.value.is_some() => return Ok(()),
        Some(_) => format!("{name} has valueFrom; only an entry of spec.vars with value can be swept"),
        None => format!("spec.vars has no entry {name}; write one with the value outside of the rows"),
    };
    Err(FieldError::new(format!("spec.sweep[{index}].variable.name"), message))
}

impl Axis<'_> {
    /// What it sets, as the table's heading says it.
    pub fn setting(&self) -> String {
        match &self.values {
            Values::Env(variable, _) => format!("{}.env.{variable}", self.name),
            Values::Variable(variable, _) => format!("vars.{variable}"),
            values => format!("{}.{}", self.name, values.field()),
        }
    }

    /// Puts the value at `pick` in place; says how it reads.
    pub fn set(&self, row: &mut PlannedRow, pick: usize) -> String {
        let load = row.loads.iter_mut().find(|l| l.name.0 == self.name);
        let target = row.targets.iter_mut().find(|t| t.name.0 == self.name);
        match (&self.values, load, target) {
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
            (Values::Scale(v), ..) => {
                let actions = row.actions.iter_mut().filter(|action| action.name.0 == self.name);
                actions.filter_map(|action| action.scale.as_mut()).for_each(|scale| scale.replicas = v[pick]);
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
            (Values::Env(name, v), _, Some(target)) => {
                target.env.retain(|var| var.name != *name);
                target.env.push(EnvVar { name: (*name).to_owned(), value: v[pick].clone() });
                v[pick].clone()
            }
            (Values::Variable(name, v), ..) => {
                row.variables.insert((*name).to_owned(), v[pick].clone());
                v[pick].clone()
            }
            _ => String::new(),
        }
    }
}
