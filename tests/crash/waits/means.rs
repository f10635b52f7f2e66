//! How something is put in the way.

use serde_json::{Value, json};

use crate::cluster::ways::Ways;
use crate::fake::fault::{Call, Trouble};
use crate::fake::store::key;
use crate::lab::{Lab, NAMESPACE};

/// The cluster behaves otherwise.
pub fn ways(lab: &mut Lab, change: fn(&mut Ways)) {
    change(&mut lab.fake.world().cluster.ways);
}

/// Calls are answered with an error.
pub fn fail(lab: &mut Lab, code: u16, is: fn(&Call) -> bool) {
    lab.fake.trouble(move |call| is(call).then_some(Trouble::Answer { code, applied: false }));
}

/// From the record that contains `record` on, calls of a class fail.
pub fn fail_once_recorded(lab: &mut Lab, record: &'static str, class: &'static str) {
    let mut on = false;
    lab.fake.trouble(move |call| {
        on = on || call.what.contains(record);
        (on && call.class == class).then_some(Trouble::Answer { code: 500, applied: false })
    });
}

/// An object is not there.
pub fn gone(lab: &mut Lab, resource: &str, name: &str) {
    lab.fake.world().store.remove(&key(resource, NAMESPACE, name));
}

/// The pods of the target `api` are otherwise.
pub fn pods_of_api(lab: &mut Lab, change: fn(&mut Value)) {
    let mut world = lab.fake.world();
    let names: Vec<String> = world
        .store
        .list("pods", NAMESPACE)
        .filter(|pod| pod["metadata"]["labels"]["app"] == "api")
        .map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    for name in names {
        world.store.edit(&key("pods", NAMESPACE, &name), change);
    }
}

/// A quota that leaves room for one more pod.
pub fn quota(lab: &mut Lab) {
    let quota = json!({"spec": {}, "status": {"hard": {"pods": "4"}, "used": {"pods": "3"}}});
    lab.fake.world().store.create(&key("resourcequotas", NAMESPACE, "small"), quota);
}
