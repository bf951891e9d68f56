//! Who may depend on whom: core ← app ← {aws, mail, net} ← lambda ← functions; testkit is for tests.

use crate::workspace::{Dependency, Package};

/// What the packages of a folder may use.
struct Rule {
    /// The folder, or what it begins with.
    folder: &'static str,
    /// Which of our packages, outside tests.
    ours: &'static [&'static str],
    /// Which others not, by the beginning of their names.
    never: &'static [&'static str],
    /// Why, for whoever meets the complaint.
    because: &'static str,
}

const AWS: &[&str] = &["aws-", "aws_", "lambda_", "serde_dynamo"];

const RULES: &[Rule] = &[
    Rule {
        folder: "shared/core",
        ours: &[],
        never: &[
            "tokio",
            "async-",
            "futures",
            "aws-",
            "aws_",
            "lambda_",
            "serde_dynamo",
            "hyper",
            "http",
            "reqwest",
            "tower",
            "lettre",
            "mail-parser",
            "hickory",
            "rustls",
            "ring",
            "tracing",
            "rand",
        ],
        because: "the rules are pure: time and seeds are arguments, effects are elsewhere",
    },
    Rule {
        folder: "shared/app",
        ours: &["agentwarm-core"],
        never: &[
            "aws-",
            "aws_",
            "lambda_",
            "serde_dynamo",
            "hyper",
            "http",
            "reqwest",
            "tower",
            "lettre",
            "async-imap",
            "mail-parser",
            "hickory",
            "rustls",
            "rand",
        ],
        because: "use cases know neither AWS nor HTTP nor mail protocols: they define ports",
    },
    Rule {
        folder: "shared/net",
        ours: &["agentwarm-core", "agentwarm-app"],
        never: AWS,
        because: "connecting is no business of AWS's",
    },
    Rule {
        folder: "shared/mail",
        ours: &["agentwarm-core", "agentwarm-app", "agentwarm-net"],
        never: AWS,
        because: "mailboxes are the same wherever we run",
    },
    Rule {
        folder: "shared/aws",
        ours: &["agentwarm-core", "agentwarm-app"],
        never: &["lettre", "async-imap", "mail-parser", "hickory", "lambda_"],
        because: "adapters to AWS hold no mail and no entry points",
    },
    Rule {
        folder: "shared/lambda",
        ours: &[
            "agentwarm-core",
            "agentwarm-app",
            "agentwarm-aws",
            "agentwarm-mail",
            "agentwarm-net",
        ],
        never: &["lettre", "async-imap"],
        because: "it joins the others for the functions, and no function is below it",
    },
    Rule {
        folder: "shared/testkit",
        ours: &[
            "agentwarm-core",
            "agentwarm-app",
            "agentwarm-mail",
            "agentwarm-net",
        ],
        never: AWS,
        because: "its worlds are in memory",
    },
    Rule {
        folder: "functions/",
        ours: &["agentwarm-core", "agentwarm-app", "agentwarm-lambda"],
        never: &[
            "aws-",
            "aws_",
            "serde_dynamo",
            "lettre",
            "async-imap",
            "hickory",
            "reqwest",
        ],
        because: "functions never depend on functions, and reach the world through the kit's World; what two need moves down to app",
    },
    Rule {
        folder: "infra/operator",
        ours: &[
            "agentwarm-core",
            "agentwarm-app",
            "agentwarm-aws",
            "agentwarm-lambda",
        ],
        never: &[],
        because: "it is a client of the use cases",
    },
];

/// Names that begin like a forbidden one and are not.
const NOT_MEANT: &[&str] = &["async-trait", "rand_chacha", "rand_core"];

/// What is wrong with the dependencies of these packages.
pub(crate) fn complaints(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .flat_map(|package| {
            let rule = RULES
                .iter()
                .find(|rule| package.folder.starts_with(rule.folder));
            let mut found: Vec<String> = package
                .dependencies
                .iter()
                .filter_map(|dependency| complaint(package, rule?, dependency))
                .collect();
            found.extend(testkit_in_product(package));
            if rule.is_none() && !is_of_tests(package) && package.folder != "infra/local" {
                found.push(format!(
                    "{} has no rule: add one to RULES in tests/tests/layout/dependencies.rs",
                    package.folder
                ));
            }
            found
        })
        .collect()
}

fn complaint(package: &Package, rule: &Rule, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if dependency.dev {
        // Tests may use what they like, except that a function is nobody's library.
        return is_function(name)
            .then(|| refuse(package, name, rule.because))
            .filter(|_| package.is_function());
    }
    let allowed = if dependency.ours {
        rule.ours.contains(&name)
    } else {
        NOT_MEANT.contains(&name) || !rule.never.iter().any(|never| name.starts_with(never))
    };
    (!allowed).then(|| refuse(package, name, rule.because))
}

fn testkit_in_product(package: &Package) -> Option<String> {
    package
        .dependencies
        .iter()
        .find(|dependency| {
            !is_of_tests(package) && !dependency.dev && dependency.name == "agentwarm-testkit"
        })
        .map(|dependency| {
            refuse(
                package,
                &dependency.name,
                "the testkit is for tests: move it to [dev-dependencies]",
            )
        })
}

fn is_of_tests(package: &Package) -> bool {
    package.folder == "tests" || package.folder.starts_with("tests/")
}

fn is_function(name: &str) -> bool {
    name.starts_with("api-") || name.starts_with("job-")
}

fn refuse(package: &Package, dependency: &str, because: &str) -> String {
    format!(
        "{0}/Cargo.toml: remove the dependency `{dependency}`: {because}.",
        package.folder
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &str, dependencies: &[(&str, bool)]) -> Package {
        Package {
            name: folder.rsplit('/').next().unwrap_or_default().to_owned(),
            folder: folder.to_owned(),
            targets: Vec::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, dev)| Dependency {
                    name: (*name).to_owned(),
                    dev: *dev,
                    ours: name.starts_with("agentwarm-") || is_function(name),
                })
                .collect(),
        }
    }

    fn complains(folder: &str, dependency: &str, dev: bool) -> bool {
        !complaints(&[package(folder, &[(dependency, dev)])]).is_empty()
    }

    #[test]
    fn arrows_that_point_up_are_refused() {
        for (folder, dependency) in [
            ("shared/core", "agentwarm-app"),
            ("shared/app", "agentwarm-aws"),
            ("shared/net", "agentwarm-mail"),
            ("shared/mail", "agentwarm-aws"),
            ("shared/aws", "agentwarm-lambda"),
            ("shared/lambda", "api-keys"),
            ("functions/api-keys", "api-accounts"),
            ("functions/api-keys", "agentwarm-aws"),
        ] {
            assert!(
                complains(folder, dependency, false),
                "{folder} → {dependency}"
            );
        }
    }

    #[test]
    fn arrows_that_point_down_are_fine() {
        for (folder, dependency) in [
            ("shared/app", "agentwarm-core"),
            ("shared/lambda", "agentwarm-aws"),
            ("functions/api-keys", "agentwarm-lambda"),
            ("infra/local", "api-keys"),
        ] {
            assert!(
                !complains(folder, dependency, false),
                "{folder} → {dependency}"
            );
        }
    }

    #[test]
    fn libraries_that_do_not_belong_are_refused_outside_tests() {
        for (folder, dependency) in [
            ("shared/core", "tokio"),
            ("shared/core", "aws-sdk-sqs"),
            ("shared/core", "rand"),
            ("shared/app", "http"),
            ("shared/app", "lettre"),
            ("shared/mail", "aws_lambda_events"),
            ("shared/aws", "lettre"),
            ("functions/job-send-slot", "aws-sdk-dynamodb"),
        ] {
            assert!(
                complains(folder, dependency, false),
                "{folder} → {dependency}"
            );
            assert!(
                !complains(folder, dependency, true),
                "{folder} → {dependency} in tests"
            );
        }
        assert!(!complains("shared/core", "rand_core", false));
        assert!(!complains("shared/app", "async-trait", false));
    }

    #[test]
    fn the_testkit_is_no_product_dependency_and_a_function_nobodys_library() {
        assert!(complains("infra/local", "agentwarm-testkit", false));
        assert!(complains("shared/aws", "agentwarm-testkit", false));
        assert!(!complains("shared/aws", "agentwarm-testkit", true));
        assert!(!complains("tests", "agentwarm-testkit", false));
        assert!(!complains("tests/fuzz-parsers", "agentwarm-testkit", false));
        assert!(complains("functions/api-keys", "api-accounts", true));
    }

    #[test]
    fn a_folder_without_a_rule_is_noticed() {
        assert!(!complaints(&[package("shared/novel", &[])]).is_empty());
    }
}
