//! Results that are kept: in a cluster, or in a file that came from one.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::Value;

use super::{Connection, Place, Said};
use crate::api::LoadTest;
use crate::cli::exit;
use crate::report::Results;

/// Where results are read from.
pub enum Kept {
    Cluster(Place),
    File(Objects),
}

/// What stands in a file: `kubectl get -o yaml`, or a `results.json`.
#[derive(Default)]
pub struct Objects {
    file: String,
    tests: Vec<LoadTest>,
    maps: BTreeMap<String, ConfigMap>,
    results: Vec<String>,
}

impl Kept {
    /// The file, where one is named; else the cluster.
    ///
    /// # Errors
    /// The file can't be read, or there is no cluster to be asked.
    pub async fn open(file: Option<&Path>, connection: &Connection) -> Result<Self, Said> {
        match file {
            Some(file) => Objects::read(file).map(Self::File),
            None => connection.open().await.map(Self::Cluster),
        }
    }

    /// The files of a test's report, by name: of its last run, or of the one with that number.
    ///
    /// # Errors
    /// There is no such test or run, or its report is gone.
    pub async fn files(&self, name: Option<&str>, run: Option<i64>) -> Result<BTreeMap<String, String>, Said> {
        let usage = |text: String| Said { text, code: exit::USAGE };
        let test = match (self, name) {
            (Self::Cluster(place), Some(name)) => place.test(name).await?,
            (Self::Cluster(_), None) => return Err(usage("name the LoadTest, or a file with --from".into())),
            (Self::File(objects), name) => match objects.test(name).map_err(usage)? {
                Some(test) => test.clone(),
                None => return objects.only_results_of(name, run).map_err(usage),
            },
        };
        let map = report_map(&test, run)?;
        let data = self.config_map(&map).await?.data.unwrap_or_default();
        Ok(data)
    }

    /// The results of a test with all that was measured in its rows, as far as it is kept.
    ///
    /// # Errors
    /// As [`Self::files`]; or another version wrote them.
    pub async fn results(&self, name: Option<&str>, run: Option<i64>) -> Result<Results, Said> {
        self.whole(&self.files(name, run).await?).await
    }

    /// What `results.json` among these files says, with the rows' details from their own ConfigMaps.
    ///
    /// # Errors
    /// There is none, or another version wrote it.
    pub async fn whole(&self, files: &BTreeMap<String, String>) -> Result<Results, Said> {
        let unread = |text: String| Said { text, code: exit::UNASKED };
        let text = files.get("results.json").ok_or_else(|| unread("the report has no results.json".into()))?;
        let mut results = Results::read(text).map_err(unread)?;
        for row in results.rows.iter_mut().filter(|row| row.details.is_none()) {
            let Some(place) = &row.details_in else { continue };
            // A row whose ConfigMap is gone has its figures all the same.
            let Ok(map) = self.config_map(&place.config_map).await else { continue };
            row.details = map.data.as_ref().and_then(|data| serde_json::from_str(data.get(&place.key)?).ok());
        }
        Ok(results)
    }

    async fn config_map(&self, name: &str) -> Result<ConfigMap, Said> {
        match self {
            Self::Cluster(place) => {
                let found = place.api::<ConfigMap>().get(name).await;
                found.map_err(|error| place.why("ConfigMap", name, &error))
            }
            Self::File(objects) => objects.maps.get(name).cloned().ok_or_else(|| Said {
                text: format!("{} has no ConfigMap {name}; add it: kubectl get configmap {name} -o yaml", objects.file),
                code: exit::USAGE,
            }),
        }
    }
}

impl Objects {
    /// Reads a file, or results.json in a folder; `-` is standard input.
    ///
    /// # Errors
    /// It can't be read, or holds nothing of a load test.
    pub fn read(file: &Path) -> Result<Self, Said> {
        let inside = file.is_dir().then(|| file.join("results.json"));
        let file = inside.as_deref().unwrap_or(file);
        let name = file.display().to_string();
        let usage = |text: String| Said { text, code: exit::USAGE };
        let text = match name.as_str() {
            "-" => std::io::read_to_string(std::io::stdin()),
            _ => std::fs::read_to_string(file),
        };
        let text = text.map_err(|error| usage(format!("{name}: {error}")))?;
        Self::parse(name, &text).map_err(usage)
    }

    fn parse(file: String, text: &str) -> Result<Self, String> {
        // A snippet of the text would show what stands around the error; and a report is larger than a manifest may be.
        let options = serde_saphyr::options! { with_snippet: false, budget: None };
        let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
            .map_err(|error| format!("{file} can't be read as YAML: {}", error.render().trim()))?;
        let mut objects = Self { file, ..Self::default() };
        for document in documents.into_iter().flat_map(unlisted) {
            match document["kind"].as_str() {
                Some("LoadTest") => objects.tests.extend(serde_json::from_value(document).ok()),
                Some("ConfigMap") => {
                    let map: Option<ConfigMap> = serde_json::from_value(document).ok();
                    objects.maps.extend(map.and_then(|map| Some((map.metadata.name.clone()?, map))));
                }
                None if document["plan"].is_object() => objects.results.push(document.to_string()),
                _ => {}
            }
        }
        if objects.tests.is_empty() && objects.maps.is_empty() && objects.results.is_empty() {
            let wanted = "kubectl get loadtest,configmap -o yaml, or a results.json";
            return Err(format!("{} holds neither a LoadTest nor a report; it should be {wanted}", objects.file));
        }
        Ok(objects)
    }

    /// The LoadTest of that name, or the only one; `None`: the file holds none.
    fn test(&self, name: Option<&str>) -> Result<Option<&LoadTest>, String> {
        let known: Vec<&str> = self.tests.iter().filter_map(|test| test.metadata.name.as_deref()).collect();
        let file = &self.file;
        match (name, self.tests.as_slice()) {
            (_, []) => Ok(None),
            (None, [only]) => Ok(Some(only)),
            (None, _) => Err(format!("{file} holds several LoadTests; name one of: {}", known.join(", "))),
            (Some(name), tests) => {
                let found = tests.iter().find(|test| test.metadata.name.as_deref() == Some(name));
                found.map(Some).ok_or_else(|| format!("{file} has no LoadTest {name}, only: {}", known.join(", ")))
            }
        }
    }

    /// The only report in a file without LoadTest, if it is the one that is asked for.
    fn only_results_of(&self, name: Option<&str>, run: Option<i64>) -> Result<BTreeMap<String, String>, String> {
        let files = self.only_results()?;
        // Another version may have written the rest of it.
        let results: Value =
            files.get("results.json").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let (test, number) = (&results["test"]["name"], &results["test"]["run"]);
        if name.is_some_and(|name| test != name) || run.is_some_and(|run| *number != run) {
            let asked: Vec<String> =
                name.map(str::to_owned).into_iter().chain(run.map(|run| format!("run {run}"))).collect();
            let test = test.as_str().unwrap_or("-");
            return Err(format!("{} holds {test}, run {number}, and not {}", self.file, asked.join(", ")));
        }
        Ok(files)
    }

    /// The only report in a file without LoadTest.
    fn only_results(&self) -> Result<BTreeMap<String, String>, String> {
        let reports: Vec<_> = self.maps.values().filter_map(|map| map.data.as_ref()).collect();
        let reports: Vec<_> = reports.into_iter().filter(|data| data.contains_key("results.json")).collect();
        match (self.results.as_slice(), reports.as_slice()) {
            ([only], []) => Ok(BTreeMap::from([("results.json".into(), only.clone())])),
            ([], [only]) => Ok((*only).clone()),
            ([], []) => Err(format!("{} holds no report", self.file)),
            _ => Err(format!("{} holds several reports and no LoadTest that says which is meant", self.file)),
        }
    }
}

fn unlisted(document: Value) -> Vec<Value> {
    match document.get("items").and_then(Value::as_array) {
        Some(items) => items.clone(),
        None => vec![document],
    }
}

/// Name of the ConfigMap that holds the report of that run, or of the last one.
fn report_map(test: &LoadTest, run: Option<i64>) -> Result<String, Said> {
    let name = test.metadata.name.clone().unwrap_or_default();
    let status = test.status.as_ref();
    let last = status.and_then(|status| status.run.as_ref()).map(|run| run.id);
    let of_last = status.and_then(|status| status.report_ref.as_ref()).map(|report| report.name.clone());
    let found = match run {
        Some(number) if Some(number) != last => {
            let past = status.into_iter().flat_map(|status| &status.history).find(|past| past.id == number);
            past.and_then(|past| past.report.clone())
        }
        _ => of_last,
    };
    found.ok_or_else(|| {
        let what =
            run.map_or_else(|| "no run of it is over".into(), |number| format!("it has no report of run {number}"));
        Said { text: format!("{name}: {what}; kubectl loadtest watch {name} shows where it stands"), code: exit::USAGE }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finished() -> LoadTest {
        serde_json::from_value(json!({
            "apiVersion": "loadtest.dev/v1alpha1", "kind": "LoadTest", "metadata": {"name": "peak"},
            "spec": {"loads": [{"name": "m", "url": "http://web/"}]},
            "status": {"reportRef": {"name": "peak-abcde-3-report"}, "run": {"id": 3, "generation": 1, "planHash": "h",
                "hashVersion": 1, "protocolVersion": 1},
                "history": [{"id": 2, "verdict": "Failed", "report": "peak-abcde-2-report"}]}}))
        .unwrap()
    }

    #[test]
    fn the_last_run_is_reported_unless_another_is_named() {
        let test = finished();
        assert_eq!(report_map(&test, None).unwrap(), "peak-abcde-3-report");
        assert_eq!(report_map(&test, Some(3)).unwrap(), "peak-abcde-3-report");
        assert_eq!(report_map(&test, Some(2)).unwrap(), "peak-abcde-2-report");
        assert!(report_map(&test, Some(1)).unwrap_err().text.contains("no report of run 1"));
    }

    #[test]
    fn a_test_that_never_ended_has_no_report_and_says_where_to_look() {
        let test = LoadTest { status: None, ..finished() };
        let said = report_map(&test, None).unwrap_err();
        assert_eq!(said.code, exit::USAGE);
        assert!(said.text.contains("no run of it is over; kubectl loadtest watch peak"), "{}", said.text);
    }

    fn objects(documents: &[Value]) -> Result<Objects, String> {
        let text: Vec<String> = documents.iter().map(Value::to_string).collect();
        Objects::parse("test.yaml".into(), &text.join("\n---\n"))
    }

    /// `results.json` of a test of one row, whose details are elsewhere.
    fn results() -> Value {
        json!({"test": {"namespace": "perf", "name": "peak", "run": 3}, "verdict": "Passed", "reason": "ThresholdsMet",
            "message": "All held.", "plan": {"hash": "h", "rows": 1, "spec": {"loads": []}},
            "rows": [{"row": 1, "verdict": "Passed", "detailsIn": {"configMap": "peak-abcde-3-1", "key": "row.json"}}]})
    }

    fn map(name: &str, key: &str, value: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {key: value.to_string()}})
    }

    #[tokio::test]
    async fn another_machine_has_the_same_results_out_of_what_kubectl_printed() {
        let row = json!({"row": {"row": 1}, "loads": [], "generators": [], "leftOut": 4});
        let test = serde_json::to_value(finished()).unwrap();
        let report = map("peak-abcde-3-report", "results.json", &results());
        let rows = map("peak-abcde-3-1", "row.json", &row);
        let listed = json!({"kind": "List", "apiVersion": "v1", "items": [test, report, rows]});
        for documents in [vec![listed], vec![test, report, rows]] {
            let kept = Kept::File(objects(&documents).unwrap());
            let read = kept.results(Some("peak"), None).await.unwrap();
            assert_eq!(read.rows[0].details.as_ref().unwrap().left_out, 4);
            assert_eq!(kept.results(None, None).await.unwrap().name(), "perf/peak");
            let said = kept.results(Some("other"), None).await.unwrap_err();
            assert_eq!((said.code, said.text.as_str()), (2, "test.yaml has no LoadTest other, only: peak"));
        }
    }

    #[tokio::test]
    async fn a_report_alone_is_enough_and_a_missing_one_is_named() {
        for alone in [results(), map("r", "results.json", &results())] {
            let kept = Kept::File(objects(&[alone]).unwrap());
            assert_eq!(kept.results(None, None).await.unwrap().test.run, 3);
            assert_eq!(kept.results(Some("peak"), Some(3)).await.unwrap().test.run, 3);
            for (name, run, asked) in
                [(Some("other"), None, "other"), (Some("peak"), Some(2), "peak, run 2"), (None, Some(4), "run 4")]
            {
                let said = kept.results(name, run).await.unwrap_err();
                assert_eq!(said.text, format!("test.yaml holds peak, run 3, and not {asked}"));
                assert_eq!(said.code, exit::USAGE);
            }
        }
        let kept = Kept::File(objects(&[serde_json::to_value(finished()).unwrap()]).unwrap());
        let said = kept.results(None, None).await.unwrap_err();
        assert!(said.text.contains("kubectl get configmap peak-abcde-3-report -o yaml"), "{}", said.text);
        let said = objects(&[json!({"kind": "Secret"})]).err().unwrap();
        assert!(said.contains("neither a LoadTest nor a report"), "{said}");
    }
}
