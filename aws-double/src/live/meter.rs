//! From samples of the server to figures: CPU as a share of its limit, memory as what is left of its limit.

use std::time::Instant;

use super::minutes::Minutes;
use super::{Options, processes};

/// What is carried from sample to sample.
#[derive(Default)]
pub struct Meter {
    cpu_before: Option<(Instant, f64)>,
    pub connections: Minutes,
    pub cpu: Minutes,
    pub memory: Minutes,
}

/// One sample's figures; absent where there is none.
#[derive(Debug, PartialEq)]
pub struct Figures {
    pub connections: f64,
    pub cpu_percent: Option<f64>,
    pub free_bytes: Option<f64>,
}

impl Meter {
    /// The figures of a sample taken at `at`; CPU needs the sample before.
    pub fn figures(
        &mut self,
        connections: f64,
        usage: Option<processes::Usage>,
        options: &Options,
        at: Instant,
    ) -> Figures {
        let cpu = usage.as_ref().map(|usage| (at, usage.cpu_seconds));
        let before = std::mem::replace(&mut self.cpu_before, cpu);
        let cpu_percent = before.zip(cpu).zip(options.cpu_millicores).and_then(|((before, now), millicores)| {
            let available = now.0.duration_since(before.0).as_secs_f64() * f64::from(millicores) / 1000.0;
            // CPU time is counted in ticks of 10 ms, so that a single second may seem to have more than there is.
            (available > 0.0 && now.1 >= before.1).then(|| ((now.1 - before.1) / available * 100.0).min(100.0))
        });
        let used = usage.and_then(|usage| usage.memory_bytes);
        let free_bytes = options.memory_bytes.zip(used).map(|(limit, used)| limit.saturating_sub(used) as f64);
        Figures { connections, cpu_percent, free_bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::processes::Usage;
    use super::*;

    fn options() -> Options {
        Options {
            postgres: None,
            instance: "demo-db".to_owned(),
            publish_delay_seconds: 5,
            cpu_millicores: Some(500),
            memory_bytes: Some(1000),
        }
    }

    fn usage(cpu_seconds: f64, memory: u64) -> Option<Usage> {
        Some(Usage { cpu_seconds, memory_bytes: Some(memory) })
    }

    #[test]
    fn cpu_is_a_share_of_the_limit_and_the_first_sample_has_none() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        assert_eq!(meter.figures(3.0, usage(10.0, 400), &options(), start).cpu_percent, None);
        let later = meter.figures(3.0, usage(10.1, 400), &options(), start + Duration::from_secs(1));
        assert!(later.cpu_percent.is_some_and(|percent| (percent - 20.0).abs() < 0.01), "{later:?}");
        assert_eq!(later.free_bytes, Some(600.0));
    }

    #[test]
    fn invisible_processes_give_no_figure_instead_of_zero() {
        let figures = Meter::default().figures(3.0, None, &options(), Instant::now());
        assert_eq!(figures, Figures { connections: 3.0, cpu_percent: None, free_bytes: None });
    }
}
