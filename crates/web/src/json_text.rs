//! What must hold of JSON text before a type is made of it: depth, and no NUL.

use kernel::{Error, Result};
use serde_json::Value;

/// Deepest nesting that is read: the same bound as serde_json's own recursion limit, checked here because raw values escape that one.
pub(crate) const MAX_DEPTH: usize = 127;

/// Checks `text` in one pass over its bytes. It need not be well-formed: whoever parses it next finds that out.
///
/// Errors: 400 `malformed_json` (not UTF-8, too deep), 422 `validation_failed` (the escape `\u0000`, with a pointer).
pub(crate) fn check(text: &[u8]) -> Result<()> {
    if std::str::from_utf8(text).is_err() {
        return Err(malformed("The body is not UTF-8."));
    }
    let (mut at, mut depth, mut quoted, mut nul) = (0, 0_usize, false, false);
    while let Some(&byte) = text.get(at) {
        match (quoted, byte) {
            (true, b'\\') => {
                nul |= text[at + 1..].starts_with(b"u0000");
                at += 1;
            }
            (_, b'"') => quoted = !quoted,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(malformed(format!("The body nests deeper than {MAX_DEPTH} levels.")));
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    if nul { Err(nul_error(text)) } else { Ok(()) }
}

/// 400 `malformed_json`.
pub(crate) fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::malformed("malformed_json", detail)
}

fn nul_error(text: &[u8]) -> Error {
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => Error::field(find_nul(&value, String::new()).unwrap_or_default(), "must not contain NUL (\\u0000)"),
        Err(error) => malformed(format!("The body is not JSON: {error}.")),
    }
}

/// The pointer to the first text with a NUL. The depth of `value` is bounded by the parser.
fn find_nul(value: &Value, pointer: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(pointer),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| find_nul(item, format!("{pointer}/{at}"))),
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            // A name with a NUL cannot be shown as it is; its object is named instead.
            if name.contains('\0') { Some(pointer.clone()) } else { find_nul(member, format!("{pointer}/{}", escape(name))) }
        }),
        _ => None,
    }
}

/// A reference token of a JSON pointer (RFC 6901 §3).
pub(crate) fn escape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains(['~', '/']) { token.replace('~', "~0").replace('/', "~1").into() } else { token.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pointer(text: &str) -> String {
        check(text.as_bytes()).unwrap_err().fields()[0].pointer.clone()
    }

    #[test]
    fn finds_nul_where_it_is() {
        assert_eq!(pointer(r#"{"a":{"b/c":["x","\u0000"]}}"#), "/a/b~1c/1");
        assert_eq!(pointer(r#"{"a":{"k\u0000":1}}"#), "/a");
        assert_eq!(pointer(r#""\\\u0000""#), "");
    }

    #[test]
    fn an_escaped_backslash_is_no_nul() {
        assert!(check(br#"{"a":"\\u0000","b":"\u00001"}"#).is_err());
        assert!(check(br#"{"a":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn depth_counts_brackets_outside_texts_only() {
        assert!(check("[".repeat(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(check("[".repeat(MAX_DEPTH + 1).as_bytes()).unwrap_err().code(), "malformed_json");
        assert!(check(format!("\"{}\"", "[".repeat(10_000)).as_bytes()).is_ok());
        assert!(check("[]".repeat(10_000).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = check(&text);
        }

        #[test]
        fn agrees_with_a_parser_about_nul(value in ".{0,20}") {
            let text = serde_json::to_string(&Value::String(value.clone())).unwrap();
            prop_assert_eq!(check(text.as_bytes()).is_err(), value.contains('\0'));
        }
    }
}
