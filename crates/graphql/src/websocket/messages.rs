//! The messages of `graphql-transport-ws`, and the codes with which a socket is closed.

use serde_json::{Map, Value, json};

/// A message of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// `connection_init`, with what it carries.
    Init(Map<String, Value>),
    /// `ping`.
    Ping,
    /// `pong`.
    Pong,
    /// `subscribe`: its id, and the parameters of an operation.
    Subscribe(String, Value),
    /// `complete`: its id.
    Complete(String),
}

/// Longest id of an operation, in bytes.
const MAX_ID: usize = 256;

impl Heard {
    /// Reads a message; none: it is not one of the protocol's.
    pub(super) fn read(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut message)) = serde_json::from_str::<Value>(text) else { return None };
        let id = match message.remove("id") {
            Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID => Some(id),
            _ => None,
        };
        let payload = message.remove("payload");
        Some(match message.get("type")?.as_str()? {
            "connection_init" => match payload {
                Some(Value::Object(members)) => Self::Init(members),
                None | Some(Value::Null) => Self::Init(Map::new()),
                Some(_) => return None,
            },
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "subscribe" => Self::Subscribe(id?, payload.filter(Value::is_object)?),
            "complete" => Self::Complete(id?),
            _ => return None,
        })
    }
}

pub(super) fn ack() -> String {
    json!({"type": "connection_ack"}).to_string()
}

pub(super) fn pong() -> String {
    json!({"type": "pong"}).to_string()
}

pub(super) fn next(id: &str, payload: &Value) -> String {
    json!({"id": id, "type": "next", "payload": payload}).to_string()
}

pub(super) fn error(id: &str, errors: &Value) -> String {
    json!({"id": id, "type": "error", "payload": errors}).to_string()
}

pub(super) fn complete(id: &str) -> String {
    json!({"id": id, "type": "complete"}).to_string()
}

/// Why a socket is closed: the protocol's codes, and two of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The server stops.
    GoingAway,
    /// A message that the protocol does not know.
    Invalid,
    /// An operation before `connection_init` was answered.
    Unauthorized,
    /// The credential is not good.
    Forbidden,
    /// The client asks for another protocol.
    Protocol,
    /// No `connection_init` in time.
    Late,
    /// Two operations with the same id.
    Taken,
    /// A second `connection_init`, or a limit.
    TooMany,
}

impl Close {
    /// Code and reason.
    pub(super) fn frame(self) -> (u16, &'static str) {
        match self {
            Self::GoingAway => (1001, "Going away"),
            Self::Invalid => (4400, "Invalid message"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::Protocol => (4406, "Subprotocol not acceptable"),
            Self::Late => (4408, "Connection initialisation timeout"),
            Self::Taken => (4409, "Subscriber already exists"),
            Self::TooMany => (4429, "Too many initialisation requests"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_read() {
        assert_eq!(Heard::read(r#"{"type":"ping"}"#), Some(Heard::Ping));
        assert_eq!(Heard::read(r#"{"type":"connection_init"}"#), Some(Heard::Init(Map::new())));
        let subscribe = Heard::read(r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#);
        assert_eq!(subscribe, Some(Heard::Subscribe("1".into(), json!({"query": "{a}"}))));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start"}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"connection_init","payload":1}"#,
        ] {
            assert_eq!(Heard::read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in ".{0,200}") {
            let _ = Heard::read(&text);
        }
    }
}
