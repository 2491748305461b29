//! One request, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

use crate::faults::Kind;

/// A request as a double sees it. Made by the server, or by hand to ask a double without a connection.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query as they were sent.
    pub target: String,
    /// The path's parts, decoded; empty ones are left out, so a slash at the end changes nothing.
    pub segments: Vec<String>,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Faults that hold for this call and that only the vendor can play: [`Kind::PartialBatch`], [`Kind::DuplicateRows`].
    pub faults: Vec<Kind>,
}

impl Call {
    /// A request without header fields and body.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        Self {
            method,
            target: target.to_owned(),
            segments: path.split('/').filter(|part| !part.is_empty()).map(decoded).collect(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            faults: Vec::new(),
        }
    }

    /// With a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        self.body = Bytes::from(body.to_string());
        self
    }

    /// With a header field. A value that no field may have is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    /// The path without the query, as it was sent.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Method and path parts, for a `match`.
    pub fn route(&self) -> (&str, Vec<&str>) {
        (self.method.as_str(), self.segments.iter().map(String::as_str).collect())
    }

    /// The first query parameter of that name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter as a number.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.param(name)?.parse().ok()
    }

    /// Whether a query parameter says `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A header field's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What follows `scheme` in `Authorization`.
    pub fn authorization(&self, scheme: &str) -> Option<&str> {
        let (said, token) = self.header("authorization")?.split_once(' ')?;
        said.eq_ignore_ascii_case(scheme).then(|| token.trim())
    }

    /// Name and password of `Authorization: Basic`.
    pub fn basic(&self) -> Option<(String, String)> {
        let decoded = STANDARD.decode(self.authorization("Basic")?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    }

    /// The body as JSON; `None` if it is none.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body's form fields, then the query's pairs.
    pub fn form(&self) -> Form {
        let mut pairs: Vec<_> = form_urlencoded::parse(&self.body).into_owned().collect();
        pairs.extend(self.query.iter().cloned());
        Form(pairs)
    }

    /// `http://` and the host that was asked for: doubles name their own addresses so, also behind a proxy.
    pub fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("double.invalid"))
    }

    /// Whether the `index`-th row of a batch is to fail, under [`Kind::PartialBatch`].
    pub fn spoils(&self, index: usize) -> bool {
        self.faults.iter().any(|kind| matches!(kind, Kind::PartialBatch { every } if (index as u64 + 1).is_multiple_of((*every).max(1))))
    }

    /// Whether pages are to overlap, under [`Kind::DuplicateRows`].
    pub fn repeats_rows(&self) -> bool {
        self.faults.contains(&Kind::DuplicateRows)
    }
}

/// Names and values of a form.
#[derive(Clone, Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of that name, if it is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The same, or nothing.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}
