//! A quarantined call as a reader sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{CallId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Row;

/// A call that could not be verified.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedCall {
    /// Its id.
    pub id: CallId,
    /// Where it came in.
    pub source_id: SourceId,
    /// When.
    pub received_at: Timestamp,
    /// `no_secret`, `missing_signature`, `invalid_signature`, `invalid_timestamp`, `stale_timestamp` or `invalid_credential`.
    pub reason: String,
    /// The same in words.
    pub detail: String,
    /// Its method.
    pub method: String,
    /// Its query, values masked.
    pub query: Option<String>,
    /// Its headers; what may be a secret is masked.
    #[schema(value_type = Object)]
    pub headers: Value,
    /// How long its body was.
    pub body_bytes: u64,
    /// Whether less than that was kept.
    pub truncated: bool,
    /// Whether it can be released.
    pub releasable: bool,
    /// From which address.
    pub remote_address: Option<String>,
    /// Its body, when one call is asked for and it is text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<String>,
    /// Its body in base64, when it is no text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body_base64: Option<String>,
}

impl QuarantinedCall {
    /// Without the body.
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            id: row.id,
            source_id: row.source,
            received_at: row.received_at,
            reason: row.reason.as_str().to_owned(),
            detail: row.reason.text().to_owned(),
            method: row.method.clone(),
            query: row.query.clone(),
            headers: row.headers.clone(),
            body_bytes: row.body_bytes,
            truncated: !row.is_whole(),
            releasable: row.is_releasable(),
            remote_address: row.remote.clone(),
            body: None,
            body_base64: None,
        }
    }

    /// With the body.
    pub(crate) fn whole(row: Row) -> Self {
        let view = Self::of(&row);
        match String::from_utf8(row.body) {
            Ok(text) => Self { body: Some(text), ..view },
            Err(error) => Self { body_base64: Some(STANDARD.encode(error.as_bytes())), ..view },
        }
    }
}
