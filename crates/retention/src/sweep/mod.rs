//! One look at everything that may be old.

mod days;
mod logs;
mod tenants;
mod usage;

use kernel::{Result, Timestamp};
use serde::Serialize;

use crate::{Retention, lease, scope};

const LEASE: store::Lease = lease("retention.sweep");

/// Rows in one step.
const STEP: u32 = 100;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Payloads erased.
    pub payloads: u64,
    /// Deliveries and attempts whose answers were erased.
    pub answers: u64,
    /// Attempts deleted.
    pub attempts: u64,
    /// Events deleted.
    pub events: u64,
    /// Finished deliveries deleted.
    pub deliveries: u64,
    /// Rows of the request log deleted.
    pub request_logs: u64,
    /// Rows of counts and lines for billing deleted.
    pub usage: u64,
    /// Whole days dropped.
    pub days: u64,
    /// Days that are over and could not go: something in them is pending, they are in use, or they could not be exported.
    pub blocked: u64,
}

impl Retention {
    /// Lets go of everything that is older than its lifetime. Does nothing while another server is at it.
    pub async fn sweep(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        if !self.renew().await? {
            return Ok(swept);
        }
        let now = self.ambient.now();
        let bound = self.export_due(now, &mut swept).await?;
        self.drop_days(now, bound, &mut swept).await?;
        self.sweep_tenants(now, bound, &mut swept).await?;
        self.sweep_logs(now, &mut swept).await?;
        self.sweep_usage(now, &mut swept).await?;
        measure(&swept);
        if swept != Swept::default() {
            tracing::info!(?swept, "let go of old data");
        }
        Ok(swept)
    }

    /// Says that this server is still at it; false: another one is.
    async fn renew(&self) -> Result<bool> {
        let holder = self.dispatch.node().id;
        self.store.write(scope(), move |tx| LEASE.take(tx, holder)).await
    }
}

/// Nothing that was made at `bound` or later goes, for it has not been exported.
fn within(cutoff: Option<Timestamp>, bound: Option<Timestamp>) -> Option<Timestamp> {
    let cutoff = cutoff?;
    Some(bound.map_or(cutoff, |bound| cutoff.min(bound)))
}

fn measure(swept: &Swept) {
    let rows = [
        ("payloads", swept.payloads),
        ("answers", swept.answers),
        ("attempts", swept.attempts),
        ("events", swept.events),
        ("deliveries", swept.deliveries),
        ("request_logs", swept.request_logs),
        ("usage", swept.usage),
    ];
    for (what, count) in rows {
        metrics::counter!("tradewind_retention_rows_total", "what" => what).increment(count);
    }
    metrics::counter!("tradewind_retention_days_dropped_total").increment(swept.days);
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; there are few days")]
    metrics::gauge!("tradewind_retention_days_blocked").set(swept.blocked as f64);
}
