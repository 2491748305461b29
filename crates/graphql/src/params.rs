//! What is asked: the parameters of GraphQL over HTTP, in a body or in a query string.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::failure::Failure;

/// Parameters of one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Params {
    /// The document; it may be absent where its hash is given.
    pub(crate) query: Option<String>,
    /// Which operation of the document.
    pub(crate) operation: Option<String>,
    /// Values of variables.
    pub(crate) variables: Map<String, Value>,
    /// What else clients say.
    pub(crate) extensions: Map<String, Value>,
}

impl Params {
    /// From a body, or a message of a WebSocket.
    ///
    /// Error: `graphql_request_invalid`.
    pub(crate) fn of_json(value: Value) -> Result<Self, Failure> {
        let Value::Object(mut members) = value else { return Err(invalid("The body must be an object with the member query.")) };
        let mut text = |name: &str| match members.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} must be a text."))),
        };
        let (query, operation) = (text("query")?, text("operationName")?);
        let mut map = |name: &str| match members.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(invalid(format!("{name} must be an object."))),
        };
        let params = Self { query, operation, variables: map("variables")?, extensions: map("extensions")? };
        params.complete()
    }

    /// From a query string.
    ///
    /// Error: `graphql_request_invalid`.
    pub(crate) fn of_query(query: &str) -> Result<Self, Failure> {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let map = || match serde_json::from_str(&value) {
                Ok(Value::Object(map)) => Ok(map),
                Ok(Value::Null) => Ok(Map::new()),
                _ if value.is_empty() => Ok(Map::new()),
                _ => Err(invalid(format!("{name} must be a JSON object."))),
            };
            match name.as_ref() {
                "query" => params.query = Some(value.clone().into_owned()),
                "operationName" if !value.is_empty() => params.operation = Some(value.clone().into_owned()),
                "variables" => params.variables = map()?,
                "extensions" => params.extensions = map()?,
                _ => {}
            }
        }
        params.complete()
    }

    fn complete(self) -> Result<Self, Failure> {
        let is_empty = self.query.as_ref().is_none_or(|query| query.trim().is_empty());
        if is_empty && !self.extensions.contains_key("persistedQuery") {
            return Err(invalid("Send the document as query."));
        }
        Ok(self)
    }
}

fn invalid(detail: impl Into<String>) -> Failure {
    Failure::new("graphql_request_invalid", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn both_forms_say_the_same() {
        let body = Params::of_json(json!({"query": "{a}", "variables": {"b": 1}, "operationName": null})).unwrap();
        let query = Params::of_query("query=%7Ba%7D&variables=%7B%22b%22%3A1%7D").unwrap();
        assert_eq!(body, query);
    }

    #[test]
    fn wrong_kinds_are_named() {
        for body in [
            json!([]),
            json!({}),
            json!({"query": 1}),
            json!({"query": "{a}", "variables": []}),
            json!({"query": "{a}", "operationName": {}}),
        ] {
            assert_eq!(Params::of_json(body.clone()).unwrap_err().code(), "graphql_request_invalid", "{body}");
        }
        assert!(Params::of_query("query={a}&variables=[1]").is_err());
        assert!(Params::of_query("").is_err());
    }

    proptest! {
        #[test]
        fn any_query_string_ends_in_an_answer(text in ".{0,200}") {
            let _ = Params::of_query(&text);
        }
    }
}
