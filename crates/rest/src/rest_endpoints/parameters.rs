//! Query parameters of calls: those that an endpoint fixes, and as an object for its schema.

use std::collections::BTreeMap;

use blueprint::Schema;
use kernel::{Error, Result};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// What the server itself reads; a schema that does not name them does not forbid them.
const OURS: &[&str] = &["limit", "cursor", "page", "total", "sort", "search", "filter", "fields"];

/// Those of them by which a caller goes through a list; the others ask about records, and a stranger has them only from a schema that is open or
/// names them.
const PAGES: &[&str] = &["limit", "cursor", "page"];

/// Of `sent` what is not fixed, without its place in the list.
pub(super) fn asked(query: &BTreeMap<String, String>, sent: &str) -> String {
    let own = |name: &str| !query.contains_key(name) && !matches!(name, "cursor" | "page");
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(form_urlencoded::parse(sent.as_bytes()).filter(|(name, _)| own(name)));
    out.finish()
}

/// The fixed parameters, and of `sent` those that are not among them.
pub(super) fn fixed(query: &BTreeMap<String, String>, sent: &str) -> String {
    if query.is_empty() {
        return sent.to_owned();
    }
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(query);
    out.extend_pairs(form_urlencoded::parse(sent.as_bytes()).filter(|(name, _)| !query.contains_key(name.as_ref())));
    out.finish()
}

/// Judges a query string by a schema of an object. Error: 422 `validation_failed`.
pub(super) fn check(schema: &Schema, written: &Value, sent: &str, is_strangers: bool) -> Result<()> {
    let ours = if is_strangers { PAGES } else { OURS };
    let properties = written.get("properties");
    let declared = |name: &str| properties.and_then(|table| table.get(name));
    let mut members: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(sent.as_bytes()) {
        if declared(&name).is_none() && ours.contains(&name.as_ref()) {
            continue;
        }
        let value = read(&value, declared(&name));
        match members.get_mut(name.as_ref()) {
            None => {
                members.insert(name.into_owned(), value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    let faults = schema.check(&Value::Object(members), "");
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults))
    }
}

/// A text as the number or truth value that its schema asks for; else as it is.
fn read(text: &str, declared: Option<&Value>) -> Value {
    let wants = |name: &str| match declared.and_then(|schema| schema.get("type")) {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    };
    let value = || match text {
        "true" | "false" if wants("boolean") => Some(Value::Bool(text == "true")),
        _ if wants("integer") || wants("number") => text.parse::<serde_json::Number>().ok().map(Value::Number),
        _ => None,
    };
    value().unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_fixed_cannot_be_sent() {
        let query = BTreeMap::from([("status".to_owned(), "a&b".to_owned())]);
        assert_eq!(fixed(&query, "status=c&limit=2&status=d"), "status=a%26b&limit=2");
        assert_eq!(fixed(&BTreeMap::new(), "status=c"), "status=c");
    }

    #[test]
    fn a_query_is_judged_as_an_object() {
        let written = json!({
            "type": "object", "required": ["year"], "additionalProperties": false,
            "properties": {"year": {"type": "integer"}, "open": {"type": "boolean"}, "tag": {"type": ["array", "string"]}},
        });
        let schema = Schema::compile(&written).unwrap();
        for good in ["year=2026", "year=2026&open=true&tag=a", "year=1&tag=a&tag=b&limit=5&cursor=x"] {
            assert!(check(&schema, &written, good, false).is_ok(), "{good}");
        }
        for (bad, pointer) in [("", "/year"), ("year=soon", "/year"), ("year=1&open=maybe", "/open"), ("year=1&other=2", "/other")] {
            let error = check(&schema, &written, bad, false).unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", pointer), "{bad}");
        }
        for (query, is_ours, is_strangers) in
            [("year=1&limit=5&page=2", true, true), ("year=1&sort=owner", true, false), ("year=1&total=true", true, false)]
        {
            assert_eq!(check(&schema, &written, query, false).is_ok(), is_ours, "{query}");
            assert_eq!(check(&schema, &written, query, true).is_ok(), is_strangers, "{query}");
        }
    }
}
