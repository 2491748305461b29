//! A path into an event, by itself: what a webhook's order goes by.

use kernel::{Error, Result};
use serde_json::Value;

use super::evaluate::{equal, follow};
use super::{Envelope, parse};
use crate::MAX_ORDERING_KEY;

/// A path as filters have them: `data.customerId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads one. Error: 422 `validation_failed` at `pointer`.
    pub fn parse(text: &str, pointer: &str) -> Result<Self> {
        parse::split(text).map(Self).map_err(|detail| Error::field(pointer, detail))
    }

    /// Whether `wanted` stands at this path, as a filter's `$eq` compares, of a payload; false for a path that does not lead into `data`.
    pub fn is_in(&self, data: &Value, wanted: &Value) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return false };
        first == "data" && follow(data, rest).is_some_and(|found| equal(found, wanted))
    }

    /// The ordering key at this path: a text as it is, a number or a truth value as JSON writes it. Empty: nothing, null, an object or an array is
    /// there. Of a longer text it is the first [`MAX_ORDERING_KEY`] bytes: events whose texts begin alike then keep their order too.
    pub fn key(&self, envelope: &Envelope<'_>) -> String {
        let mut key = match envelope.get(&self.0) {
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => String::new(),
        };
        key.truncate(key.floor_char_boundary(MAX_ORDERING_KEY));
        // PostgreSQL keeps no NUL in a text.
        if key.contains('\0') { key.replace('\0', "\u{1}") } else { key }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Ambient, Event};
    use serde_json::json;

    use super::*;

    fn event(data: &Value) -> Event {
        let ambient = Ambient::system();
        Event {
            tenant: ambient.id(),
            id: "evt-1".parse().unwrap(),
            event_type: "lead.created".parse().unwrap(),
            occurred_at: ambient.now(),
            created_at: ambient.now(),
            data: data.to_string().into(),
            client: None,
            channels: Vec::new(),
            ordering_key: Some("its own".to_owned()),
            deliver_at: None,
            schema_version: None,
        }
    }

    #[test]
    fn keys_are_texts_of_what_is_there() {
        let data = json!({"s": "c-1", "n": 17, "f": 1.5, "t": true, "none": null, "o": {"a": ["x", "y"]}, "nul": "a\u{0}b", "long": "é".repeat(300)});
        let event = event(&data);
        let envelope = Envelope::new(&event);
        let long = "é".repeat(128);
        for (path, key) in [
            ("data.s", "c-1"),
            ("data.n", "17"),
            ("data.f", "1.5"),
            ("data.t", "true"),
            ("data.none", ""),
            ("data.o", ""),
            ("data.o.a", ""),
            ("data.o.a.1", "y"),
            ("data.missing.deeper", ""),
            ("data.nul", "a\u{1}b"),
            ("data.long", long.as_str()),
            ("type", "lead.created"),
            ("id", "evt-1"),
        ] {
            assert_eq!(Path::parse(path, "/p").unwrap().key(&envelope), key, "{path}");
        }
        for bad in ["", "customerId", "data..x", "data.", &format!("data{}", ".x".repeat(16))] {
            let error = Path::parse(bad, "/orderingKeyPath").unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", "/orderingKeyPath"), "{bad}");
        }
    }
}
