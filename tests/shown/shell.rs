//! A reader's shell: a folder with the files that the pages speak of, the programs in the PATH, and what stands in for their names.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::root;

/// What the pages show, and what stands for it here; the first that fits goes first. `{namespace}` and `{url}` are the shell's.
const STAND_INS: &[(&str, &str)] = &[
    ("cargo run --bin loadtest -- ", "loadtest "),
    // Names that a reader fills in.
    ("\"$NAMESPACE\"", "{namespace}"),
    ("--from FILE", "--from kept.yaml"),
    ("deploy/NAME …", "deploy/held"),
    ("deploy/NAME", "deploy/held"),
    ("deploy NAME", "deploy held"),
    ("deployment/NAME", "deployment/loadtest-operator"),
    ("compare A B", "compare my-api my-api"),
    ("NAME", "my-api"),
    ("FILE", "lt.yaml"),
    ("run URL", "run {url}/"),
    // Places.
    ("-n shop", "-n {namespace}"),
    ("-n demo", "-n {namespace}"),
    ("namespace: shop", "namespace: {namespace}"),
    ("namespace: demo", "namespace: {namespace}"),
    ("http://localhost:8080", "{url}"),
    ("http://127.0.0.1:9080", "{url}"),
    ("/etc/bash_completion.d/", "./"),
    // Times that nobody waits for in a test.
    ("--duration 30s", "--duration 1s"),
    ("-z 1m", "-z 1s"),
    ("durationSeconds: 30", "durationSeconds: 8"),
    ("clients: [1, 2, 4, 8]", "clients: [1, 2]"),
];

/// The shell.
pub struct Shell {
    folder: TempDir,
    namespace: String,
    url: String,
    kubeconfig: Option<PathBuf>,
}

impl Shell {
    /// One without a cluster. `url` is the application that stands for the reader's own.
    pub fn new(program: &Path, url: &str) -> Self {
        let shell = Self {
            folder: tempfile::tempdir().unwrap(),
            namespace: "default".into(),
            url: url.into(),
            kubeconfig: None,
        };
        for folder in ["bin", "target/release", ".local/bin"] {
            std::fs::create_dir_all(shell.path(folder)).unwrap();
        }
        for name in ["bin/loadtest", "bin/kubectl-loadtest", "target/release/loadtest"] {
            symlink(program, shell.path(name)).unwrap();
        }
        for name in ["charts", "Makefile", "dev"] {
            symlink(root().join(name), shell.path(name)).unwrap();
        }
        shell
    }

    /// The same in a namespace that stands for the reader's own.
    pub fn with_namespace(self, namespace: &str) -> Self {
        Self { namespace: namespace.into(), ..self }
    }

    /// The same with a cluster: kubectl, and helm where there is one.
    pub fn on(mut self, config: &str, kubectl: &str) -> Self {
        symlink(kubectl, self.path("bin/kubectl")).unwrap();
        if let Some(helm) = std::env::var_os("LOADTEST_HELM") {
            symlink(helm, self.path("bin/helm")).unwrap();
        }
        let mut file: Value = serde_saphyr::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
        file["contexts"][0]["context"]["namespace"] = self.namespace.as_str().into();
        self.kubeconfig = Some(self.write("kubeconfig", &file.to_string()));
        self
    }

    /// The files that the pages speak of: the manifests of the examples and of the readme, in this namespace.
    pub fn with_files(self) -> Self {
        std::fs::create_dir(self.path("examples")).unwrap();
        for entry in std::fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap()) {
            if entry.path().extension().is_some_and(|extension| extension == "yaml") {
                self.copy(&entry.path(), &format!("examples/{}", entry.file_name().display()));
            }
        }
        self.copy(&root().join("examples/gitops-gate.yaml"), "gate.yaml");
        for name in ["test.yaml", "lt.yaml"] {
            self.copy(&root().join("examples/minimal.yaml"), name);
        }
        self.manifest("first.yaml", "README.md", "name: first");
        self
    }

    fn copy(&self, from: &Path, to: &str) {
        self.write(to, &self.put_in(&std::fs::read_to_string(from).unwrap()));
    }

    /// Writes the manifest of a page that has these words.
    pub fn manifest(&self, file: &str, page: &str, words: &str) {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let block = blocks.into_iter().find(|block| block.contains(words));
        self.write(file, &self.put_in(block.unwrap_or_else(|| panic!("{page} has no manifest with {words}"))));
    }

    /// A path in the shell's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the shell's folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// The text with what stands in for a page's names.
    pub fn put_in(&self, text: &str) -> String {
        let replaced = STAND_INS.iter().fold(text.to_owned(), |text, (shown, ours)| text.replace(shown, ours));
        replaced.replace("{namespace}", &self.namespace).replace("{url}", &self.url)
    }

    /// Runs a command line as it is shown, but for the names.
    pub fn run(&self, shown: &str) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c", &self.put_in(shown)]).current_dir(self.folder.path());
        command.env("PATH", format!("{}:{path}", self.path("bin").display())).env("HOME", self.folder.path());
        command.env("TEST", "release-gate");
        match &self.kubeconfig {
            Some(file) => command.env("KUBECONFIG", file),
            None => command.env_remove("KUBECONFIG"),
        };
        command.output().unwrap()
    }

    /// Runs a command line that must do what it says; gives what it printed.
    pub fn must(&self, from: &str, shown: &str) -> String {
        let output = self.run(shown);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!(
            output.status.success(),
            "{from}: {shown}\nas {}\nended with {code:?}\n{out}{said}",
            self.put_in(shown)
        );
        out
    }
}
