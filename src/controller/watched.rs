//! The LoadTests that are watched, for whoever wants to know where they stand.

use std::sync::{Arc, Mutex, PoisonError};

use kube::core::DeserializeGuard;
use kube::runtime::reflector::Store;

use super::metrics::{Metrics, Running};
use crate::api::{Glance, Phase};

/// A store for each namespace that is watched, or one for all.
#[derive(Clone, Default)]
pub struct Watched(Arc<Mutex<Vec<Store<DeserializeGuard<Glance>>>>>);

impl Watched {
    /// What is watched from now on, beside what is watched already.
    pub fn add(&self, store: Store<DeserializeGuard<Glance>>) {
        self.lock().push(store);
    }

    /// Nothing is watched any more.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Tells where each test stands; one that can't be read stands nowhere.
    pub fn tell(&self, metrics: &Metrics) {
        let all: Vec<_> = self.lock().iter().flat_map(Store::state).collect();
        metrics.stand(all.iter().filter_map(|test| test.0.as_ref().ok()).map(|test| {
            let phase = test.status.phase.unwrap_or(Phase::Pending);
            (phase, running(test, phase))
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Store<DeserializeGuard<Glance>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn running(test: &Glance, phase: Phase) -> Option<Running<'_>> {
    let run = test.status.run.as_ref().filter(|_| !matches!(phase, Phase::Pending | Phase::Finished))?;
    Some(Running {
        namespace: test.metadata.namespace.as_deref()?,
        name: test.metadata.name.as_deref()?,
        row: run.row.unwrap_or(0),
        rows: run.rows.unwrap_or(0),
    })
}
