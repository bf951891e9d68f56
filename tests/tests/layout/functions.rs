//! Function ↔ folder ↔ package ↔ binary ↔ template resource.

use agentwarm_local::template::functions::FunctionShape;
use agentwarm_local::triggers::gateway::paths::PathTable;

use crate::workspace::{Package, Target};

/// What is wrong with the functions' packages by themselves.
pub(crate) fn complaints(functions: &[&Package]) -> Vec<String> {
    functions
        .iter()
        .flat_map(|function| of_package(function))
        .collect()
}

fn of_package(function: &Package) -> Vec<String> {
    let folder = folder_name(function);
    let mut found = Vec::new();
    if !is_name(folder) {
        found.push(format!(
            "{}: a function's folder is `api-…` if it answers HTTP, else `job-…`, in small letters and hyphens: rename it.",
            function.folder
        ));
    }
    if function.name != folder {
        found.push(format!(
            "{}/Cargo.toml: the package is called `{}`; paste\n    name = \"{folder}\"",
            function.folder, function.name
        ));
    }
    let bins: Vec<&Target> = function
        .targets
        .iter()
        .filter(|target| target.kind == "bin")
        .collect();
    if !matches!(bins.as_slice(), [bin] if bin.name == folder && !bin.test) {
        found.push(format!(
            "{}/Cargo.toml: one binary, named like the folder, without a test harness; paste\n    \
             [[bin]]\n    name = \"{folder}\"\n    path = \"src/main.rs\"\n    test = false",
            function.folder
        ));
    }
    if !function
        .target("lib")
        .is_some_and(|lib| !lib.test && !lib.doctest)
    {
        found.push(format!(
            "{}/Cargo.toml: a library without test harnesses (its tests are in tests/); paste\n    \
             [lib]\n    test = false\n    doctest = false",
            function.folder
        ));
    }
    found
}

/// Where functions and the template differ.
pub(crate) fn template_complaints(functions: &[&Package], shapes: &[FunctionShape]) -> Vec<String> {
    let mut found = Vec::new();
    for function in functions {
        let folder = folder_name(function);
        match shapes
            .iter()
            .find(|shape| shape.logical_id == logical_id(folder))
        {
            None => found.push(missing(folder)),
            Some(shape) => found.extend(of_shape(folder, shape)),
        }
    }
    for shape in shapes {
        if !functions
            .iter()
            .any(|function| logical_id(folder_name(function)) == shape.logical_id)
        {
            found.push(format!(
                "template.yaml: {} has no folder in functions/: remove it with its log group, or add the function.",
                shape.logical_id
            ));
        }
    }
    found
}

/// The routes of a function that the template leads elsewhere, or nowhere.
pub(crate) fn route_complaints(
    folder: &str,
    routes: &[(String, String)],
    shapes: &[FunctionShape],
) -> Vec<String> {
    let table = PathTable::new(shapes);
    let id = logical_id(folder);
    routes
        .iter()
        .filter(|(method, path)| {
            // What stands for a parameter is any segment; one that no literal of the template equals.
            let path = path.replace(['{', '}'], "_");
            table.find(method, &path).is_none_or(|found| found.function != id)
        })
        .map(|(method, path)| {
            format!(
                "template.yaml: {method} {path} does not reach {id}; paste into its Events\n        \
                 {}:\n          Type: Api\n          Properties:\n            RestApiId: !Ref RestApi\n            \
                 Path: {path}\n            Method: ANY",
                logical_id(&path.replace(|letter: char| !letter.is_ascii_lowercase(), "-")),
            )
        })
        .collect()
}

fn of_shape(folder: &str, shape: &FunctionShape) -> Vec<String> {
    let mut found = Vec::new();
    if shape.code_uri != code_uri(folder) {
        found.push(format!(
            "template.yaml: {}; paste\n      CodeUri: {}",
            shape.logical_id,
            code_uri(folder)
        ));
    }
    if folder.starts_with("api-") == shape.http.is_empty() {
        found.push(format!(
            "template.yaml: {} {}: `api-` answers HTTP, `job-` everything else.",
            shape.logical_id,
            if shape.http.is_empty() {
                "has no Api event"
            } else {
                "has an Api event"
            }
        ));
    }
    found
}

fn missing(folder: &str) -> String {
    let id = logical_id(folder);
    format!(
        "template.yaml: functions/{folder} has no resource; paste, and fill in what wakes it and what it may do\n  \
         {id}:\n    Type: AWS::Serverless::Function\n    Metadata:\n      SkipBuild: true\n    Properties:\n      \
         FunctionName: !Sub ${{AWS::StackName}}-{folder}\n      CodeUri: {}\n      LoggingConfig:\n        LogFormat: JSON\n        \
         LogGroup: !Ref {id}Logs\n      Environment:\n        Variables:\n          ENTITIES_TABLE: !Ref EntitiesTable\n      \
         Policies:\n        - Version: '2012-10-17'\n          Statement: []\n\n  \
         {id}Logs:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      \
         LogGroupName: !Sub /agentwarm/${{AWS::StackName}}/{folder}\n      RetentionInDays: !Ref LogRetentionDays",
        code_uri(folder)
    )
}

fn folder_name(function: &Package) -> &str {
    function
        .folder
        .strip_prefix("functions/")
        .unwrap_or(&function.folder)
}

fn code_uri(folder: &str) -> String {
    format!("target/lambda/{folder}/bootstrap.zip")
}

/// `api-audit-log` is `ApiAuditLog`.
fn logical_id(folder: &str) -> String {
    folder
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}

fn is_name(folder: &str) -> bool {
    (folder.starts_with("api-") || folder.starts_with("job-"))
        && folder
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentwarm_local::template::functions::HttpEvent;

    fn target(name: &str, kind: &str) -> Target {
        Target {
            name: name.to_owned(),
            kind: kind.to_owned(),
            test: false,
            doctest: false,
        }
    }

    fn function(folder: &str) -> Package {
        Package {
            name: folder.to_owned(),
            folder: format!("functions/{folder}"),
            targets: vec![target(folder, "lib"), target(folder, "bin")],
            dependencies: Vec::new(),
        }
    }

    fn shape(folder: &str, paths: &[&str]) -> FunctionShape {
        FunctionShape {
            logical_id: logical_id(folder),
            code_uri: code_uri(folder),
            http: paths
                .iter()
                .map(|path| HttpEvent {
                    path: (*path).to_owned(),
                    method: "ANY".to_owned(),
                })
                .collect(),
            schedules: Vec::new(),
        }
    }

    #[test]
    fn a_proper_function_is_fine() {
        let function = function("api-audit-log");
        assert!(of_package(&function).is_empty());
        assert!(
            template_complaints(&[&function], &[shape("api-audit-log", &["/api/audit-log"])])
                .is_empty()
        );
    }

    #[test]
    fn a_package_that_breaks_a_rule_is_told_what_to_paste() {
        let wrong = |change: fn(&mut Package)| {
            let mut function = function("api-keys");
            change(&mut function);
            of_package(&function).join("\n")
        };
        assert!(
            wrong(|function| function.folder = "functions/keys".to_owned()).contains("`api-…`")
        );
        assert!(
            wrong(|function| function.name = "keys".to_owned()).contains("name = \"api-keys\"")
        );
        assert!(wrong(|function| function.targets[0].test = true).contains("[lib]"));
        assert!(wrong(|function| function.targets[0].doctest = true).contains("[lib]"));
        assert!(wrong(|function| function.targets[1].test = true).contains("[[bin]]"));
        assert!(wrong(|function| function.targets[1].name = "keys".to_owned()).contains("[[bin]]"));
        assert!(
            wrong(|function| function.targets.push(target("other", "bin"))).contains("[[bin]]")
        );
    }

    #[test]
    fn routes_must_reach_their_function() {
        let shapes = [
            shape("api-keys", &["/api/keys"]),
            shape("api-discovery", &["/{proxy+}"]),
        ];
        let route = |path: &str| ("GET".to_owned(), path.to_owned());
        assert!(route_complaints("api-keys", &[route("/api/keys")], &shapes).is_empty());
        assert!(route_complaints("api-discovery", &[route("/metrics")], &shapes).is_empty());
        let found = route_complaints("api-keys", &[route("/api/keys/{id}")], &shapes).concat();
        assert!(
            found.contains("Path: /api/keys/{id}") && found.contains("ApiKeysId:"),
            "{found}"
        );
    }

    #[test]
    fn names_follow_the_rule() {
        for bad in [
            "api-",
            "api",
            "keys",
            "api-Keys",
            "api--keys",
            "job-send_slot",
        ] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("job-send-slot"));
    }

    #[test]
    fn template_and_folders_must_agree_both_ways() {
        let keys = function("api-keys");
        let job = function("job-send-slot");
        let complain = |functions: &[&Package], shapes: &[FunctionShape]| {
            template_complaints(functions, shapes).join("\n")
        };
        assert!(complain(&[&keys], &[]).contains("ApiKeys:\n    Type: AWS::Serverless::Function"));
        assert!(complain(&[], &[shape("api-keys", &["/"])]).contains("has no folder"));
        assert!(complain(&[&keys], &[shape("api-keys", &[])]).contains("has no Api event"));
        assert!(complain(&[&job], &[shape("job-send-slot", &["/"])]).contains("has an Api event"));
        let mut elsewhere = shape("api-keys", &["/"]);
        elsewhere.code_uri = "target/lambda/keys".to_owned();
        assert!(
            complain(&[&keys], &[elsewhere])
                .contains("CodeUri: target/lambda/api-keys/bootstrap.zip")
        );
    }
}
