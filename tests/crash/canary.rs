//! What is secret in a LoadTest appears in nothing that the operator writes, but in the plan that its agents are given.

use serde_json::json;

use crate::lab::{Lab, on_virtual_time, reference_spec};
use crate::stories::LIMIT;

const CANARY: &str = "canary4711";

/// Number 20.
#[test]
fn a_canary_in_headers_queries_and_passwords_is_written_into_the_agents_plans_only() {
    on_virtual_time(async || {
        let mut spec = reference_spec();
        let load = &mut spec["loads"][0];
        load["headers"] = json!([{"name": "X-Key", "value": CANARY}]);
        load["basicAuth"] = json!({"username": "me", "password": CANARY});
        load["steps"] = json!([{"name": "ask", "path": format!("/ask?token={CANARY}"), "timeoutSeconds": 10}]);
        spec["measurements"][0]["http"]["url"] = format!("http://api:8080/count?token={CANARY}").into();
        let mut lab = Lab::with(spec);
        let end = lab.finish(LIMIT).await;
        assert_eq!(end.verdict, "Passed", "{}", lab.story());
        let world = lab.fake.world();
        let (mut plans, mut others) = (0, 0);
        for entry in world.journal.writes() {
            let is_plan = entry.path.resource == "configmaps" && entry.call.what.ends_with("-plan");
            let holds = String::from_utf8_lossy(&entry.body).contains(CANARY);
            assert!(is_plan || !holds, "{} holds it", entry.call.what);
            plans += usize::from(is_plan && holds);
            others += 1;
        }
        // Else the canary would prove nothing.
        assert!(plans >= 3 && others > 50, "{plans} plans of {others} writes");
    });
}
