//! The documentation: the OpenAPI and AsyncAPI documents, an interactive page that needs no network, and the list of error codes.

mod assets;
mod asyncapi;
mod codes;
mod document;
mod payloads;
mod webhooks;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use blueprint::Blueprint;
use http::{HeaderValue, header};
use web::{Access, Api, Endpoint};

pub use asyncapi::asyncapi;
pub use document::openapi;

/// What the documents say about this server.
#[derive(Clone, Debug)]
pub struct DocsConfig {
    /// Its address from outside, such as `https://api.example.com`.
    pub public_url: String,
    /// The program's version.
    pub version: String,
}

/// `/docs`, `/docs/openapi.json`, `/docs/asyncapi.json`, `/docs/errors`, and the same page and documents where the blueprint wants them too. All public. `endpoints` are
/// those of every feature; the document is made once, here.
pub fn docs(blueprint: &Blueprint, endpoints: &[Arc<Endpoint>], config: &DocsConfig) -> Api {
    let document = Fixed::new("application/json", openapi(blueprint, endpoints, config).to_string());
    let events = Fixed::new("application/json", asyncapi(blueprint, config).to_string());
    let page = Fixed::new("text/html; charset=utf-8", page(&blueprint.product.title));
    let codes = Fixed::new("text/html; charset=utf-8", codes::page());
    let places = std::iter::once("/docs").chain(blueprint.product.docs_paths.iter().map(String::as_str));
    let mut api = Api::new().route(public("/docs/errors", "docs.errors"), fixed, codes).route(
        public("/docs/ui/{file}", "docs.asset"),
        assets::get,
        (),
    );
    for (n, place) in places.enumerate() {
        let suffix = if n == 0 { String::new() } else { (n + 1).to_string() };
        let at = |path: &str, id: &str| public(&format!("{place}{path}"), &format!("docs.{id}{suffix}"));
        api = api
            .route(at("", "page"), fixed, page.clone())
            .route(at("/", "slash"), to_page, Arc::from(place))
            .route(at("/openapi.json", "openapi"), fixed, document.clone())
            .route(at("/asyncapi.json", "asyncapi"), fixed, events.clone());
    }
    api
}

fn public(path: &str, id: &str) -> Endpoint {
    Endpoint::get(path, id).summary("Documentation.").needs(Access::Public).hidden()
}

/// An answer that is always the same.
#[derive(Clone)]
struct Fixed {
    content_type: &'static str,
    body: Arc<str>,
}

impl Fixed {
    fn new(content_type: &'static str, body: String) -> Self {
        Self { content_type, body: body.into() }
    }
}

/// The page has one address; one with a slash too much leads to it.
async fn to_page(State(place): State<Arc<str>>) -> Redirect {
    Redirect::permanent(&place)
}

async fn fixed(State(answer): State<Fixed>) -> Response {
    served(answer.content_type, "no-cache", answer.body.as_bytes().to_vec())
}

/// What these pages may load: their own files, nothing from anywhere else. The interactive page sets styles on its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn served(content_type: &'static str, cache: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn page(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/ui/swagger-ui.css\">\n<link rel=\"stylesheet\" href=\"/docs/ui/index.css\">\n\
         <link rel=\"icon\" type=\"image/png\" href=\"/docs/ui/favicon-32x32.png\">\n</head>\n<body>\n<div id=\"swagger-ui\">\
         <noscript>This page needs JavaScript. The document itself is at <a href=\"/docs/openapi.json\">/docs/openapi.json</a>.</noscript>\
         </div>\n<script src=\"/docs/ui/swagger-ui-bundle.js\"></script>\n<script src=\"/docs/ui/swagger-ui-standalone-preset.js\"></script>\n\
         <script src=\"/docs/ui/swagger-initializer.js\"></script>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Text for HTML, in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
