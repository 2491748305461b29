//! A fast yes for simple schemas.
//!
//! Many event schemas ask only that some members of an object are there and of a type. Such a schema is answered from one pass over
//! the text, without building the value. A no is no verdict: the compiled schema then says what is wrong.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// A schema of that sort.
#[derive(Debug)]
pub(crate) struct Shallow {
    required: Vec<String>,
    kinds: HashMap<String, Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Object,
    Array,
    Null,
    /// Text, number or whatever: nothing is asked.
    Any,
}

/// Keywords that ask nothing of a value.
const SILENT: [&str; 6] = ["title", "description", "examples", "default", "$schema", "$comment"];

impl Shallow {
    /// If `schema` says no more than this can check.
    pub(crate) fn of(schema: &Value) -> Option<Self> {
        let members = schema.as_object()?;
        let mut shallow = Self { required: Vec::new(), kinds: HashMap::new() };
        let mut is_object = false;
        for (keyword, value) in members {
            match keyword.as_str() {
                "type" => is_object = value == "object",
                "required" => shallow.required = serde_json::from_value(value.clone()).ok()?,
                "properties" => {
                    for (name, property) in value.as_object()? {
                        shallow.kinds.insert(name.clone(), Kind::of(property)?);
                    }
                }
                "additionalProperties" if *value == Value::Bool(true) => {}
                other if SILENT.contains(&other) => {}
                _ => return None,
            }
        }
        is_object.then_some(shallow)
    }

    /// Whether `text` satisfies the schema for certain.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        // The outermost test keeps other JSON away from the map's reader.
        if !text.starts_with('{') {
            return false;
        }
        let Ok(members) = serde_json::from_str::<HashMap<Cow<'_, str>, &RawValue>>(text) else { return false };
        let fits = |(name, value): (&Cow<'_, str>, &&RawValue)| self.kinds.get(name.as_ref()).is_none_or(|kind| kind.accepts(value.get()));
        self.required.iter().all(|name| members.contains_key(name.as_str())) && members.iter().all(fits)
    }
}

impl Kind {
    fn of(property: &Value) -> Option<Self> {
        let mut kind = Self::Any;
        for (keyword, value) in property.as_object()? {
            match (keyword.as_str(), value.as_str()) {
                ("type", Some("string")) => kind = Self::Text,
                ("type", Some("boolean")) => kind = Self::Boolean,
                ("type", Some("object")) => kind = Self::Object,
                ("type", Some("array")) => kind = Self::Array,
                ("type", Some("null")) => kind = Self::Null,
                (other, _) if SILENT.contains(&other) => {}
                _ => return None,
            }
        }
        Some(kind)
    }

    /// The first character of a JSON value tells its type.
    fn accepts(self, text: &str) -> bool {
        let first = text.as_bytes().first().copied();
        match self {
            Self::Any => true,
            Self::Text => first == Some(b'"'),
            Self::Object => first == Some(b'{'),
            Self::Array => first == Some(b'['),
            Self::Null => first == Some(b'n'),
            Self::Boolean => matches!(first, Some(b't' | b'f')),
        }
    }
}

#[cfg(test)]
mod tests {
    use blueprint::Schema;
    use serde_json::json;

    use super::Shallow;

    #[test]
    fn never_accepts_what_the_schema_refuses() {
        let schema = json!({"type": "object", "required": ["id", "tags"], "description": "…",
            "properties": {"id": {"type": "string"}, "tags": {"type": "array"}, "on": {"type": "boolean"}, "free": {}}});
        let (shallow, full) = (Shallow::of(&schema).unwrap(), Schema::compile(&schema).unwrap());
        let mut accepted = 0;
        for text in [
            r#"{"id":"a","tags":[]}"#,
            r#"{ "id" : "a", "tags" : [1], "on": true, "free": null, "more": 1e400 }"#,
            r#"{"id":1,"tags":[]}"#,
            r#"{"id":"a"}"#,
            r#"{"id":"a","tags":{},"on":null}"#,
            r#"{"id":"a","tags":[],"on":"true"}"#,
            r#"{"\u0069d":"a","tags":[]}"#,
            r#"{"id":"a","id":3,"tags":[]}"#,
            "[]",
            "null",
            "\"id\"",
        ] {
            let fast = shallow.accepts(text);
            accepted += usize::from(fast);
            if let Ok(value) = serde_json::from_str(text) {
                assert!(!fast || full.accepts(&value), "{text}");
            }
        }
        assert_eq!(accepted, 3);
    }

    #[test]
    fn leaves_other_schemas_alone() {
        for schema in [
            json!(true),
            json!({"required": ["id"]}),
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "object", "properties": {"n": {"type": "integer"}}}),
            json!({"type": "object", "properties": {"n": {"type": ["string", "null"]}}}),
            json!({"type": "object", "properties": {"n": {"type": "string", "minLength": 1}}}),
            json!({"type": "object", "minProperties": 1}),
        ] {
            assert!(Shallow::of(&schema).is_none(), "{schema}");
        }
    }
}
