//! The pages' own files: style, scripts, icon. Their addresses change with their content, so browsers may keep them for ever.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::Error;
use web::{Path, Result};

const FILES: [(&str, &str, &str); 4] = [
    ("portal.css", "text/css; charset=utf-8", include_str!("../assets/portal.css")),
    ("portal.js", "text/javascript; charset=utf-8", include_str!("../assets/portal.js")),
    ("passkeys.js", "text/javascript; charset=utf-8", include_str!("../assets/passkeys.js")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

static VERSIONS: LazyLock<[String; 4]> = LazyLock::new(|| {
    FILES.map(|(_, _, body)| {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    })
});

/// Where a file is: `/portal/files/portal.css?v=<version>`.
pub(crate) fn address(name: &str) -> String {
    let at = FILES.iter().position(|(known, ..)| *known == name);
    at.map_or_else(|| format!("/portal/files/{name}"), |at| format!("/portal/files/{name}?v={}", VERSIONS[at]))
}

/// `GET /portal/files/{file}`.
pub(crate) async fn get(Path(name): Path<String>, RawQuery(query): RawQuery, asked: HeaderMap) -> Result<Response> {
    let at = FILES.iter().position(|(file, ..)| *file == name).ok_or_else(|| Error::not_found("file"))?;
    let ((_, media, body), version) = (FILES[at], &VERSIONS[at]);
    let tag = format!("\"{version}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|known| known.contains(&tag));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let is_exact = query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(version.as_str());
    let keep = if is_exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes"));
    Ok(response)
}
