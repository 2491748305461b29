//! From the arguments of a tool to the request that it stands for.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use kernel::{Error, FieldError, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::tools::{BODY, Tool};

/// What stands for itself in a path or a query (RFC 3986 §2.3). A dot does not: a segment of dots means another path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The caller's headers that belong to every request of theirs.
const CARRIED: [HeaderName; 5] = [
    header::AUTHORIZATION,
    HeaderName::from_static("dpop"),
    HeaderName::from_static("x-api-secret"),
    HeaderName::from_static("tradewind-tenant"),
    header::USER_AGENT,
];

/// The request that a tool makes of `arguments`, with the credential of `caller`.
///
/// Error: 422 `validation_failed`, at the argument.
pub(crate) fn request(tool: &Tool, arguments: &Map<String, Value>, caller: &HeaderMap) -> Result<Request<Body>> {
    check(tool, arguments)?;
    let mut uri = path(tool, arguments)?;
    let mut separator = '?';
    for name in &tool.query {
        for text in texts(name, arguments.get(name))? {
            uri.push(separator);
            uri.push_str(&format!("{}={}", utf8_percent_encode(name, ESCAPED), utf8_percent_encode(&text, ESCAPED)));
            separator = '&';
        }
    }
    let mut request = Request::builder().method(tool.endpoint.method.clone()).uri(uri);
    for name in &CARRIED {
        for value in caller.get_all(name) {
            request = request.header(name, value);
        }
    }
    for name in &tool.headers {
        for text in texts(name, arguments.get(name))? {
            let value = HeaderValue::from_str(&text).map_err(|_| fault(name, "has characters that a header cannot have"))?;
            request = request.header(name, value);
        }
    }
    let body = match arguments.get(BODY).filter(|_| tool.has_body) {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    request.body(body).map_err(|_| Error::field("", "make an address that is too long"))
}

/// Nothing that the tool does not have.
fn check(tool: &Tool, arguments: &Map<String, Value>) -> Result<()> {
    let known: Vec<&str> =
        [&tool.path, &tool.query, &tool.headers].into_iter().flatten().map(String::as_str).chain(tool.has_body.then_some(BODY)).collect();
    let unknown = arguments.keys().filter(|name| !known.contains(&name.as_str())).take(20);
    let faults: Vec<FieldError> = unknown
        .map(|name| FieldError { pointer: pointer(name), detail: format!("is no argument of this tool; there are {}", known.join(", ")) })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::invalid("validation_failed", "The arguments do not fit the tool; see errors.").with_fields(faults))
}

/// The endpoint's path with the arguments in the places of its parameters.
fn path(tool: &Tool, arguments: &Map<String, Value>) -> Result<String> {
    let mut names = tool.path.iter();
    let mut out = String::new();
    for segment in tool.endpoint.path.split('/').skip(1) {
        out.push('/');
        let Some(rest) = segment.strip_prefix('{') else {
            out.push_str(segment);
            continue;
        };
        let Some(name) = names.next() else { return Err(Error::internal("a path has more parameters than the document says")) };
        let text = texts(name, arguments.get(name))?.into_iter().next().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| fault(name, "is missing"))?;
        if rest.starts_with('*') {
            // Everything below: its slashes stay.
            let parts: Vec<String> = text.split('/').map(|part| utf8_percent_encode(part, ESCAPED).to_string()).collect();
            out.push_str(&parts.join("/"));
        } else {
            out.push_str(&utf8_percent_encode(&text, ESCAPED).to_string());
        }
    }
    Ok(out)
}

/// An argument as text: none if it is absent or null, several if it is a list.
fn texts(name: &str, value: Option<&Value>) -> Result<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        _ => Err(fault(name, "must be a text, a number or a truth value")),
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}

fn fault(name: &str, detail: &str) -> Error {
    Error::field(pointer(name), detail)
}

fn pointer(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use rmcp::model::Tool as Described;
    use serde_json::json;
    use web::Endpoint;

    use super::*;
    use crate::tools::Catalogue;

    fn update() -> Arc<Tool> {
        let endpoint = Endpoint::put("/api/v1/a/{id}/b/{key}", "a.update").query(&[("q", "")]).body_schema(json!({"type": "object"}));
        let endpoints = [Arc::new(endpoint)];
        let info = web::openapi::Info { title: String::new(), version: String::new(), description: String::new(), server: None };
        let document = web::openapi::document(&info, &endpoints, Map::new());
        let catalogue = Catalogue::new(&endpoints, &document);
        let _: &Described = &catalogue.all()[0].described;
        Arc::clone(catalogue.find("a_update").unwrap())
    }

    #[allow(clippy::needless_pass_by_value, reason = "callers write values, not references to them")]
    fn made(arguments: Value) -> Result<Request<Body>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        headers.insert(header::COOKIE, HeaderValue::from_static("session=1"));
        request(&update(), arguments.as_object().unwrap(), &headers)
    }

    #[test]
    fn arguments_become_a_request() {
        let arguments = json!({"id": "x", "key": 7, "q": ["a b", true, "&"], "Idempotency-Key": "k", "body": {"n": 1}});
        let request = made(arguments).unwrap();
        assert_eq!(request.uri(), "/api/v1/a/x/b/7?q=a%20b&q=true&q=%26");
        assert_eq!((request.method().as_str(), &request.headers()["idempotency-key"]), ("PUT", &HeaderValue::from_static("k")));
        assert_eq!(request.headers()["authorization"], "Bearer x");
        assert!(!request.headers().contains_key("cookie"), "a page's session is no credential of an agent");
    }

    #[test]
    fn a_name_cannot_become_another_path() {
        for (id, expected) in
            [("../../keys", "%2E%2E%2F%2E%2E%2Fkeys"), ("..", "%2E%2E"), ("a/b?c#d%", "a%2Fb%3Fc%23d%25"), ("ä\0", "%C3%A4%00")]
        {
            let request = made(json!({"id": id, "key": "k"})).unwrap();
            assert_eq!(request.uri().path(), format!("/api/v1/a/{expected}/b/k"));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (arguments, at) in [
            (json!({"key": "k"}), "/id"),
            (json!({"id": "", "key": "k"}), "/id"),
            (json!({"id": {"x": 1}, "key": "k"}), "/id"),
            (json!({"id": "x", "key": "k", "more": 1}), "/more"),
            (json!({"id": "x", "key": "k", "Idempotency-Key": "a\nb"}), "/Idempotency-Key"),
        ] {
            let error = made(arguments.clone()).unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", at), "{arguments}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_stays_in_its_place(id in ".{1,60}", q in ".{0,60}") {
            if let Ok(request) = made(json!({"id": id, "key": "k", "q": q})) {
                prop_assert_eq!(request.uri().path().split('/').count(), 7);
                let found = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).next().unwrap().1.into_owned();
                prop_assert_eq!(found, q);
            }
        }
    }
}
