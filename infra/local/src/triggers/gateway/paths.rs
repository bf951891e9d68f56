//! Which function answers a path: API Gateway's rules.
//!
//! A path part is literal, a parameter (`{id}`, one segment) or greedy (`{proxy+}`, one segment or more, last). Segment by segment a
//! literal wins over a parameter and a parameter over a greedy one.

use std::collections::BTreeMap;

use crate::template::functions::FunctionShape;

/// The paths of all functions.
#[derive(Debug, Clone, Default)]
pub struct PathTable(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    function: String,
    method: String,
    resource: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Literal(String),
    Parameter(String),
    Greedy(String),
}

/// A path that somebody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'t> {
    /// The function's logical id.
    pub function: &'t str,
    /// The path as the template spells it.
    pub resource: &'t str,
    /// What its parameters stand for.
    pub parameters: BTreeMap<String, String>,
}

impl PathTable {
    /// The table of these functions.
    pub fn new(functions: &[FunctionShape]) -> Self {
        Self(
            functions
                .iter()
                .flat_map(|function| {
                    function.http.iter().map(|event| Entry {
                        function: function.logical_id.clone(),
                        method: event.method.clone(),
                        resource: event.path.clone(),
                        parts: parts(&event.path),
                    })
                })
                .collect(),
        )
    }

    /// The best match for a request. `None` is what API Gateway calls a missing authentication token.
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let segments: Vec<_> = segments(path).collect();
        self.0
            .iter()
            .filter(|entry| entry.method == "ANY" || entry.method == method)
            .filter_map(|entry| Some((rank(&entry.parts), entry, bind(&entry.parts, &segments)?)))
            .min_by(|(left, ..), (right, ..)| left.cmp(right))
            .map(|(_, entry, parameters)| Match {
                function: &entry.function,
                resource: &entry.resource,
                parameters,
            })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/')
        .split('/')
        .filter(|segment| !segment.is_empty())
}

fn parts(path: &str) -> Vec<Part> {
    segments(path)
        .map(|segment| {
            match segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                Some(name) => match name.strip_suffix('+') {
                    Some(greedy) => Part::Greedy(greedy.to_owned()),
                    None => Part::Parameter(name.to_owned()),
                },
                None => Part::Literal(segment.to_owned()),
            }
        })
        .collect()
}

/// Lower is better.
fn rank(parts: &[Part]) -> Vec<u8> {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(_) => 0,
            Part::Parameter(_) => 1,
            Part::Greedy(_) => 2,
        })
        .collect()
}

fn bind(parts: &[Part], segments: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = segments;
    for part in parts {
        let (first, remaining) = rest.split_first()?;
        match part {
            Part::Literal(literal) if literal == first => {}
            Part::Literal(_) => return None,
            Part::Parameter(name) => {
                parameters.insert(name.clone(), (*first).to_owned());
            }
            Part::Greedy(name) => {
                parameters.insert(name.clone(), rest.join("/"));
                rest = &[];
                continue;
            }
        }
        rest = remaining;
    }
    rest.is_empty().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::functions::{HttpEvent, shapes};
    use crate::template::tests::ours;

    #[test]
    fn our_paths_lead_to_our_functions() {
        let table = PathTable::new(&shapes(&ours()).unwrap());
        for (path, function) in [
            ("/api/accounts", "ApiAccounts"),
            ("/api/accounts/1/test-connection", "ApiAccounts"),
            ("/api/warmup/start/1", "ApiWarmup"),
            ("/api/warmup/pools", "ApiPools"),
            ("/api/warmup/pools/1/config", "ApiPools"),
            ("/api/agent/status", "ApiAgent"),
            ("/api/agent/capabilities", "ApiDiscovery"),
            ("/api/warmup/suppression", "ApiSuppression"),
            ("/api/warmup/suppression/a@b.example", "ApiSuppression"),
            ("/api/audit-log", "ApiAuditLog"),
            ("/api/healthz", "ApiDiscovery"),
            ("/", "ApiDiscovery"),
            ("/nobody/home", "ApiDiscovery"),
            ("/api/accountsX", "ApiDiscovery"),
        ] {
            assert_eq!(
                table.find("GET", path).map(|found| found.function),
                Some(function),
                "{path}"
            );
        }
    }

    #[test]
    fn literals_win_over_parameters_and_parameters_over_greedy_ones() {
        let event = |path: &str, method: &str| HttpEvent {
            path: path.to_owned(),
            method: method.to_owned(),
        };
        let shape = |id: &str, http: Vec<HttpEvent>| FunctionShape {
            logical_id: id.to_owned(),
            code_uri: String::new(),
            http,
            schedules: Vec::new(),
        };
        let table = PathTable::new(&[
            shape("Greedy", vec![event("/a/{proxy+}", "ANY")]),
            shape("Parameter", vec![event("/a/{id}", "ANY")]),
            shape("Literal", vec![event("/a/b", "GET")]),
        ]);
        let found = |method, path| table.find(method, path).map(|found| found.function);
        assert_eq!(found("GET", "/a/b"), Some("Literal"));
        assert_eq!(found("POST", "/a/b"), Some("Parameter"));
        assert_eq!(found("GET", "/a/b/c"), Some("Greedy"));
        assert_eq!(found("GET", "/a"), None);
        let bound = table.find("GET", "/a/x/y").unwrap();
        assert_eq!(bound.parameters["proxy"], "x/y");
        assert_eq!(bound.resource, "/a/{proxy+}");
    }
}
