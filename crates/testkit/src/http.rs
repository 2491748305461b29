//! A small HTTP/1.1 client for tests: JSON in, JSON out, no redirects, no proxies.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// After this a request has failed: no test may hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Speaks to one server. Cheap to clone; clones share connections. Use it within one runtime.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    headers: HeaderMap,
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// For paths under `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>) -> Self {
        let inner = legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), headers: HeaderMap::new(), inner }
    }

    /// The same, sending `Authorization: Bearer <key>`.
    #[must_use]
    pub fn bearer(&self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// The same, sending this header with every request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.insert(header_name(name), header_value(value));
        Self { headers, ..self.clone() }
    }

    /// The same credentials, without this header.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.remove(header_name(name));
        Self { headers, ..self.clone() }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PUT, path).json(body).send().await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.request(Method::PATCH, path).json(body).send().await
    }

    /// Any request. `path` begins with `/`.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.base);
        Request { client: self.inner.clone(), method, url, headers: self.headers.clone(), body: Bytes::new() }
    }
}

/// A request under construction.
#[derive(Debug)]
pub struct Request {
    client: legacy::Client<HttpConnector, Full<Bytes>>,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(header_name(name), header_value(value));
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Any body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it. Panics if no whole answer arrives.
    pub async fn send(self) -> Response {
        let what = format!("{} {}", self.method, self.url);
        self.try_send().await.unwrap_or_else(|why| panic!("{what}: {why}"))
    }

    /// Sends it; the error says why no whole answer arrived (a server that was just killed).
    pub async fn try_send(self) -> Result<Response, String> {
        let mut request = http::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.url.parse().map_err(|e| format!("{}: {e}", self.url))?;
        *request.headers_mut() = self.headers;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|e| chain(&e))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|e| chain(&e))?.to_bytes();
            Ok(Response { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(LIMIT, exchange).await.unwrap_or_else(|_| Err(format!("no answer within {LIMIT:?}")))
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub body: Bytes,
}

impl Response {
    /// The header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON. Panics if it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Panics, showing the body, unless the status is this one.
    #[track_caller]
    #[must_use = "or call assert_status"]
    pub fn expect(self, status: u16) -> Self {
        self.assert_status(status);
        self
    }

    /// Panics, showing the body, unless the status is this one.
    #[track_caller]
    pub fn assert_status(&self, status: u16) {
        assert!(self.status.as_u16() == status, "expected {status}, got {}: {}", self.status, self.text());
    }

    /// Panics unless this is a problem (RFC 9457) with that status and code.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        self.assert_status(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        assert_eq!(self.json()["code"], code, "{}", self.text());
    }
}

fn header_name(name: &str) -> HeaderName {
    name.parse().unwrap_or_else(|e| panic!("{name:?}: {e}"))
}

fn header_value(value: &str) -> HeaderValue {
    value.parse().unwrap_or_else(|e| panic!("{value:?}: {e}"))
}

/// The error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
