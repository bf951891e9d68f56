//! Cursors of lists (decision 12): opaque to clients, and so whatever they like.

use std::cell::LazyCell;
use std::sync::Arc;

use agentwarm_app::ports::{PageOf, PageStart};
use agentwarm_lambda::http::{
    Answer, Caller, Fields, FromFields, HttpApp, Invalid, Paging, Request, Response, Route, Wanted,
};
use http::Method;
use serde_json::json;

use crate::http_app::{app, json as body, problems, request, serve, table};

const PAGING: Paging = Paging {
    list: "things",
    default: 50,
    max: 200,
};

/// The longest cursor.
const LONGEST: usize = 2_048;

struct Things(Wanted);

impl FromFields for Things {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        PAGING.read(fields).map(Self)
    }
}

thread_local! {
    static APP: LazyCell<HttpApp> = const { LazyCell::new(|| app(table([Route::get("/api/things", list)]).bind(()))) };
}

/// A page that ends where it begins: its `nextCursor` stands for the same place.
async fn list(_: Arc<()>, _: Caller, request: Request) -> Answer {
    let Things(wanted) = request.query()?;
    let next = match &wanted.page.from {
        PageStart::After(key) => Some(key.clone()),
        PageStart::Offset(_) => None,
    };
    let page = PageOf::<()> {
        items: Vec::new(),
        next: next.clone(),
        total: 0,
        total_is_lower_bound: false,
    };
    Response::ok(&json!({ "page": PAGING.info(&wanted, &page), "key": next }))
}

/// The bytes are a cursor.
pub fn check(bytes: &[u8]) {
    let Ok(cursor) = std::str::from_utf8(bytes) else {
        return;
    };
    let first = ask(&[("cursor", cursor)]);
    if first.status() != 200 {
        let problems = problems(&first);
        assert!(
            matches!(problems.as_slice(), [(path, _)] if path == "cursor"),
            "{problems:?}"
        );
        return;
    }
    assert!(cursor.is_ascii() && cursor.len() <= LONGEST, "{cursor:?}");
    let said = body(&first);
    let key = said["key"].as_str().expect("a cursor is a place");
    assert!(
        !key.is_empty() && !key.contains(char::is_control),
        "{key:?}"
    );
    // It may have been written in another way than ours; ours means the same.
    let next = said["page"]["nextCursor"]
        .as_str()
        .expect("the place has a cursor");
    assert_eq!(body(&ask(&[("cursor", next)])), said);
    // It is of this list only, and not beside an offset.
    for other in [("status", "x"), ("offset", "1")] {
        let refused = ask(&[("cursor", next), other]);
        assert_eq!(refused.status(), 400, "{other:?}");
        assert!(matches!(problems(&refused).as_slice(), [(path, _)] if path == "cursor"));
    }
}

fn ask(query: &[(&str, &str)]) -> Response {
    let mut incoming = request(Method::GET, "/api/things");
    incoming.query = query
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    APP.with(|app| serve(app, incoming))
}
