//! What the person's browser gets at the end: a redirect, or a small page.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use web::html::escape;

/// How it ended, for the person.
pub(crate) struct Ending {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) text: String,
}

impl Ending {
    /// A page without anything from elsewhere.
    pub(crate) fn page(&self) -> Response {
        let (title, text) = (escape(self.title), escape(&self.text));
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}</style></head>\
             <body><h1>{title}</h1><p>{text}</p></body></html>\n"
        );
        guarded((self.status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], body).into_response())
    }
}

/// 303 to an address that was judged.
pub(crate) fn redirect(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(location) => guarded((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Codes and states stand in addresses here: nothing of them is kept, and nobody is told where the person came from.
fn guarded(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let fields: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
