//! The query strings of all operations, read by the types of their route tables, and the ids of CRMs in paths.

use std::cell::LazyCell;

use agentwarm_lambda::http::HttpApp;
use http::Method;

use crate::http_app::{app, filters, problems, request, serve, table};

/// The operations, as the document calls them, each with the letter that an input begins with.
pub const OPERATIONS: [(u8, &str); 9] = [
    (b'a', "listAccounts"),
    (b'b', "listMessages"),
    (b'c', "listAuditLog"),
    (b'd', "listSuppressions"),
    (b'e', "getWarmupProgress"),
    (b'f', "getCrmPersonStatistics"),
    (b'g', "startWarmup"),
    (b'h', "getWarmupSchedule"),
    (b'i', "getCrmAccountStatistics"),
];

thread_local! {
    static APP: LazyCell<HttpApp> = const { LazyCell::new(|| {
        let routes = table([
            filters::<api_accounts::wire::ListAccounts>("/a", "listAccounts"),
            filters::<api_accounts::wire::ListMessages>("/b", "listMessages"),
            filters::<api_audit_log::wire::ListAuditLog>("/c", "listAuditLog"),
            filters::<api_suppression::wire::ListSuppressions>("/d", "listSuppressions"),
            filters::<api_analytics::wire::ProgressQuery>("/e", "getWarmupProgress"),
            filters::<api_analytics::wire::CrmQuery>("/f", "getCrmPersonStatistics"),
            filters::<api_warmup::wire::StartWarmupQuery>("/g", "startWarmup"),
            filters::<api_warmup::wire::ReadScheduleQuery>("/h", "getWarmupSchedule"),
            filters::<api_analytics::wire::CrmQuery>("/i", "getCrmAccountStatistics"),
        ]);
        app(routes.bind(()))
    }) };
}

/// The first byte chooses the operation; the rest is `name=value` pairs between `&`, as they are after decoding.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut rest = text.chars();
    let Some(letter) = rest.next().filter(|letter| matches!(letter, 'a'..='i')) else {
        return;
    };
    let pairs = rest.as_str().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut incoming = request(Method::GET, &format!("/{letter}"));
    incoming.query = pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let query = incoming.query.clone();
    let response = APP.with(|app| serve(app, incoming));
    match response.status().as_u16() {
        204 => {}
        400 => {
            for (path, message) in problems(&response) {
                assert!(
                    query.iter().any(|(name, _)| *name == path) || message == "is required",
                    "{path} {message}"
                );
                assert!(!message.contains(char::is_control), "{message:?}");
            }
        }
        other => panic!("{other} is documented for no query"),
    }
}
