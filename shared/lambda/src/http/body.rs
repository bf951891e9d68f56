//! From bytes to JSON: size, encoding, depth, syntax (decision 6). Every refusal is a 400 or 413 that says what to change.
//!
//! The body is read as JSON whatever its `Content-Type` says: many clients send none or the wrong one, and nothing depends on it. Of a name
//! that an object repeats the last value counts (RFC 8259 §4 leaves that open).

use agentwarm_core::error::ErrorCode;
use serde_json::Value;

use super::error::ApiError;

/// The largest body, in bytes, that a route takes unless its table says otherwise.
pub const DEFAULT_MAX_BODY: usize = 1024 * 1024;

/// How deep arrays and objects may be nested. The deepest documented body has four levels.
const MAX_DEPTH: usize = 32;

/// The JSON in `bytes`; `None` if there is nothing but white space. `too_large` is what else to say of more than `max` bytes.
pub(super) fn parse(bytes: &[u8], max: usize, too_large: &str) -> Result<Option<Value>, ApiError> {
    if bytes.len() > max {
        return Err(ApiError::new(
            ErrorCode::PayloadTooLarge,
            format!("The body may have at most {max} bytes{too_large}"),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("must be UTF-8"))?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    if depth(text) > MAX_DEPTH {
        return Err(refused(format!(
            "must not be nested deeper than {MAX_DEPTH} levels"
        )));
    }
    // What serde_json says may quote the body; the place is enough, and safe to log.
    serde_json::from_str(text).map(Some).map_err(|error| {
        refused(format!(
            "must be JSON: error at line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::invalid_at("body", message)
}

/// How deep brackets are nested outside strings. Looks at bytes only, so that no parser recurses into what it will refuse.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use agentwarm_core::ids::RequestId;
    use proptest::prelude::*;

    use super::*;

    fn refusal(bytes: &[u8]) -> (ErrorCode, String) {
        let error = parse(bytes, 100, "").unwrap_err();
        let code = error.code();
        let response = error.into_response(RequestId::from_uuid(uuid::Uuid::nil()));
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let message = body
            .pointer("/errors/0/message")
            .unwrap_or(&body["error"])
            .as_str()
            .unwrap();
        (code, message.to_owned())
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let deep = "[".repeat(33);
        for (bytes, code, message) in [
            (
                &b"{\"name\": \"a\",}"[..],
                ErrorCode::ValidationFailed,
                "must be JSON: error at line 1, column 14",
            ),
            (
                b"name=a",
                ErrorCode::ValidationFailed,
                "must be JSON: error at line 1, column 2",
            ),
            (
                b"{\"n\": 1e999}",
                ErrorCode::ValidationFailed,
                "must be JSON: error at line 1, column 11",
            ),
            (
                b"{\"n\": \"\xff\"}",
                ErrorCode::ValidationFailed,
                "must be UTF-8",
            ),
            (
                deep.as_bytes(),
                ErrorCode::ValidationFailed,
                "must not be nested deeper than 32 levels",
            ),
            (
                &[b' '; 101],
                ErrorCode::PayloadTooLarge,
                "The body may have at most 100 bytes",
            ),
        ] {
            assert_eq!(refusal(bytes), (code, message.to_owned()));
        }
    }

    #[test]
    fn nothing_is_no_json_and_brackets_in_strings_do_not_count() {
        assert_eq!(parse(b" \n", 100, "").unwrap(), None);
        let text = format!("{{\"a\": \"{}\\\"{}\"}}", "[".repeat(40), "{".repeat(40));
        assert!(parse(text.as_bytes(), 100, "").unwrap().is_some());
    }

    #[test]
    fn of_a_name_that_is_repeated_the_last_value_counts() {
        let parsed = parse(br#"{"a": 1, "a": {"b": 2, "b": 3}}"#, 100, "").unwrap();
        assert_eq!(parsed, Some(serde_json::json!({ "a": { "b": 3 } })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(error) = parse(&bytes, 150, "") {
                prop_assert!(matches!(error.code(), ErrorCode::ValidationFailed | ErrorCode::PayloadTooLarge));
            }
        }
    }
}
