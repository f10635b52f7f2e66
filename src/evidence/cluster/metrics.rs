//! CPU and memory that pods used, from `metrics.k8s.io/v1beta1`, against their limits.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::pods::PodFact;
use crate::api::Quantity;

/// `PodMetrics` of the metrics API.
#[derive(Clone, Debug, Deserialize)]
pub struct PodMetrics {
    pub metadata: MetricsMeta,
    /// End of the interval that was measured, RFC 3339.
    pub timestamp: Timestamp,
    /// Length of that interval, as Go writes durations: `10.069s`.
    #[serde(default)]
    pub window: String,
    #[serde(default)]
    pub containers: Vec<ContainerMetrics>,
}

/// What we need of its metadata.
#[derive(Clone, Debug, Deserialize)]
pub struct MetricsMeta {
    pub name: String,
}

/// One container's use.
#[derive(Clone, Debug, Deserialize)]
pub struct ContainerMetrics {
    pub name: String,
    pub usage: Usage,
}

/// Quantities as text.
#[derive(Clone, Debug, Deserialize)]
pub struct Usage {
    pub cpu: Option<String>,
    pub memory: Option<String>,
}

/// The most that one pod used of its limit, in percent. None: no measurement, or no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    pub cpu_percent: Option<f64>,
    pub memory_percent: Option<f64>,
}

impl Used {
    /// The larger of two readings, figure by figure.
    pub fn max(self, other: Self) -> Self {
        let larger = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        Self {
            cpu_percent: larger(self.cpu_percent, other.cpu_percent),
            memory_percent: larger(self.memory_percent, other.memory_percent),
        }
    }
}

/// The most that one of `pods` used in its container `container` (none: the only one), from measurements whose whole
/// interval lies in the window (milliseconds since the epoch): half an interval of the load is diluted by what was before.
pub fn used(metrics: &[PodMetrics], pods: &[PodFact], container: Option<&str>, window_ms: (i64, i64)) -> Used {
    let inside = |m: &&PodMetrics| {
        let Ok(length) = m.window.parse::<SignedDuration>() else { return false };
        let end = m.timestamp.as_millisecond();
        end - i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2) >= window_ms.0 && end <= window_ms.1
    };
    metrics.iter().filter(inside).fold(Used::default(), |most, measured| {
        let pod = pods.iter().find(|p| p.name == measured.metadata.name);
        let usage = match container {
            Some(name) => measured.containers.iter().find(|c| c.name == name),
            None => measured.containers.first().filter(|_| measured.containers.len() == 1),
        };
        let (Some(pod), Some(usage)) = (pod, usage) else {
            return most;
        };
        most.max(Used {
            cpu_percent: percent(usage.usage.cpu.as_deref(), pod.resources.cpu_limit.as_deref()),
            memory_percent: percent(usage.usage.memory.as_deref(), pod.resources.memory_limit.as_deref()),
        })
    })
}

fn percent(used: Option<&str>, limit: Option<&str>) -> Option<f64> {
    Quantity::parse(used?)?.percent_of(Quantity::parse(limit?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::cluster::pods::Resources;
    use serde_json::json;

    fn pod(name: &str) -> PodFact {
        let limits =
            Resources { cpu_limit: Some("1".into()), memory_limit: Some("1Gi".into()), ..Resources::default() };
        PodFact { name: name.into(), resources: limits, ..PodFact::default() }
    }

    fn measured(name: &str, at: &str, cpu: &str) -> PodMetrics {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "n"}, "timestamp": at, "window": "15s",
            "containers": [{"name": "api", "usage": {"cpu": cpu, "memory": "524288Ki"}}]
        }))
        .unwrap()
    }

    #[test]
    fn the_busiest_pod_counts() {
        let metrics =
            [measured("a", "1970-01-01T00:00:16Z", "250m"), measured("b", "1970-01-01T00:00:16Z", "734567890n")];
        let used = used(&metrics, &[pod("a"), pod("b")], Some("api"), (0, 20_000));
        assert_eq!((used.cpu_percent.map(|p| p.round()), used.memory_percent), (Some(73.0), Some(50.0)));
    }

    #[test]
    fn a_measurement_that_began_before_the_load_is_none() {
        let metrics = [measured("a", "1970-01-01T00:00:16Z", "250m")];
        assert_eq!(used(&metrics, &[pod("a")], Some("api"), (1_001, 20_000)), Used::default());
        assert_eq!(used(&metrics, &[pod("a")], Some("api"), (0, 15_999)), Used::default());
        assert_ne!(used(&metrics, &[pod("a")], Some("api"), (1_000, 16_000)), Used::default());
    }

    #[test]
    fn without_a_limit_there_is_no_percentage() {
        let mut bare = pod("a");
        bare.resources.cpu_limit = None;
        let seen = used(&[measured("a", "1970-01-01T00:00:16Z", "1")], &[bare], None, (0, 20_000));
        assert_eq!((seen.cpu_percent, seen.memory_percent), (None, Some(50.0)));
    }

    #[test]
    fn another_test_s_pods_do_not_count() {
        assert_eq!(
            used(&[measured("x", "1970-01-01T00:00:16Z", "1")], &[pod("a")], None, (0, 20_000)),
            Used::default()
        );
    }
}
