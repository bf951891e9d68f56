//! `/api/docs`: the OpenAPI document as a page to read and to try out.
//!
//! Swagger UI's own files (`../swagger-ui`, as published) and the few lines that start it. All of it comes from here, and the policy
//! that goes with the page keeps it so: no script, style, picture or request to anybody else. All its addresses are relative, so the
//! page works under a stage's prefix.

use std::sync::Arc;

use agentwarm_app::health::Health;
use agentwarm_lambda::http::{Answer, Request, Response, Route, Routes};
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Method};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Swagger UI sets styles on its elements and has pictures in its style sheet; scripts are files of ours only.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page and its parts.
pub(crate) fn with_docs(routes: Routes<Health>) -> Routes<Health> {
    routes
        .with(
            Route::public(Method::GET, "/api/docs", page)
                .named(
                    "getDocs",
                    "The OpenAPI document as a page, to read and to try out",
                )
                .answers_text(200, HTML, "Swagger UI")
                .such_as(|| "<!doctype html>…".into()),
        )
        .with(Route::file(
            "/api/docs/page.js",
            SCRIPT,
            include_str!("docs/page.js"),
        ))
        .with(Route::file(
            "/api/docs/swagger-ui-bundle.js",
            SCRIPT,
            include_str!("../swagger-ui/swagger-ui-bundle.js"),
        ))
        .with(Route::file(
            "/api/docs/swagger-ui.css",
            STYLE,
            include_str!("../swagger-ui/swagger-ui.css"),
        ))
}

async fn page(_health: Arc<Health>, _request: Request) -> Answer {
    let page = Response::document(HTML, include_str!("docs/page.html"))?;
    Ok(page
        .with_header(CONTENT_SECURITY_POLICY, POLICY)
        .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
}
