//! Documents: what a caller may send, how a change is merged in, and what must hold before one is stored.

use kernel::{Error, FieldError, Kind, Result};
use serde_json::{Map, Value};

use crate::resource_type::ResourceType;

/// The largest document, in bytes of JSON.
pub const MAX_BYTES: usize = 256 * 1024;
/// The deepest nesting; the document itself is the first level.
pub const MAX_DEPTH: usize = 32;
/// Most faults that one answer names.
const MAX_FAULTS: usize = 20;

/// Refuses members that the caller may not write. `writable`: only these; none: all but those that the server sets.
///
/// Error: 422 `validation_failed`, naming every one.
pub(crate) fn check_members(kind: &ResourceType, sent: &Map<String, Value>, writable: Option<&[String]>) -> Result<()> {
    let mut faults = Vec::new();
    for name in sent.keys() {
        let detail = if kind.is_server_set(name) {
            "is set by the server"
        } else if writable.is_none_or(|names| names.contains(name)) {
            continue;
        } else if kind.is_declared(name) {
            "cannot be set here"
        } else {
            "is not a known field"
        };
        faults.push(FieldError { pointer: pointer(name), detail: detail.to_owned() });
    }
    refuse(faults)
}

/// What may be stored: bounded in size and depth, without NUL, and as the schema wants it.
///
/// Errors: 413 `record_too_large`, 422 `validation_failed`.
pub(crate) fn check(kind: &ResourceType, document: Map<String, Value>) -> Result<Map<String, Value>> {
    let document = Value::Object(document);
    let mut faults = Vec::new();
    bounds(&document, "", MAX_DEPTH, &mut faults);
    refuse(faults)?;
    let bytes = serde_json::to_string(&document).map_err(Error::internal)?.len();
    if bytes > MAX_BYTES {
        let detail = format!("The record would have {bytes} bytes of JSON; {MAX_BYTES} are allowed.");
        return Err(Error::new(Kind::TooLarge, "record_too_large", detail));
    }
    refuse(kind.check(&document))?;
    match document {
        Value::Object(members) => Ok(members),
        _ => Err(Error::internal("a document is an object")),
    }
}

/// Depth before anything recurses further than it may.
pub(crate) fn check_depth(sent: &Map<String, Value>) -> Result<()> {
    let mut faults = Vec::new();
    for (name, value) in sent {
        bounds(value, &pointer(name), MAX_DEPTH - 1, &mut faults);
    }
    refuse(faults)
}

fn bounds(value: &Value, at: &str, left: usize, faults: &mut Vec<FieldError>) {
    if faults.len() >= MAX_FAULTS {
        return;
    }
    let mut fault = |detail: String| faults.push(FieldError { pointer: at.to_owned(), detail });
    match value {
        Value::String(text) if text.contains('\0') => fault("must not contain NUL".into()),
        Value::Array(_) | Value::Object(_) if left == 0 => fault(format!("nests deeper than {MAX_DEPTH} levels")),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| bounds(item, &format!("{at}/{i}"), left - 1, faults)),
        Value::Object(members) => {
            for (name, member) in members {
                if name.contains('\0') {
                    faults.push(FieldError { pointer: at.to_owned(), detail: "has a member whose name contains NUL".into() });
                } else {
                    bounds(member, &format!("{at}{}", pointer(name)), left - 1, faults);
                }
            }
        }
        _ => {}
    }
}

/// Leaves out members whose null says no more than their absence, and fills in default values.
pub(crate) fn complete(kind: &ResourceType, mut document: Map<String, Value>) -> Map<String, Value> {
    document.retain(|name, value| !(value.is_null() && kind.null_is_absent(name)));
    for (name, default) in kind.defaults() {
        if !document.contains_key(name) {
            document.insert(name.clone(), default.clone());
        }
    }
    document
}

/// Merges a JSON Merge Patch (RFC 7396) into a document: null removes a member. A member that is required cannot be removed, so its null is
/// kept for the schema to judge.
pub(crate) fn merge(kind: &ResourceType, document: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null if kind.is_required(&name) => {
                document.insert(name, Value::Null);
            }
            Value::Null => {
                document.shift_remove(&name);
            }
            value => merge_value(document.entry(name).or_insert(Value::Null), value),
        }
    }
}

/// RFC 7396 §2; the depth of `patch` was checked before.
fn merge_value(target: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else { return };
    for (name, value) in members {
        if value.is_null() {
            object.shift_remove(&name);
        } else {
            merge_value(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// The pointer of a top-level member (RFC 6901 §3).
pub(crate) fn pointer(name: &str) -> String {
    let shown: String = name.chars().filter(|c| *c != '\0').take(80).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

/// Error: 422 `validation_failed` with these faults, if there are any.
pub(crate) fn refuse(mut faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    faults.truncate(MAX_FAULTS);
    Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn merged(mut target: Value, patch: Value) -> Value {
        merge_value(&mut target, patch);
        target
    }

    #[test]
    fn merges_as_the_examples_of_rfc_7396() {
        // Appendix A, without the two whose patch is null.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merged(target, patch), result);
        }
    }

    #[test]
    fn depth_is_counted_in_levels() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        let faults = |value: &Value| {
            let mut faults = Vec::new();
            bounds(value, "", MAX_DEPTH, &mut faults);
            faults.len()
        };
        assert_eq!(faults(&nested(MAX_DEPTH)), 0);
        assert_eq!(faults(&nested(MAX_DEPTH + 1)), 1);
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once(a in "[a-c]{1,3}", b in "[a-c]{1,3}", keep in any::<bool>()) {
            let target = json!({ a.clone(): {"x": 1}, "k": b.clone() });
            let patch = json!({ b: {"y": if keep { json!(2) } else { Value::Null }}, a: null });
            let once = merged(target, patch.clone());
            prop_assert_eq!(merged(once.clone(), patch), once);
        }
    }
}
