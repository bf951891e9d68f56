//! Which route a method and a path mean.
//!
//! Static segments win over parameters (decision 4). Paths are compared as they are: no trailing slash, other case or doubled slash is
//! forgiven, so each resource has one address.

use http::Method;
use percent_encoding::percent_decode_str;

use super::route::{BoundRoute, RouteSpec};

/// A table of routes that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// Two routes claim the same requests.
    #[error("{path} overlaps with another route")]
    Overlap {
        /// The later one's path.
        path: &'static str,
        /// How.
        #[source]
        source: matchit::InsertError,
    },
    /// Two routes have the same method and path.
    #[error("{method} {path} is there twice")]
    Twice {
        /// The method.
        method: Method,
        /// The path.
        path: &'static str,
    },
    /// A route takes an `Idempotency-Key` and nothing remembers it.
    #[error(
        "{method} {path} takes an Idempotency-Key, but the function was given no store for them"
    )]
    NoIdempotencyStore {
        /// The method.
        method: Method,
        /// The path.
        path: &'static str,
    },
}

/// Routes by path and method.
#[derive(Default)]
pub(super) struct Router {
    /// From a path to its place in `resources`.
    paths: matchit::Router<usize>,
    resources: Vec<Resource>,
}

/// The routes that share a path.
struct Resource {
    path: &'static str,
    routes: Vec<BoundRoute>,
}

/// What there is at a method and path.
pub(super) enum Found<'r> {
    Route {
        route: &'r BoundRoute,
        params: Vec<(String, String)>,
    },
    /// The path has these methods, not the one asked for.
    OtherMethods(Vec<&'r Method>),
    Nothing,
}

impl Router {
    pub(super) fn new(routes: Vec<BoundRoute>) -> Result<Self, RouteError> {
        let mut router = Self::default();
        for route in routes {
            router.add(route)?;
        }
        Ok(router)
    }

    pub(super) fn specs(&self) -> impl Iterator<Item = &RouteSpec> {
        self.resources
            .iter()
            .flat_map(|resource| &resource.routes)
            .map(|route| &route.spec)
    }

    fn add(&mut self, route: BoundRoute) -> Result<(), RouteError> {
        let path = route.spec.path;
        let known = self.resources.iter_mut().find(|known| known.path == path);
        if let Some(resource) = known {
            let method = &route.spec.method;
            if resource.routes.iter().any(|it| it.spec.method == *method) {
                return Err(RouteError::Twice {
                    method: method.clone(),
                    path,
                });
            }
            resource.routes.push(route);
            return Ok(());
        }
        self.paths
            .insert(path, self.resources.len())
            .map_err(|source| RouteError::Overlap { path, source })?;
        self.resources.push(Resource {
            path,
            routes: vec![route],
        });
        Ok(())
    }

    /// Looks for `path` as it is, then without the gateway's stage before it: REST APIs put the stage there or not, depending on
    /// the host name that the client used.
    pub(super) fn find(&self, method: &Method, path: &str, stage: Option<&str>) -> Found<'_> {
        match self.at(method, path) {
            Found::Nothing => stage
                .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
                .filter(|rest| rest.starts_with('/'))
                .map_or(Found::Nothing, |rest| self.at(method, rest)),
            found => found,
        }
    }

    fn at(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.paths.at(path) else {
            return Found::Nothing;
        };
        let Some(resource) = self.resources.get(*matched.value) else {
            return Found::Nothing;
        };
        let with = |method: &Method| {
            resource
                .routes
                .iter()
                .find(|route| route.spec.method == *method)
        };
        // RFC 9110 §9.3.2: HEAD is GET without the body, which the pipeline drops.
        let head = || with(&Method::GET).filter(|_| *method == Method::HEAD);
        match with(method).or_else(head) {
            Some(route) => Found::Route {
                route,
                params: matched
                    .params
                    .iter()
                    .map(|(name, value)| (name.to_owned(), decoded(value)))
                    .collect(),
            },
            None => Found::OtherMethods(
                resource
                    .routes
                    .iter()
                    .map(|route| &route.spec.method)
                    .collect(),
            ),
        }
    }
}

/// A path segment without percent-encoding; as it is where that gives no text.
fn decoded(segment: &str) -> String {
    percent_decode_str(segment)
        .decode_utf8()
        .map_or_else(|_| segment.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Response, Route, Routes};
    use super::*;

    fn router(paths: &[(&'static str, Method)]) -> Result<Router, RouteError> {
        let routes = paths
            .iter()
            .fold(Routes::<()>::new("T"), |routes, (path, method)| {
                routes.with(Route::new(method.clone(), path, |_, _, _| async {
                    Response::no_content()
                }))
            });
        Router::new(routes.bind_shared(&Arc::new(())))
    }

    fn found(router: &Router, method: &Method, path: &str, stage: Option<&str>) -> String {
        match router.find(method, path, stage) {
            Found::Route { route, params } => format!("{} {params:?}", route.spec.path),
            Found::OtherMethods(methods) => format!("only {methods:?}"),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn static_segments_win_and_dead_ends_are_left_again() {
        let router = router(&[
            ("/api/domains/{id}", Method::GET),
            ("/api/domains/{domainId}/verify-dns", Method::POST),
            ("/api/domains/check", Method::POST),
        ])
        .unwrap();
        let at = |method, path| found(&router, &method, path, None);
        assert_eq!(
            at(Method::POST, "/api/domains/check"),
            "/api/domains/check []"
        );
        assert_eq!(at(Method::GET, "/api/domains/check"), "only [POST]");
        assert_eq!(
            at(Method::GET, "/api/domains/x"),
            "/api/domains/{id} [(\"id\", \"x\")]"
        );
        assert_eq!(
            at(Method::POST, "/api/domains/check/verify-dns"),
            "/api/domains/{domainId}/verify-dns [(\"domainId\", \"check\")]"
        );
        for path in [
            "/api/domains",
            "/api/domains/",
            "/api/domains/x/",
            "/api/domains/x/y",
            "api/domains/x",
            "",
        ] {
            assert_eq!(at(Method::GET, path), "nothing", "{path}");
        }
    }

    #[test]
    fn the_stage_is_taken_off_only_where_it_stands_before_the_path() {
        let router = router(&[("/api/keys", Method::GET)]).unwrap();
        let at = |path, stage| found(&router, &Method::GET, path, Some(stage));
        assert_eq!(at("/api/keys", "v1"), "/api/keys []");
        assert_eq!(at("/v1/api/keys", "v1"), "/api/keys []");
        // A stage named like the first segment takes nothing away.
        assert_eq!(at("/api/keys", "api"), "/api/keys []");
        assert_eq!(at("/api/api/keys", "api"), "/api/keys []");
        for (path, stage) in [
            ("/v1/api/keys", "v2"),
            ("/v1api/keys", "v1"),
            ("/v1/v1/api/keys", "v1"),
            ("/api/keys/v1", "v1"),
        ] {
            assert_eq!(at(path, stage), "nothing", "{path}");
        }
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let twice = router(&[("/a/{id}", Method::GET), ("/a/{id}", Method::GET)]);
        assert!(matches!(twice, Err(RouteError::Twice { .. })));
        let overlap = router(&[("/a/{id}", Method::GET), ("/a/{name}", Method::POST)]);
        assert!(matches!(overlap, Err(RouteError::Overlap { .. })));
    }
}
