//! Records of a vendor, and times as it writes them.

use std::borrow::Cow;

use kernel::Timestamp;
use serde_json::{Map, Value};

use super::errors::is;
use super::form::{self, TimeForm};
use super::unexpected;
use crate::{Fault, RemoteRecord};

/// Longest id, in bytes.
const MAX_ID: usize = 255;

/// A text, or a number or a truth as one.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// An id, bounded: it goes into paths, tables and logs.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    scalar(value?).filter(|id| !id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control))
}

/// A record as the contract has it; `wanted` empty: all fields.
pub(super) fn record(object: &form::Object, value: &Value, wanted: &[String]) -> Result<RemoteRecord, Fault> {
    let id = id(value.pointer(&object.id)).ok_or_else(|| unexpected(&format!("a record of {} has no id at {}", object.name, object.id)))?;
    let own = [String::new()];
    let places = object.fields_at.as_deref().unwrap_or(&own);
    let sources: Vec<&Map<String, Value>> = places.iter().filter_map(|pointer| value.pointer(pointer)?.as_object()).collect();
    let mut fields = Map::new();
    if wanted.is_empty() {
        for (name, value) in sources.iter().copied().flatten() {
            fields.insert(name.clone(), value.clone());
        }
        places.iter().filter_map(|pointer| pointer.strip_prefix('/')).for_each(|group| drop(fields.shift_remove(group)));
    }
    for name in wanted {
        match sources.iter().find_map(|source| pick(source, name, object.dotted)) {
            Some(value) => drop(fields.insert(name.clone(), value.clone())),
            None if object.absent_is_null => drop(fields.insert(name.clone(), Value::Null)),
            None => {}
        }
    }
    Ok(RemoteRecord {
        id,
        fields,
        modified_at: object.modified_at.as_ref().and_then(|pointer| read_time(object.time, value.pointer(pointer)?)),
        deleted: is(value, object.deleted_when.as_ref()),
        merged_into: object.merged_into.as_ref().and_then(|pointer| self::id(value.pointer(pointer))),
    })
}

fn pick<'a>(source: &'a Map<String, Value>, name: &str, dotted: bool) -> Option<&'a Value> {
    if let Some(value) = source.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.').filter(|_| dotted)?;
    pick(source.get(first)?.as_object()?, rest, dotted)
}

/// The fields as they are sent: dotted names become members of members where the manifest says so.
pub(super) fn sent<'a>(object: &form::Object, fields: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    if !object.dotted || !fields.keys().any(|name| name.contains('.')) {
        return Cow::Borrowed(fields);
    }
    let mut out = Map::new();
    for (name, value) in fields {
        put(&mut out, name, value);
    }
    Cow::Owned(out)
}

fn put(into: &mut Map<String, Value>, name: &str, value: &Value) {
    let Some((first, rest)) = name.split_once('.') else {
        into.insert(name.to_owned(), value.clone());
        return;
    };
    let inner = into.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// A time as the vendor writes it. RFC 3339 is read a little more kindly than it is defined: `2026-01-31 12:00:00` and `+0000` are met.
pub(super) fn read_time(form: TimeForm, value: &Value) -> Option<Timestamp> {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    match form {
        TimeForm::Unix => number(value).map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))),
        TimeForm::UnixMs => number(value).map(Timestamp::from_millis),
        TimeForm::Rfc3339 | TimeForm::Rfc3339Seconds => kind_time(value.as_str()?),
    }
}

fn kind_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    let mut text = text.trim().replacen(' ', "T", 1);
    if let Some(at) = text.len().checked_sub(5).filter(|at| text.is_char_boundary(*at) && matches!(text.as_bytes()[*at], b'+' | b'-'))
        && text.contains('T')
        && at > 11
    {
        text.insert(at + 3, ':');
    } else if text.len() == 19 {
        text.push('Z');
    }
    Timestamp::parse(&text).ok()
}

/// A time as the vendor wants it.
pub(super) fn write_time(form: TimeForm, time: Timestamp) -> Value {
    match form {
        TimeForm::Rfc3339 => Value::String(time.to_string()),
        TimeForm::Rfc3339Seconds => {
            let mut text = time.to_string();
            text.truncate(19);
            text.push('Z');
            Value::String(text)
        }
        TimeForm::Unix => Value::from(time.seconds()),
        TimeForm::UnixMs => Value::from(time.millis()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_and_written_in_the_vendors_forms() {
        let at = Timestamp::from_millis(784_111_777_000);
        for (form, value) in [
            (TimeForm::Rfc3339, json!("1994-11-06T08:49:37.000Z")),
            (TimeForm::Rfc3339Seconds, json!("1994-11-06T08:49:37Z")),
            (TimeForm::Unix, json!(784_111_777)),
            (TimeForm::UnixMs, json!(784_111_777_000_i64)),
        ] {
            assert_eq!((write_time(form, at), read_time(form, &value)), (value, Some(at)));
        }
        for text in ["1994-11-06 08:49:37", "1994-11-06T10:49:37+0200", "1994-11-06T08:49:37.000+0000", " 1994-11-06T08:49:37Z"] {
            assert_eq!(read_time(TimeForm::Rfc3339, &json!(text)), Some(at), "{text}");
        }
        assert_eq!(read_time(TimeForm::Unix, &json!("784111777")), Some(at));
        for bad in [json!("soon"), json!(null), json!({}), json!("é-11-06")] {
            assert_eq!(read_time(TimeForm::Rfc3339, &bad), None, "{bad}");
        }
    }

    #[test]
    fn dotted_names_reach_into_members() {
        let object: form::Object = serde_json::from_value(json!({"name": "x", "dotted": true})).unwrap();
        let record = record(&object, &json!({"id": 4, "a": {"b": 1}, "c.d": 2}), &["a.b".into(), "c.d".into(), "a.x".into()]).unwrap();
        assert_eq!((record.id.as_str(), Value::Object(record.fields)), ("4", json!({"a.b": 1, "c.d": 2})));
        let fields = json!({"a.b": 1, "a.c": null, "d": 2});
        assert_eq!(Value::Object(sent(&object, fields.as_object().unwrap()).into_owned()), json!({"a": {"b": 1, "c": null}, "d": 2}));
    }

    #[test]
    fn a_record_without_an_id_is_no_record() {
        let object: form::Object = serde_json::from_value(json!({"name": "x"})).unwrap();
        for bad in [
            json!({}),
            json!({"id": ""}),
            json!({"id": null}),
            json!({"id": {}}),
            json!({"id": "a\nb"}),
            json!({"id": "x".repeat(300)}),
            json!(3),
        ] {
            assert!(matches!(record(&object, &bad, &[]), Err(Fault::Refused { code, .. }) if code == "unexpected_answer"), "{bad}");
        }
    }
}
