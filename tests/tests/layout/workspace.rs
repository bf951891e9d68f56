//! What `cargo metadata` says of the workspace's own packages.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A package of this workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, from the root, such as `shared/core`.
    pub(crate) folder: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// `lib`, `bin`, `test` …
    pub(crate) kind: String,
    pub(crate) test: bool,
    pub(crate) doctest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benches have it.
    pub(crate) dev: bool,
    /// Whether it is of this workspace.
    pub(crate) ours: bool,
}

impl Package {
    pub(crate) fn is_function(&self) -> bool {
        self.folder.starts_with("functions/")
    }

    pub(crate) fn target(&self, kind: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.kind == kind)
    }
}

/// The packages of the workspace at `root`.
pub(crate) fn packages(root: &Path) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let root = root.to_str().expect("a path of text");
    list(&metadata, "packages")
        .iter()
        .map(|package| read(package, root))
        .collect()
}

fn read(package: &Value, root: &str) -> Package {
    let manifest = text(package, "manifest_path");
    Package {
        name: text(package, "name"),
        folder: manifest
            .strip_prefix(root)
            .and_then(|path| path.strip_suffix("/Cargo.toml"))
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        targets: list(package, "targets")
            .iter()
            .map(|target| Target {
                name: text(target, "name"),
                kind: list(target, "kind")
                    .first()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                test: target.get("test") == Some(&Value::Bool(true)),
                doctest: target.get("doctest") == Some(&Value::Bool(true)),
            })
            .collect(),
        dependencies: list(package, "dependencies")
            .iter()
            .map(|dependency| Dependency {
                name: text(dependency, "name"),
                dev: dependency.get("kind").and_then(Value::as_str) == Some("dev"),
                ours: dependency.get("path").is_some_and(Value::is_string),
            })
            .collect(),
    }
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
