//! Applications of other people as they come from PyPI: fractal-server and Pulp, each with its example in a shortened form. Their images
//! (`dev/images fractal pulp`) must be on the node; `dev/test node` builds them, and counts a failure where PyPI can't be reached.

use serde_json::json;

use crate::checks::row;
use crate::examples::{example, figure, shortened};
use crate::space::{Space, documents};
use crate::wait::{PATIENCE, eventually};

/// Twice as long as a pod may take elsewhere: an application of Python begins with a minute's work where the node is busy.
const FIRST_START: u64 = 2 * PATIENCE;

impl Space {
    /// Creates all of an application but its namespace, and waits until its Job made the schema and is gone, and every workload serves.
    async fn with_application(&self, path: &str, init: &str) {
        for mut object in documents(&example(path)).into_iter().filter(|object| object["kind"] != "Namespace") {
            object["metadata"].as_object_mut().unwrap().remove("namespace");
            let created = self.cluster.create(&self.name, &object, false).await;
            created.unwrap_or_else(|error| panic!("creating {}: {error}", object["metadata"]["name"]));
        }
        eventually("the schema is there", FIRST_START, async || {
            let status = self.get("jobs", init).await.unwrap_or_default()["status"].clone();
            assert!(status["conditions"].as_array().is_none_or(|all| all.iter().all(|one| one["type"] != "Failed")));
            if status["succeeded"] == 1 { Ok(()) } else { Err(format!("{status}")) }
        })
        .await;
        // Afterwards no Job may be left, and this one is not the operator's.
        self.delete("jobs", init).await;
        self.all_ready().await;
    }
}

#[tokio::test]
async fn every_run_that_fractal_server_takes_is_done_and_its_open_connections_are_counted_after_the_load() {
    let Some(space) = Space::new("fractal").await else { return };
    space.with_application("fractal/app.yaml", "fractal-init").await;
    let before = space.written().await;
    let test = shortened(
        "fractal.yaml",
        &[
            ("timeoutSeconds: 10", "timeoutSeconds: 60"),
            ("repeat: 20", "repeat: 5"),
            ("clients: [1, 4, 8]", "clients: [2]"),
            ("values: [\"1\", \"4\"]", "values: [\"2\"]"),
            ("durationSeconds: 60", "durationSeconds: 20"),
            ("seconds: 60, timeoutSeconds: 900", "seconds: 5, timeoutSeconds: 200"),
            ("  - {metric: loads.alive.latency.maxMs, max: 1000}\n", ""),
        ],
    );
    let ended = space.judged(&test).await;
    let row = row(&ended, 1);
    assert_eq!((&row["tasks"], &row["tasksUnaccounted"]), (&json!(10), &json!(0)), "{row}");
    let acts: Vec<_> = row["actions"].as_array().unwrap().iter().map(|act| (&act["name"], &act["times"])).collect();
    assert_eq!(acts, [(&json!("reset-database"), &json!(1)), (&json!("fresh"), &json!(1))]);
    assert_eq!(figure(row, "measurements", "jobs-done")["settled"], "10", "{row}");
    assert!(figure(row, "database", "connections")["settled"].is_string(), "{row}");
    let users = row["loads"].as_array().unwrap().iter().find(|load| load["name"] == "users").unwrap();
    // Login, task, project, workflow; five tasks; five times a dataset and its run; of each of two users.
    assert_eq!((&users["requests"]["ok"], &users["requests"]["failed"]), (&json!(2 * (4 + 5 + 10)), &json!(0)));
    let mut wanted = before;
    let server = wanted.iter_mut().find(|written| written.is("fractal-server")).unwrap();
    let now = space.written().await.into_iter().find(|written| written.is("fractal-server")).unwrap();
    server.spec["template"]["metadata"] = now.spec["template"]["metadata"].clone();
    space.assert_put_back(&wanted).await;
}

#[tokio::test]
async fn every_task_that_pulp_takes_in_is_in_its_own_count_and_its_link_is_followed() {
    let Some(space) = Space::new("pulp").await else { return };
    space.with_application("pulp/app.yaml", "pulp-init").await;
    let before = space.written().await;
    let test = shortened(
        "pulp.yaml",
        &[
            ("timeoutSeconds: 30", "timeoutSeconds: 60"),
            ("repeat: 50", "repeat: 10"),
            ("clients: [1, 2, 4, 8]", "clients: [2]"),
            ("replicas: 2, cpu: 400m", "replicas: 1, cpu: 500m"),
        ],
    );
    let ended = space.judged(&test).await;
    let row = row(&ended, 1);
    // No word of the backlog: where the server is fast, the load is over before its first value.
    assert_eq!((&row["tasks"], &row["tasksUnaccounted"]), (&json!(20), &json!(0)), "{row}");
    assert_eq!(figure(row, "measurements", "created")["settled"], "20", "{row}");
    assert_eq!(figure(row, "measurements", "pending")["settled"], "0", "{row}");
    let requests = &row["loads"][0]["requests"];
    assert_eq!((&requests["ok"], &requests["failed"]), (&json!(2 * (1 + 10)), &json!(0)), "{row}");
    space.assert_put_back(&before).await;
}
