//! Keeps the architecture true: who may depend on whom, and function ↔ folder ↔ binary ↔ template resource ↔ path.
//!
//! Each rule is a pure function from what was read to complaints that say what to paste ([`dependencies`], [`functions`], [`manifests`], …);
//! each has a test that it can complain. The tests here apply them to this workspace.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that is surprised should stop"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use agentwarm_app::engine::visiting::VISITS_AT_ONCE;
use agentwarm_lambda::http::RouteSpec;
use agentwarm_lambda::settings::CATALOG;
use agentwarm_local::template::functions::shapes;
use agentwarm_local::template::{Template, document};
use agentwarm_mail::TimeLimits;

mod alarms;
mod dependencies;
mod functions;
mod mailboxes;
mod manifests;
mod recovery;
mod settings;
mod uploads;
mod visits;
mod workspace;

use workspace::{Package, packages};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join("template.yaml").exists())
        .expect("template.yaml stands in the root")
        .to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template() -> Template {
    Template::parse(&read(&root().join("template.yaml"))).expect("template.yaml")
}

fn no_complaints(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n\n"));
}

#[test]
fn dependencies_point_one_way() {
    no_complaints(&dependencies::complaints(&packages(&root())));
}

#[test]
fn every_function_is_a_folder_a_package_a_binary_and_a_resource() {
    let packages: Vec<Package> = packages(&root());
    let shapes = shapes(&template()).expect("functions of the template");
    let functions: Vec<_> = packages
        .iter()
        .filter(|package| package.is_function())
        .collect();
    let mut complaints = functions::complaints(&functions);
    complaints.extend(functions::template_complaints(&functions, &shapes));
    no_complaints(&complaints);
}

#[test]
fn versions_and_features_stand_in_the_root_manifest_only() {
    let complaints: Vec<String> = packages(&root())
        .iter()
        .flat_map(|package| {
            let manifest = root().join(&package.folder).join("Cargo.toml");
            manifests::complaints(&package.folder, &read(&manifest))
        })
        .collect();
    no_complaints(&complaints);
}

/// The route tables of all functions that answer HTTP, by folder.
fn route_tables() -> Vec<(&'static str, Vec<RouteSpec>)> {
    vec![
        ("api-accounts", api_accounts::routes().specs()),
        ("api-agent", api_agent::routes().specs()),
        ("api-analytics", api_analytics::routes().specs()),
        ("api-audit-log", api_audit_log::routes().specs()),
        ("api-discovery", api_discovery::routes().specs()),
        ("api-keys", api_keys::routes().specs()),
        ("api-pools", api_pools::routes().specs()),
        ("api-suppression", api_suppression::routes().specs()),
        ("api-warmup", api_warmup::routes().specs()),
    ]
}

/// The Rust files in a folder. The benchmark is left out: it has the mail servers to itself.
fn rust_files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() && !path.ends_with("bench") && !path.ends_with("layout") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), read(&path)));
        }
    }
}

#[test]
fn no_two_files_of_tests_share_a_mailbox() {
    let mut files = Vec::new();
    for package in packages(&root()) {
        let folder = root().join(&package.folder).join("tests");
        if folder.is_dir() {
            rust_files(&folder, &mut files);
        }
    }
    assert!(files.len() > 10, "tests are looked for in the wrong place");
    no_complaints(&mailboxes::complaints(&files));
}

#[test]
fn alarms_read_what_is_logged() {
    let mut files = Vec::new();
    for folder in ["shared", "functions"] {
        rust_files(&root().join(folder), &mut files);
    }
    let sources: Vec<_> = files.into_iter().map(|(_, text)| text).collect();
    no_complaints(&alarms::complaints(&template(), &sources));
}

#[test]
fn a_batch_of_visits_fits_into_its_functions_time() {
    let session = TimeLimits::default().session;
    no_complaints(&visits::complaints(
        &template(),
        "JobInboxPoll",
        VISITS_AT_ONCE,
        session,
    ));
}

#[test]
fn pages_may_upload() {
    no_complaints(&uploads::complaints(&template()));
}

#[test]
fn what_outlives_the_stack_can_be_taken_up_again() {
    let document = document(&read(&root().join("template.yaml"))).expect("template.yaml");
    let operations = read(&root().join("docs/operations.md"));
    no_complaints(&recovery::complaints(&document, &operations));
}

#[test]
fn every_setting_is_set_by_the_template() {
    no_complaints(&settings::complaints(&template(), CATALOG));
}

#[test]
fn settings_fit_into_a_functions_environment() {
    let document = document(&read(&root().join("template.yaml")));
    no_complaints(&settings::too_large(&document.expect("template.yaml")));
}

/// `make mutants` takes too long to run each time; a patch that the code has left behind is seen at once.
#[test]
fn every_mutant_still_applies() {
    let folder = root().join("tests/mutants");
    let entries = std::fs::read_dir(&folder).expect("the mutants' folder");
    let mut patches: Vec<_> = entries
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.extension().is_some_and(|it| it == "patch"))
        .collect();
    patches.sort();
    assert_eq!(patches.len(), 10, "ten deliberate bugs");
    let complaints: Vec<String> = patches
        .iter()
        .filter_map(|patch| {
            let mut git = Command::new("git");
            let git = git.args(["apply", "--check"]).arg(patch);
            let output = git.current_dir(root()).output().expect("git runs");
            let says = String::from_utf8_lossy(&output.stderr);
            (!output.status.success()).then(|| format!("{}: make it anew: {says}", patch.display()))
        })
        .collect();
    no_complaints(&complaints);
}

#[test]
fn every_operation_is_in_the_document() {
    let documented = agentwarm_tests::operations::all();
    let complaints: Vec<_> = route_tables()
        .iter()
        .flat_map(|(folder, specs)| specs.iter().map(move |spec| (folder, spec)))
        .filter(|(_, spec)| spec.is_operation)
        .filter(|(_, spec)| {
            !documented
                .iter()
                .any(|known| known.method == spec.method && known.template == spec.path)
        })
        .map(|(folder, spec)| {
            format!(
                "docs/openapi.json: {} {} is missing; is {folder} in specs() of tests/tests/api/http/openapi.rs?",
                spec.method, spec.path
            )
        })
        .collect();
    no_complaints(&complaints);
}

#[test]
fn every_route_reaches_its_function() {
    let shapes = shapes(&template()).expect("functions of the template");
    let tables = route_tables();
    let mut complaints = Vec::new();
    for package in packages(&root()) {
        let known = tables.iter().any(|(folder, _)| *folder == package.name);
        if package.is_function() && package.name.starts_with("api-") && !known {
            complaints.push(format!(
                "tests/tests/layout/main.rs: add {} to route_tables()",
                package.name
            ));
        }
    }
    for (folder, specs) in tables {
        let routes: Vec<_> = specs
            .iter()
            .map(|spec| (spec.method.to_string(), spec.path.to_owned()))
            .collect();
        complaints.extend(functions::route_complaints(folder, &routes, &shapes));
    }
    no_complaints(&complaints);
}
