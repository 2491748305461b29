//! Around every page's handler: who is asking is found out before it, its errors become pages after it, and every answer gets its headers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header;
use kernel::{Error, Kind};
use web::{ErrorCode, Failure};

use super::{BROWSER, Shared, View, cookies, headers};
use crate::Portal;
use crate::pages::fault;

/// See the module.
pub(crate) async fn dress(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let view = match View::of(&portal, &mut parts).await {
        Ok(view) => Arc::new(view),
        Err(error) => return Failure(error).into_response(),
    };
    parts.extensions.insert(Shared(Arc::clone(&view)));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(error) = response.extensions_mut().remove::<Arc<Error>>() {
        response = explain(&view, &error);
    }
    if view.is_new_browser && !response.status().is_redirection() {
        let name = cookies::host_name(BROWSER, portal.is_https());
        response.headers_mut().append(header::SET_COOKIE, cookies::set(&name, &view.browser, None, portal.is_https()));
    }
    headers::add(&mut response, portal.is_https());
    response
}

/// The page for an error that no form could show. What it was goes to the log, if it is our fault.
fn explain(view: &View, error: &Error) -> Response {
    if error.kind() == Kind::Internal {
        tracing::error!(request = %view.info.id, error = ?error, "a page failed");
    }
    let mut response = fault::page(view, error);
    response.extensions_mut().insert(ErrorCode(error.code()));
    response
}
