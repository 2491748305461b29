//! What a request says beside its body.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use kernel::Error;
use serde_json::{Map, Value};
use web::Failure;

use crate::conditions::Conditions;
use crate::rest_endpoints::Stranger;

/// The names in the path, in order, and the query string.
pub(super) struct Asked {
    pub(super) names: Vec<(String, String)>,
    pub(super) query: String,
    /// The versions that the caller has seen.
    pub(super) conditions: Conditions,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let conditions = Conditions::from_request_parts(parts, state).await?;
        // What is no text cannot name anything.
        let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::not_found("thing"))?;
        let names: Vec<(String, String)> = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if names.iter().any(|(_, value)| value.contains('\0')) {
            return Err(Error::not_found("thing").into());
        }
        // A stranger's path begins with whom it is for, which is no part of what is asked.
        let names = if parts.extensions.get::<Stranger>().is_some() { names.into_iter().skip(1).collect() } else { names };
        Ok(Self { names, query: parts.uri.query().unwrap_or_default().to_owned(), conditions })
    }
}

impl Asked {
    /// The names as an object, for a template.
    pub(super) fn path(&self) -> Value {
        self.names.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
    }

    /// The query's parameters: the last of each name.
    pub(super) fn parameters(&self) -> Map<String, Value> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
    }

    pub(super) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", |(_, value)| value)
    }
}
