//! The thin body: that something happened, and where to read what.

use blueprint::model::BodyForm;
use bytes::Bytes;
use kernel::Event;
use serde_json::{Map, Value};

/// Where events are read, below the public address of the server.
const PLACE: &str = "/api/v1/events/";

/// The names of the members, as the product's form has them.
#[derive(Clone, Debug)]
pub(super) struct Thin {
    names: [String; 3],
    constants: Vec<(String, Value)>,
    /// The public address of the server, without a slash at its end.
    base: String,
}

impl Thin {
    pub(super) fn new(form: &BodyForm, public_url: &str) -> Self {
        let own = ["id", "type", "timestamp"].map(str::to_owned);
        let (names, constants) = match form {
            BodyForm::Legacy { id, event_type, timestamp, constants, .. } => {
                ([id.clone(), event_type.clone(), timestamp.clone()], constants.clone())
            }
            BodyForm::Envelope | BodyForm::DataOnly => (own, Vec::new()),
        };
        Self { names, constants, base: public_url.trim_end_matches('/').to_owned() }
    }

    /// `{"id", "type", "timestamp", "url"}`, and the product's constants.
    pub(super) fn write(&self, event: &Event) -> Bytes {
        let [id, event_type, timestamp] = &self.names;
        let mut members = Map::new();
        members.insert(id.clone(), event.id.as_str().into());
        members.insert(event_type.clone(), event.event_type.as_str().into());
        members.insert(timestamp.clone(), event.occurred_at.to_string().into());
        members.insert("url".to_owned(), format!("{}{PLACE}{}", self.base, event.id.as_str()).into());
        for (name, value) in &self.constants {
            members.insert(name.clone(), value.clone());
        }
        Value::Object(members).to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Ambient, Timestamp};

    #[test]
    fn tells_where_to_look_and_nothing_else() {
        let event = Event {
            tenant: Ambient::system().id(),
            id: "evt:1".parse().unwrap(),
            event_type: "lead.created".parse().unwrap(),
            occurred_at: Timestamp::from_millis(0),
            created_at: Timestamp::from_millis(5),
            data: Bytes::from_static(b"{\"secret\":1}"),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        };
        let thin = Thin::new(&BodyForm::Envelope, "https://api.example/").write(&event);
        let expected = r#"{"id":"evt:1","type":"lead.created","timestamp":"1970-01-01T00:00:00.000Z","url":"https://api.example/api/v1/events/evt:1"}"#;
        assert_eq!(thin, expected.as_bytes());
        let form = BodyForm::Legacy {
            id: "id".into(),
            event_type: "eventType".into(),
            timestamp: "at".into(),
            data: "data".into(),
            constants: vec![("version".into(), "1.0".into())],
        };
        let expected =
            r#"{"id":"evt:1","eventType":"lead.created","at":"1970-01-01T00:00:00.000Z","url":"/api/v1/events/evt:1","version":"1.0"}"#;
        assert_eq!(Thin::new(&form, "").write(&event), expected.as_bytes());
    }
}
