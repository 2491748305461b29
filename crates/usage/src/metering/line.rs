//! A line.

use kernel::{ClientId, KeyId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Row;

/// Whether a line is the first of its hour and meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// It is.
    Count,
    /// It tells what came after the first one; to be added to it.
    Correction,
}

impl LineKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Correction => "correction",
        }
    }
}

/// What one key (or client, or service keys) used of one endpoint in one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its number; numbers only grow.
    pub sequence: i64,
    /// Whether it is the first.
    pub kind: LineKind,
    /// Whose.
    pub tenant_id: TenantId,
    /// The first moment of the hour.
    pub hour: Timestamp,
    /// The client; none for calls of service keys.
    pub client_id: Option<ClientId>,
    /// The key, if one was used.
    pub api_key_id: Option<KeyId>,
    /// The method.
    pub method: String,
    /// The endpoint's template.
    pub endpoint: String,
    /// Calls.
    pub requests: u64,
    /// Those with a status below 400.
    pub successful_requests: u64,
    /// What they cost.
    pub units: u64,
    /// Bytes that came.
    pub request_bytes: u64,
    /// Bytes that were answered.
    pub response_bytes: u64,
}

pub(super) const COLUMNS: &str = "sequence, tenant_id, kind, hour, client_id, key_id, method, endpoint, requests, succeeded, units, \
                                  request_bytes, response_bytes";

pub(super) fn read(row: &Row<'_>) -> Result<Line> {
    let (client, key) = (row.get::<String>(4)?, row.get::<String>(5)?);
    Ok(Line {
        sequence: row.get(0)?,
        tenant_id: row.get(1)?,
        kind: if row.get::<String>(2)? == "correction" { LineKind::Correction } else { LineKind::Count },
        hour: row.get(3)?,
        client_id: if client.is_empty() { None } else { Some(client.parse()?) },
        api_key_id: if key.is_empty() { None } else { Some(key.parse()?) },
        method: row.get(6)?,
        endpoint: row.get(7)?,
        requests: row.get(8)?,
        successful_requests: row.get(9)?,
        units: row.get(10)?,
        request_bytes: row.get(11)?,
        response_bytes: row.get(12)?,
    })
}
