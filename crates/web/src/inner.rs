//! Routes that other routes of the same server ask: a declared endpoint that serves an operation of the native API under names of its own.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, header};
use kernel::{Caller, Error, Result};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::api::Api;
use crate::endpoint::Endpoint;

/// A route that is asked without the guard around it: whoever asks has let the caller in. The operation behind it obtains its authority from
/// the caller, as always.
#[derive(Clone)]
pub struct Inner {
    endpoint: Arc<Endpoint>,
    router: Router,
}

impl Api {
    /// The route with this operation id, to be asked by another.
    pub fn inner(&self, id: &str) -> Option<Inner> {
        let (endpoint, route) = self.find(id)?;
        let router = Router::new().route(&endpoint.path, route.clone());
        Some(Inner { endpoint: Arc::clone(endpoint), router })
    }
}

impl Inner {
    /// What is known about it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks it. `names` stand for its path's parameters, in order; `query` is a query string.
    ///
    /// Errors: those of its operation.
    pub async fn ask(&self, caller: Caller, names: &[&str], query: &str, body: Option<&Value>) -> Result<Response> {
        let mut uri = filled(&self.endpoint.path, names);
        if !query.is_empty() {
            uri.push('?');
            uri.push_str(query);
        }
        let mut request = Request::builder().method(self.endpoint.method.clone()).uri(uri).extension(caller);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).map_err(Error::internal)?;
        let Ok(mut response) = self.router.clone().oneshot(request).await;
        match response.extensions_mut().remove::<Arc<Error>>().map(Arc::try_unwrap) {
            None => Ok(response),
            Some(Ok(error)) => Err(error),
            Some(Err(_)) => Err(Error::internal("somebody holds on to the error of a route")),
        }
    }
}

/// The path with `names` in the places of its parameters, escaped (RFC 3986 §2.1): a name cannot become another path.
fn filled(path: &str, names: &[&str]) -> String {
    let mut names = names.iter();
    let part = |part: &str| {
        if part.starts_with('{') { names.next().map_or_else(|| part.to_owned(), |name| escaped(name)) } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn escaped(name: &str) -> String {
    // A segment of dots only would be taken away by whoever tidies the path.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~') || b == b'.' && name.bytes().any(|b| b != b'.');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use axum::extract::State;
    use kernel::TenantId;
    use serde_json::json;

    use super::*;
    use crate::{Auth, Json, Path2, Query};

    async fn echo(
        State(mark): State<&'static str>,
        Auth(caller): Auth,
        Path2(a, b): Path2<String, String>,
        Query(query): Query<std::collections::BTreeMap<String, String>>,
        Json(body): Json<Value>,
    ) -> crate::Result<Json<Value>> {
        if b == "nobody" {
            return Err(Error::not_found("somebody").into());
        }
        Ok(Json(json!({"mark": mark, "tenant": caller.tenant().is_some(), "a": a, "b": b, "query": query, "body": body})))
    }

    async fn asked(names: &[&str]) -> Result<Value> {
        use http_body_util::BodyExt as _;
        let api = Api::new().route(Endpoint::post("/x/{a}/y/{b}", "x.y"), echo, "here");
        let tenant: TenantId = kernel::Ambient::system().id();
        let response = api.inner("x.y").unwrap().ask(Caller::system("test", Some(tenant)), names, "p=1", Some(&json!({"n": 1}))).await?;
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_route_is_asked_by_its_id_and_names_stay_names() {
        for (a, b) in [("one", "two"), ("a/b?c#d", ".."), ("%2F", "ä ö")] {
            let answer = asked(&[a, b]).await.unwrap();
            let expected = json!({"mark": "here", "tenant": true, "a": a, "b": b, "query": {"p": "1"}, "body": {"n": 1}});
            assert_eq!(answer, expected);
        }
        assert_eq!(asked(&["x", "nobody"]).await.unwrap_err().code(), "not_found");
        assert!(Api::new().inner("x.y").is_none());
    }
}
