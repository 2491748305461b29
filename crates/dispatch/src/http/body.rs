//! The body, written around the event's data: that is copied byte for byte and never parsed.

use blueprint::model::BodyForm;
use bytes::Bytes;
use kernel::Event;
use serde_json::Value;

/// A form, with everything around the four values written out once. Other channels write the same bodies with it.
#[derive(Clone, Debug)]
pub enum Body {
    /// The event's data alone.
    DataOnly,
    /// What stands before id, type, timestamp and data, and at the end.
    Envelope([String; 5]),
}

impl Body {
    /// The writer of this form.
    pub fn new(form: &BodyForm) -> Self {
        match form {
            BodyForm::DataOnly => Self::DataOnly,
            BodyForm::Envelope => Self::Envelope(pieces(["id", "type", "timestamp", "data"], &[])),
            BodyForm::Legacy { id, event_type, timestamp, data, constants } => {
                Self::Envelope(pieces([id, event_type, timestamp, data], constants))
            }
        }
    }

    /// An event's body.
    pub fn write(&self, event: &Event) -> Bytes {
        let Self::Envelope([before_id, before_type, before_time, before_data, end]) = self else { return event.data.clone() };
        let fixed = before_id.len() + before_type.len() + before_time.len() + before_data.len() + end.len();
        let mut out = Vec::with_capacity(fixed + event.id.as_str().len() + event.event_type.as_str().len() + 24 + event.data.len());
        // Ids, types and times have no character that JSON escapes.
        for piece in
            [before_id, event.id.as_str(), before_type, event.event_type.as_str(), before_time, &event.occurred_at.to_string(), before_data]
        {
            out.extend_from_slice(piece.as_bytes());
        }
        out.extend_from_slice(&event.data);
        // Only where the publisher chose a version: every other body stays as it always was.
        if let Some(version) = event.schema_version {
            out.extend_from_slice(format!(",\"schemaVersion\":{version}").as_bytes());
        }
        out.extend_from_slice(end.as_bytes());
        out.into()
    }
}

fn pieces(names: [&str; 4], constants: &[(String, Value)]) -> [String; 5] {
    let [id, event_type, timestamp, data] = names.map(|name| Value::from(name).to_string());
    let mut end = String::new();
    for (name, value) in constants {
        end.push_str(&format!(",{}:{value}", Value::from(name.as_str())));
    }
    end.push('}');
    [format!("{{{id}:\""), format!("\",{event_type}:\""), format!("\",{timestamp}:\""), format!("\",{data}:"), end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Ambient, Timestamp};

    fn event(data: &'static str) -> Event {
        Event {
            tenant: Ambient::system().id(),
            id: "evt-1".parse().unwrap(),
            event_type: "lead.created".parse().unwrap(),
            occurred_at: Timestamp::from_millis(0),
            created_at: Timestamp::from_millis(5),
            data: Bytes::from_static(data.as_bytes()),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        }
    }

    #[test]
    fn data_keeps_every_byte() {
        let odd = "{ \"b\":1e2,\n\"a\" : \"\\u00e9\", \"a\": 1.00 }";
        let written = Body::new(&BodyForm::Envelope).write(&event(odd));
        let expected = format!(r#"{{"id":"evt-1","type":"lead.created","timestamp":"1970-01-01T00:00:00.000Z","data":{odd}}}"#);
        assert_eq!(written, expected.as_bytes());
        assert_eq!(Body::new(&BodyForm::DataOnly).write(&event(odd)), odd.as_bytes());
    }

    #[test]
    fn a_chosen_schema_version_is_named() {
        let chosen = Event { schema_version: Some(2), ..event("{}") };
        let written = Body::new(&BodyForm::Envelope).write(&chosen);
        let expected = r#"{"id":"evt-1","type":"lead.created","timestamp":"1970-01-01T00:00:00.000Z","data":{},"schemaVersion":2}"#;
        assert_eq!(written, expected.as_bytes());
        assert_eq!(Body::new(&BodyForm::DataOnly).write(&chosen), b"{}".as_slice());
    }

    #[test]
    fn legacy_names_and_constants() {
        let form = BodyForm::Legacy {
            id: "id".into(),
            event_type: "eventType".into(),
            timestamp: "time\"stamp".into(),
            data: "data".into(),
            constants: vec![("version".into(), "1.0".into())],
        };
        let written = Body::new(&form).write(&event("{}"));
        let expected = r#"{"id":"evt-1","eventType":"lead.created","time\"stamp":"1970-01-01T00:00:00.000Z","data":{},"version":"1.0"}"#;
        assert_eq!(written, expected.as_bytes());
    }
}
