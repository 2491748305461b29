//! The page at `/docs/graphql`: an editor, the schema to look through, a place for the key. It needs no network but the server itself, and
//! nothing of it is inline, so that its policy allows its own files only.

use std::sync::Arc;
use web::html::escape;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use blueprint::Blueprint;
use http::{HeaderValue, header};
use kernel::Error;
use web::{Access, Api, Endpoint, Path};

const PAGE: &str = include_str!("console.html");
const FILES: [(&str, &str, &str); 2] = [
    ("console.css", "text/css; charset=utf-8", include_str!("console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("console.js")),
];
/// What the page may load.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The page and its files, public as all documentation.
pub fn console(blueprint: &Blueprint) -> Api {
    let page: Arc<str> = PAGE.replace("{{title}}", &escape(&blueprint.product.title)).into();
    let public = |path: &str, id: &str| Endpoint::get(path, id).summary("GraphQL console.").needs(Access::Public).hidden();
    Api::new().route(public("/docs/graphql", "docs.graphql"), show, page).route(
        public("/docs/graphql/{file}", "docs.graphql_file"),
        file,
        (),
    )
}

async fn show(State(page): State<Arc<str>>) -> Response {
    served("text/html; charset=utf-8", "no-cache", page.as_bytes().to_vec())
}

async fn file(Path(name): Path<String>) -> web::Result<Response> {
    let (_, content_type, text) = FILES.iter().find(|(file, ..)| *file == name).ok_or_else(|| Error::not_found("file"))?;
    Ok(served(content_type, "public, max-age=3600", text.as_bytes().to_vec()))
}

fn served(content_type: &'static str, cache: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
