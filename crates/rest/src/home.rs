//! The page at `/`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use blueprint::Blueprint;
use web::{Access, Api, Endpoint};

use web::html::escape;

/// `GET /`: what this is, and where its documentation is. Public.
pub fn home(blueprint: &Blueprint) -> Api {
    let title = escape(&blueprint.product.title);
    let page: Arc<str> = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
         <h1>{title}</h1><p>{}</p>\n\
         <p>This is an API. Its documentation is at <a href=\"/docs\">/docs</a>.</p></html>\n",
        escape(&blueprint.product.description)
    )
    .into();
    let endpoint = Endpoint::get("/", "home.get").summary("What this is.").needs(Access::Public).hidden();
    Api::new().route(endpoint, get, page)
}

async fn get(State(page): State<Arc<str>>) -> Html<String> {
    Html(page.to_string())
}
