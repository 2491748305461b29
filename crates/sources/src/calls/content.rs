//! The content of a call as JSON: the body's own bytes where it is JSON, otherwise an object that holds it.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Call;
use crate::providers::Provider;

/// Read content.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The body is JSON. It goes on byte for byte.
    Json(Bytes),
    /// A form, or the query of a call without a body, as an object.
    Form(Value),
    /// Something else, as an object that holds it.
    Other(Value),
}

impl Content {
    /// Reads the content of `call`.
    pub(crate) fn of(provider: Provider, call: &Call) -> Self {
        let is_form = call.is_form() && !is_plainly_json(&call.body);
        if is_form || (call.body.is_empty() && call.query.is_some()) {
            let text = if call.body.is_empty() { call.query.as_deref().unwrap_or_default().as_bytes() } else { &call.body };
            return Self::of_form(provider, form(text));
        }
        let bare = call.body.slice_ref(call.body.trim_ascii());
        if bare.is_empty() {
            return Self::Other(json!({}));
        }
        match std::str::from_utf8(&bare) {
            Ok(text) if events::is_readable(text) => Self::Json(bare),
            Ok(_) => Self::Other(json!({"contentType": call.media_type(), "body": String::from_utf8_lossy(&call.body)})),
            Err(_) => {
                use base64::Engine as _;
                let encoded = base64::engine::general_purpose::STANDARD.encode(&call.body);
                Self::Other(json!({"contentType": call.media_type(), "bodyBase64": encoded}))
            }
        }
    }

    /// GitHub and Slack can put JSON into a form's one field.
    fn of_form(provider: Provider, fields: Value) -> Self {
        let payload = fields.get("payload").and_then(Value::as_str).filter(|text| events::is_readable(text));
        match payload {
            Some(text) if matches!(provider, Provider::Github | Provider::Slack) => Self::Json(Bytes::from(text.trim().to_owned())),
            _ => Self::Form(fields),
        }
    }

    /// Whether it was a form (and not JSON in one).
    pub(crate) fn is_form(&self) -> bool {
        matches!(self, Self::Form(_))
    }

    /// As a value, to look into.
    pub(crate) fn value(&self) -> Value {
        match self {
            // Readable JSON is what was kept.
            Self::Json(text) => serde_json::from_slice(text).unwrap_or_default(),
            Self::Form(value) | Self::Other(value) => value.clone(),
        }
    }

    /// As the bytes that an event carries.
    pub(crate) fn bytes(&self) -> Bytes {
        match self {
            Self::Json(text) => text.clone(),
            Self::Form(value) | Self::Other(value) => Bytes::from(value.to_string()),
        }
    }
}

/// Whether a body that calls itself a form is JSON: many senders leave their client's usual content type in place, and no form begins so.
fn is_plainly_json(body: &[u8]) -> bool {
    let begins = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    begins && std::str::from_utf8(body).is_ok_and(events::is_readable)
}

/// A form as an object; a name that comes several times has a list.
fn form(text: &[u8]) -> Value {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => {
                let both = vec![first.take(), value];
                *first = Value::Array(both);
            }
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Call, Content};
    use crate::providers::Provider;

    fn call(content_type: &str, query: Option<&str>, body: &[u8]) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", content_type.parse().unwrap());
        Call { method: Method::POST, query: query.map(str::to_owned), headers, body: body.to_vec().into() }
    }

    #[test]
    fn json_keeps_its_bytes_and_the_rest_is_held() {
        let form = "application/x-www-form-urlencoded";
        for (provider, content_type, query, body, expected) in [
            (Provider::Github, "application/json", None, &b" {\"a\" : 1.0}\r\n"[..], "{\"a\" : 1.0}"),
            (Provider::Github, "text/plain", Some("x=1"), b"[1]", "[1]"),
            (Provider::Github, form, None, b"payload=%7B%22a%22%3A+1%7D", "{\"a\": 1}"),
            (Provider::Twilio, form, None, b"payload=%7B%7D&a=1&b=2&a=3&a=4", r#"{"payload":"{}","a":["1","3","4"],"b":"2"}"#),
            (Provider::GenericHmac, form, None, b"{\"a\": 1}", "{\"a\": 1}"),
            (Provider::GenericHmac, form, None, b"{a=1", r#"{"{a":"1"}"#),
            (Provider::Twilio, "", Some("a=1"), b"", r#"{"a":"1"}"#),
            (Provider::Basic, "", None, b"", "{}"),
            (Provider::Basic, "text/csv; charset=utf-8", None, b"a,b", r#"{"contentType":"text/csv","body":"a,b"}"#),
            (Provider::Basic, "application/json", None, b"1e999", r#"{"contentType":"application/json","body":"1e999"}"#),
            (Provider::Basic, "image/png", None, b"\xff\x00", r#"{"contentType":"image/png","bodyBase64":"/wA="}"#),
        ] {
            let content = Content::of(provider, &call(content_type, query, body));
            assert_eq!(content.bytes(), expected.as_bytes(), "{content:?}");
        }
        assert_eq!(Content::of(Provider::Slack, &call(form, None, b"payload=%7B%22type%22%3A%22x%22%7D")).value(), json!({"type": "x"}));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_readable_json(body: Vec<u8>, is_form: bool, query in proptest::option::of(".{0,40}")) {
            let content_type = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
            let content = Content::of(Provider::Slack, &call(content_type, query.as_deref(), &body));
            let bytes = content.bytes();
            prop_assert!(events::is_readable(std::str::from_utf8(&bytes).unwrap()));
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(), content.value());
        }
    }
}
