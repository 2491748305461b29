//! What a transform gave back.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::{Fault, FaultKind};

/// What becomes of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Transformed {
    /// It is not to be sent.
    pub cancel: bool,
    /// The `url` that came back, if one did.
    pub url: Option<String>,
    /// The `method` that came back, if one did.
    pub method: Option<String>,
    /// The `headers` that came back, if they did.
    pub headers: Option<Map<String, Value>>,
    /// The body.
    pub body: NewBody,
}

/// What became of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewBody {
    /// It is as it was: the bytes that went in are to be sent.
    Unchanged,
    /// Another value, as JSON.
    Json(String),
    /// A text, to be sent as it is.
    Text(String),
}

#[derive(Deserialize)]
struct Head {
    body: Form,
    #[serde(default)]
    cancel: Value,
    #[serde(default)]
    url: Value,
    #[serde(default)]
    method: Value,
    #[serde(default)]
    headers: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Same,
    Json,
    Text,
}

impl Transformed {
    /// From the harness's answer: one line about everything but the body, then the body.
    pub(crate) fn read(answer: &str) -> Result<Self, Fault> {
        let (head, body) = answer.split_once('\n').unwrap_or((answer, ""));
        let head: Head = serde_json::from_str(head).map_err(|_| shape("the function's result nests too deep"))?;
        let headers = match head.headers {
            Value::Null => None,
            Value::Object(members) => Some(members),
            _ => return Err(shape("headers must be an object of names and texts")),
        };
        let cancel = match head.cancel {
            Value::Null => false,
            Value::Bool(cancel) => cancel,
            _ => return Err(shape("cancel must be true or false")),
        };
        let body = match head.body {
            Form::Same => NewBody::Unchanged,
            Form::Json => NewBody::Json(body.to_owned()),
            Form::Text => NewBody::Text(body.to_owned()),
        };
        Ok(Self { cancel, url: text("url", head.url)?, method: text("method", head.method)?, headers, body })
    }
}

fn text(name: &str, value: Value) -> Result<Option<String>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(shape(&format!("{name} must be a text"))),
    }
}

fn shape(message: &str) -> Fault {
    Fault::new(FaultKind::Shape, message)
}
