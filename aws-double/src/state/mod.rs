//! What the double knows: all of it may be changed by a test at any time.

pub mod fault;
pub mod instance;
pub mod series;

use serde::{Deserialize, Serialize};

use fault::Fault;
use instance::{Instance, ParameterGroup, Proxy};
use series::{InsightsSeries, Series};

/// A service of AWS, by the path or the form's action of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Service {
    /// RDS (awsQuery).
    Rds,
    /// STS (awsQuery).
    Sts,
    /// CloudWatch (rpc-v2-cbor), signing name `monitoring`.
    CloudWatch,
    /// Performance Insights, now Database Insights (rpc-v2-cbor), signing name `pi`.
    Insights,
}

/// One request that came in, in the order of coming.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// The operation, for example `GetMetricData`.
    pub operation: String,
    /// Status of the answer; `None` when the connection was reset.
    pub status: Option<u16>,
    /// Access key id and region of the signature's credential scope, when signed.
    pub signed_by: Option<(String, String)>,
}

/// The whole state; also the format of the binary's scenario file (every part may be left out).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Database instances.
    pub instances: Vec<Instance>,
    /// Proxies before instances.
    pub proxies: Vec<Proxy>,
    /// Parameter groups of instances.
    pub parameter_groups: Vec<ParameterGroup>,
    /// CloudWatch series of `AWS/RDS`. What is not here is answered as empty and `Complete`.
    pub series: Vec<Series>,
    /// Database Insights series.
    pub insights: Vec<InsightsSeries>,
    /// What goes wrong; the first that fits a call acts on it.
    pub faults: Vec<Fault>,
    /// Global messages of GetMetricData: code and text.
    pub messages: Vec<(String, String)>,
    /// Most points on a page of GetMetricData, below the caller's own MaxDatapoints.
    pub points_per_page: Option<usize>,
    /// Points of a minute are visible so many seconds after the minute's end. `None`: at once, even future ones.
    pub publish_delay_seconds: Option<i64>,
    /// The servers' clock is so far ahead of the true one (negative: behind). Signed requests whose time is more than
    /// 300 s off this clock are refused with `clock_skew_code`, as AWS does.
    pub clock_skew_seconds: i64,
    /// Code of that refusal; `RequestTimeTooSkewed` when not set.
    pub clock_skew_code: Option<String>,
    /// How long credentials of STS are good for, in seconds; 3600 when not set.
    pub credentials_seconds: Option<i64>,
    /// Every call so far.
    #[serde(skip)]
    pub calls: Vec<Call>,
}

impl State {
    /// The series of an instance's metric; made, without points, when it isn't there.
    pub fn series_mut(&mut self, instance: &str, metric: &str) -> &mut Series {
        self.series_or(Series::of(instance, metric, []))
    }

    /// The same of a proxy's metric.
    pub fn proxy_series_mut(&mut self, proxy: &str, metric: &str) -> &mut Series {
        self.series_or(Series::of_proxy(proxy, metric, []))
    }

    fn series_or(&mut self, new: Series) -> &mut Series {
        let same = |series: &Series| series.dimension() == new.dimension() && series.metric == new.metric;
        let index = self.series.iter().position(same).unwrap_or_else(|| {
            self.series.push(new);
            self.series.len() - 1
        });
        &mut self.series[index]
    }

    /// The fault that acts on this call, counted down.
    pub(crate) fn take_fault(&mut self, service: Service, operation: &str) -> Option<fault::FaultKind> {
        self.faults.iter_mut().find_map(|fault| fault.act(service, operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;

    #[test]
    fn a_fault_acts_so_many_times_and_on_its_service_only() {
        let mut state = State::default();
        state.faults.push(Fault::new(FaultKind::Reset).on(Service::Rds).times(2).after(1));
        assert_eq!(state.take_fault(Service::CloudWatch, "GetMetricData"), None);
        let acts: Vec<bool> = (0..4).map(|_| state.take_fault(Service::Rds, "DescribeDBInstances").is_some()).collect();
        assert_eq!(acts, [false, true, true, false]);
    }

    #[test]
    fn a_scenario_may_name_only_what_it_needs() {
        let text = r#"{
            "instances": [{"identifier": "db", "resourceId": "db-1", "class": "db.m6g.large", "engine": "postgres",
                           "engineVersion": "16.4", "status": "available"}],
            "series": [{"instance": "db", "metric": "CPUUtilization", "constant": 12.5}],
            "faults": [{"kind": {"error": {"code": "Throttling", "status": 400, "message": "Rate exceeded"}}, "times": 1}]
        }"#;
        let mut state: State = serde_json::from_str(text).expect("a scenario");
        assert_eq!(state.series_mut("db", "CPUUtilization").read(30, 200, 60, None).len(), 3);
        assert!(state.take_fault(Service::Sts, "GetCallerIdentity").is_some());
        assert!(state.take_fault(Service::Sts, "GetCallerIdentity").is_none());
    }

    #[test]
    fn a_misspelt_key_of_a_scenario_is_refused() {
        assert!(serde_json::from_str::<State>(r#"{"instance": []}"#).is_err());
    }
}
