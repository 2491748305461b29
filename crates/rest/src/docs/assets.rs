//! The files of the interactive page. They come inside a crate and are part of the binary.

use std::sync::{Arc, LazyLock};

use axum::response::Response;
use http::{HeaderValue, header};
use kernel::Error;
use utoipa_swagger_ui::Config;
use web::{Path, Result};

use super::served;

/// What the page loads, and its types.
const FILES: &[(&str, &str)] = &[
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8"),
    ("swagger-initializer.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// No validator badge: it would ask another host. No layout with an address bar: there is one document.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/docs/openapi.json").validator_url("none").use_base_layout().deep_linking(true);
    Arc::new(config.display_operation_id(false).try_it_out_enabled(false).persist_authorization(false))
});

pub(super) async fn get(Path(name): Path<String>) -> Result<Response> {
    let missing = || Error::not_found("file");
    let (name, content_type) = FILES.iter().find(|(file, _)| *file == name).ok_or_else(missing)?;
    let file =
        utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)).map_err(|error| Error::internal(error.to_string()))?.ok_or_else(missing)?;
    let mut response = served(content_type, "public, max-age=3600", file.bytes.into_owned());
    if file.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
