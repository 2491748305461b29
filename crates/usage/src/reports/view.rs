//! How usage is shown. Durations are in milliseconds, with microseconds behind the point.

use kernel::{ClientId, KeyId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rollups::{Counted, Grain};

/// How calls went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageReport {
    /// From the hour that begins here.
    pub from: Timestamp,
    /// Until before this.
    pub to: Timestamp,
    /// How `requestsByTime` is divided.
    pub group_by: Grain,
    /// Calls.
    pub total_requests: u64,
    /// Those that were answered with a status below 400.
    pub successful_requests: u64,
    /// The others.
    pub failed_requests: u64,
    /// Successful ones among all, 0 to 1; null without calls.
    pub success_rate: Option<f64>,
    /// How long a call took, in milliseconds; null without calls.
    pub average_response_time: Option<f64>,
    /// Half of them took no longer.
    pub p50_response_time: Option<f64>,
    /// 95 of 100 took no longer.
    pub p95_response_time: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_response_time: Option<f64>,
    /// The slowest.
    pub slowest_response_time: Option<f64>,
    /// What the calls cost in limits.
    pub units: u64,
    /// Bytes that came.
    pub request_bytes: u64,
    /// Bytes that were answered.
    pub response_bytes: u64,
    /// By endpoint and method, the busiest first; at most 200.
    pub requests_by_endpoint: Vec<ByEndpoint>,
    /// By hour or day, the oldest first; times without calls are there, with zeros.
    pub requests_by_time: Vec<ByTime>,
    /// By class of status.
    pub requests_by_status: StatusClasses,
    /// What failed most, at most 20.
    pub top_error_codes: Vec<ErrorCount>,
    /// By the tenant's clients or the client's keys, the busiest first; at most 200. Empty for a key.
    pub requests_by_child: Vec<ByChild>,
}

/// Calls of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ByEndpoint {
    /// The route's template.
    pub endpoint: String,
    /// The method.
    pub method: String,
    /// Calls.
    pub count: u64,
    /// Those that were answered with a status below 400.
    pub success_count: u64,
    /// The others.
    pub error_count: u64,
    /// In milliseconds.
    pub avg_response_time: f64,
    /// In milliseconds.
    pub p50_response_time: f64,
    /// In milliseconds.
    pub p95_response_time: f64,
    /// In milliseconds.
    pub p99_response_time: f64,
}

/// Calls of an hour or a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ByTime {
    /// Its first moment.
    pub time: Timestamp,
    /// Calls.
    pub count: u64,
    /// Those that were answered with a status of 400 or more.
    pub error_count: u64,
    /// In milliseconds; null without calls.
    pub avg_response_time: Option<f64>,
    /// In milliseconds; null without calls.
    pub p95_response_time: Option<f64>,
}

/// Calls by class of status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatusClasses {
    /// 100 to 199.
    #[serde(rename = "1xx")]
    pub informational: u64,
    /// 200 to 299.
    #[serde(rename = "2xx")]
    pub success: u64,
    /// 300 to 399.
    #[serde(rename = "3xx")]
    pub redirection: u64,
    /// 400 to 499.
    #[serde(rename = "4xx")]
    pub client_error: u64,
    /// 500 to 599.
    #[serde(rename = "5xx")]
    pub server_error: u64,
}

impl StatusClasses {
    pub(super) fn add(&mut self, status: u16, count: u64) {
        *match status / 100 {
            1 => &mut self.informational,
            2 => &mut self.success,
            3 => &mut self.redirection,
            4 => &mut self.client_error,
            _ => &mut self.server_error,
        } += count;
    }
}

/// Calls that failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorCount {
    /// The status.
    pub status_code: u16,
    /// The error's code, where we made the answer.
    pub error_code: Option<String>,
    /// Calls.
    pub count: u64,
}

/// Calls of a client or a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ByChild {
    /// The client, of a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The key, of a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<KeyId>,
    /// Calls.
    pub count: u64,
    /// Those that were answered with a status of 400 or more.
    pub error_count: u64,
    /// In milliseconds.
    pub avg_response_time: f64,
    /// In milliseconds.
    pub p95_response_time: f64,
}

#[allow(clippy::cast_precision_loss, reason = "microseconds and counts are far below 2^52")]
pub(super) fn average(counted: &Counted) -> Option<f64> {
    (counted.requests > 0).then(|| (counted.duration_us as f64 / counted.requests as f64).round() / 1000.0)
}

#[allow(clippy::cast_precision_loss, reason = "microseconds are far below 2^52")]
pub(super) fn percentile(counted: &Counted, percent: u64) -> Option<f64> {
    counted.durations.percentile(percent).map(|us| us as f64 / 1000.0)
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}
