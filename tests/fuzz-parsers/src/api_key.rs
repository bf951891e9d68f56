//! The `Authorization` header (decision 1).

use std::cell::LazyCell;
use std::sync::Arc;

use agentwarm_lambda::http::{Answer, Caller, HttpApp, Request, Response, Route};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method};

use crate::http_app::{KEY, app, json, request, serve, table};

/// Bytes before those of a key.
const PREFIX: &[u8] = b"aw_";

thread_local! {
    static APP: LazyCell<HttpApp> = const { LazyCell::new(|| app(table([
        Route::get("/api/key", async |_: Arc<()>, _: Caller, _: Request| -> Answer {
            Response::no_content()
        }),
    ]).bind(()))) };
}

/// The bytes are the header's value.
pub fn check(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return;
    };
    let mut incoming = request(Method::GET, "/api/key");
    incoming.headers.insert(AUTHORIZATION, value);
    let response = APP.with(|app| serve(app, incoming));
    let presented = presented(bytes);
    let expected = match presented {
        Some(key) if key == KEY.as_bytes() => (204, None),
        Some(_) => (403, Some("AUTH_INVALID_KEY")),
        None => (401, Some("AUTH_INVALID_FORMAT")),
    };
    let got = response.status().as_u16();
    assert_eq!(got, expected.0, "{:?}", String::from_utf8_lossy(bytes));
    if let Some(code) = expected.1 {
        assert_eq!(json(&response)["code"], code);
    }
    // RFC 9110 §11.6.1.
    assert_eq!(
        response.headers().contains_key(WWW_AUTHENTICATE),
        got == 401
    );
    // Whoever is refused learns nothing that they did not say in the right form.
    if let Some(key) = presented.filter(|key| got != 204 && key.len() > PREFIX.len()) {
        let told = response.body();
        assert!(
            !told.windows(key.len()).any(|window| window == key),
            "the key is repeated"
        );
    }
}

/// The key in `Bearer KEY`, read by the letter of RFC 9110 §11.4: a scheme in any case, spaces, a key in visible ASCII.
fn presented(value: &[u8]) -> Option<&[u8]> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at(space);
    let is_text = value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    let key = rest.trim_ascii();
    (is_text && scheme.eq_ignore_ascii_case(b"bearer") && key.starts_with(PREFIX)).then_some(key)
}
