//! Scenarios that disturb the node or the operator of all others: they run after those, one at a time (`dev/test node` begins
//! this folder anew with one thread).

mod absence;
mod first;
mod kubelet;
mod namespaced;
mod node;
mod operators;
mod process;
mod reader;
mod release;
mod servers;
mod starts;
mod upgrade;
