//! What is shown.

use dispatch::acceptances::Acceptance;
use dispatch::rollups::Rollup;
use kernel::{DestinationId, Timestamp};
use serde::{Deserialize, Serialize};

/// How deliveries fared between two times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// The webhook; null: all of the tenant's.
    pub webhook_id: Option<DestinationId>,
    /// Which signatures its receiver said that it verified (`webhook-signature-accepted`), over all time; empty for all webhooks together.
    pub accepted_signatures: Vec<AcceptedSignature>,
    /// From this time, a whole hour.
    pub from: Timestamp,
    /// Until before this time, a whole hour.
    pub to: Timestamp,
    /// Attempts that were made. Test deliveries are not counted.
    pub attempts: u64,
    /// Attempts that the receiver took.
    pub succeeded: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// `succeeded` of `attempts`, 0 to 1; null without attempts.
    pub attempt_success_rate: Option<f64>,
    /// Deliveries made in this time that failed for good (100000: or more).
    pub failed_deliveries: u64,
    /// Deliveries made in this time that were skipped (100000: or more): they count in no rate.
    pub skipped_deliveries: u64,
    /// Deliveries that arrived, of those that arrived or failed for good: 0 to 1; null without any.
    pub success_rate: Option<f64>,
    /// How long attempts took.
    pub latency_ms: Latency,
    /// When an attempt last arrived, in this time.
    pub last_success_at: Option<Timestamp>,
    /// When one last failed, in this time.
    pub last_failure_at: Option<Timestamp>,
    /// The hours in which attempts were made, the oldest first.
    pub by_hour: Vec<Hour>,
}

/// Durations in milliseconds, from a histogram: exact within the width of its buckets. Null without attempts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// The mean.
    pub average: Option<f64>,
    /// Half were not longer.
    pub p50: Option<u64>,
    /// 95 of 100 were not longer.
    pub p95: Option<u64>,
    /// 99 of 100 were not longer.
    pub p99: Option<u64>,
}

/// An hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hour {
    /// Its beginning.
    pub hour: Timestamp,
    /// Attempts that were made.
    pub attempts: u64,
    /// Attempts that the receiver took.
    pub succeeded: u64,
    /// How long they took.
    pub latency_ms: Latency,
}

impl Latency {
    pub(super) fn of(rollup: &Rollup) -> Self {
        let percentile = |percent| rollup.durations.percentile(percent);
        Self { average: share(rollup.duration_ms, rollup.attempts), p50: percentile(50), p95: percentile(95), p99: percentile(99) }
    }
}

impl Hour {
    pub(super) fn of((hour, rollup): &(Timestamp, Rollup)) -> Self {
        Self { hour: *hour, attempts: rollup.attempts, succeeded: rollup.succeeded, latency_ms: Latency::of(rollup) }
    }
}

/// `part` of `all`; none of nothing.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// A secret or key that a receiver verified with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedSignature {
    /// Its id, as the webhook's secrets list it.
    pub kid: String,
    /// How often.
    pub accepted_count: u64,
    /// When last.
    pub last_accepted_at: Timestamp,
}

impl From<Acceptance> for AcceptedSignature {
    fn from(said: Acceptance) -> Self {
        Self { kid: said.kid, accepted_count: said.accepted, last_accepted_at: said.last_accepted_at }
    }
}
