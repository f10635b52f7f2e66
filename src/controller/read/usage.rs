//! What is looked at while a row loads: CPU and memory that the targets' pods use, from the metrics API where it is there,
//! and other tests' load.

use super::others;
use super::targets::pods_of;
use crate::api::{NameRef, Target, TargetFigures};
use crate::controller::io::call;
use crate::controller::session::Session;
use crate::evidence::cluster::memory::Growth;
use crate::evidence::cluster::metrics::{PodMetrics, Used, used};
use crate::evidence::cluster::pods::PodFact;
use crate::lifecycle::Millis;
use crate::results::figures::decimal::decimal;
use crate::results::row_input::Fact;

/// How often that is looked at.
const USED_EVERY: i64 = 10_000;
/// More than a chart can show.
const MOST_LOOKS: usize = 400;

/// Looks, when it is time: keeps the most that the pods used.
pub async fn sample(session: &mut Session<'_>) {
    let Some(fire) = session.state.fire.filter(|fire| session.now() > fire.start_at) else { return };
    if session.now() - session.memory.used_at < USED_EVERY {
        return;
    }
    session.memory.used_at = session.now();
    others::look(session, fire.start_at).await;
    measure(session, fire.start_at).await;
    session.remember();
}

/// Asks the metrics API, where it is there.
async fn measure(session: &mut Session<'_>, since: Millis) {
    let uri = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", session.namespace());
    let Ok(request) = http_get(&uri) else { return };
    let Ok(list) = call(session.context.client.request::<serde_json::Value>(request)).await else { return };
    let metrics: Vec<PodMetrics> = serde_json::from_value(list["items"].clone()).unwrap_or_default();
    for target in session.test.spec.targets.clone() {
        let Some(pods) = pods_now(session, &target).await else { continue };
        let pods = pods.as_slice();
        let now_used = used(&metrics, pods, target.container.as_deref(), (since, session.now()));
        let course = session.memory.memory.entry(target.name.0.clone()).or_default();
        course.add(&metrics, pods, target.container.as_deref(), (since, session.context.clock.now()));
        let most = session.memory.used.get(&target.name.0).copied().unwrap_or(Used::default());
        let looks = session.memory.used_over_time.entry(target.name.0.clone()).or_default();
        looks.push((session.context.clock.now(), now_used));
        thin(looks);
        session.memory.used.insert(target.name.0, most.max(now_used));
    }
}

/// The pods of a target: those that it had when the load started, or those that it has now, where an action replaces some.
async fn pods_now(session: &Session<'_>, target: &Target) -> Option<Vec<PodFact>> {
    let acted = session.test.spec.actions.iter().any(|action| action.target() == Some(&NameRef(target.name.0.clone())));
    if acted {
        return pods_of(session, target).await.ok().map(|(_, pods, _)| pods);
    }
    session.memory.pods.get(&target.name.0).cloned()
}

/// At most [`MOST_LOOKS`]: of two that stand beside each other the larger stays.
fn thin(looks: &mut Vec<(Millis, Used)>) {
    if looks.len() >= MOST_LOOKS {
        *looks = looks
            .chunks(2)
            .map(|pair| (pair[0].0, pair.iter().fold(Used::default(), |most, (_, used)| most.max(*used))))
            .collect();
    }
}

/// What the pods of a target used in the row, as far as it was looked at; and a sentence, where their memory grew.
/// `ended_at`: when the load, or with settle.measure the working off, ended.
pub fn figures(session: &Session<'_>, ended_at: Option<Millis>, figures: &mut TargetFigures) -> Option<Fact> {
    let name = figures.name.0.clone();
    let name = name.as_str();
    if let Some(used) = session.memory.used.get(name) {
        figures.cpu_max_percent = used.cpu_percent.and_then(decimal);
        figures.memory_max_percent = used.memory_percent.and_then(decimal);
    }
    let window = (session.state.fire?.start_at, ended_at?);
    let course = session.memory.memory.get(name)?;
    figures.memory_max_mib = course.most(window).and_then(decimal);
    let growth = course.growth(window)?;
    figures.memory_slope_percent_per_minute = decimal(growth.percent_per_minute);
    let text = |value| decimal(value).map(|decimal| decimal.0).unwrap_or_default();
    let Growth { percent_per_minute, low, high } = growth;
    let message = format!(
        "memory of {name} grew by {} % a minute in the second half of the load (95 %: {} to {})",
        text(percent_per_minute),
        text(low),
        text(high)
    );
    (low > 0.0).then_some(Fact { reason: None, message })
}

fn http_get(uri: &str) -> Result<http::Request<Vec<u8>>, http::Error> {
    http::Request::get(uri).body(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_looks_is_kept_thinner_and_loses_no_peak() {
        let mut looks = Vec::new();
        for at in 0..8_640 {
            let cpu_percent = Some(if at == 5_001 { 97.0 } else { 40.0 });
            looks.push((at * USED_EVERY, Used { cpu_percent, memory_percent: None }));
            thin(&mut looks);
        }
        assert!(looks.len() < MOST_LOOKS && looks.len() > MOST_LOOKS / 4, "{}", looks.len());
        assert_eq!(looks.iter().filter(|(_, used)| used.cpu_percent == Some(97.0)).count(), 1);
        assert!(looks.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
