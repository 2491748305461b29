//! `integrations.health`: how the calls of a day went.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, Error, IntegrationId, Permission, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Status, get_row};
use crate::Integrations;
use crate::journal::sql;

/// The longest look back, in hours: as long as counts are kept.
const MOST_HOURS: u32 = 720;

/// How an integration is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationHealth)]
pub struct Health {
    /// How it is.
    pub status: Status,
    /// Why, where it is not connected.
    pub status_reason: Option<String>,
    /// Since when the numbers count, to the hour.
    pub since: Timestamp,
    /// Calls to the vendor.
    pub calls: u64,
    /// Those without a good answer.
    pub failures: u64,
    /// Those that the vendor refused for coming too often.
    pub rate_limited: u64,
    /// Failures per call, 0 to 1.
    pub error_rate: f64,
    /// How long answers took, of the last 1000 calls at the most.
    pub latency: Latency,
    /// When a call last went well.
    pub last_success_at: Option<Timestamp>,
    /// When a call last failed.
    pub last_failure_at: Option<Timestamp>,
    /// When a sync last ended well.
    pub last_sync_at: Option<Timestamp>,
}

/// Percentiles in ms; null: there were no answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationLatency)]
pub struct Latency {
    /// Answers that are counted.
    pub answers: u64,
    /// The median.
    pub p50_ms: Option<u64>,
    /// 95 of 100 were as fast.
    pub p95_ms: Option<u64>,
    /// 99 of 100 were as fast.
    pub p99_ms: Option<u64>,
}

impl Latency {
    /// `sorted`: the shortest first.
    fn of(sorted: &[u64]) -> Self {
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Self { answers: u64::try_from(sorted.len()).unwrap_or(u64::MAX), p50_ms: at(50), p95_ms: at(95), p99_ms: at(99) }
    }
}

/// How far to look back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Span {
    hours: Option<u32>,
}

impl Integrations {
    /// How an integration is. `hours`: 1 to 720.
    ///
    /// Errors: 404; 422 `validation_failed`.
    pub async fn health(self: &Arc<Self>, caller: &Caller, id: IntegrationId, hours: u32) -> Result<Health> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        if !(1..=MOST_HOURS).contains(&hours) {
            return Err(Error::field("/hours", format!("must be 1 to {MOST_HOURS}")));
        }
        let tenant = scope.tenant();
        self.journal.flush().await;
        self.parts
            .store
            .read(scope, move |tx| {
                let row = get_row(tx, tenant, id)?;
                let since = tx.now().minus(Duration::from_secs(u64::from(hours) * 3600));
                let sums = sql::sums(tx, tenant, id, since)?;
                let latency = Latency::of(&sql::durations(tx, tenant, id, since)?);
                let (last_success_at, last_failure_at) = sql::last(tx, tenant, id)?;
                #[expect(clippy::cast_precision_loss, reason = "a rate")]
                let error_rate = if sums.calls == 0 { 0.0 } else { sums.failures as f64 / sums.calls as f64 };
                Ok(Health {
                    status: row.status,
                    status_reason: row.status_reason,
                    since,
                    calls: sums.calls,
                    failures: sums.failures,
                    rate_limited: sums.limited,
                    error_rate,
                    latency,
                    last_success_at,
                    last_failure_at,
                    last_sync_at: row.last_sync_at,
                })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
    web::Query(span): web::Query<Span>,
) -> web::Result<web::Json<Health>> {
    Ok(web::Json(integrations.health(&caller, id, span.hours.unwrap_or(24)).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        let hundred: Vec<u64> = (1..=100).collect();
        let latency = Latency::of(&hundred);
        assert_eq!((latency.p50_ms, latency.p95_ms, latency.p99_ms), (Some(50), Some(95), Some(99)));
        assert_eq!(Latency::of(&[7]).p99_ms, Some(7));
        assert_eq!(Latency::of(&[]), Latency::default());
    }
}
