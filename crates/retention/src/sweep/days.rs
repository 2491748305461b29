//! Whole days of tables that are kept by day.

use kernel::{Result, Timestamp};

use super::{Swept, within};
use crate::{Lifetime, Retention, scope};

impl Retention {
    /// Drops the days that are over for every row in them.
    pub(super) async fn drop_days(&self, now: Timestamp, bound: Option<Timestamp>, swept: &mut Swept) -> Result<()> {
        let kept = &self.lifetimes;
        let tables: [(&'static str, Lifetime, bool); 8] = [
            ("events", kept.metadata, true),
            ("deliveries", kept.metadata, true),
            ("event_groups", kept.metadata, true),
            ("attempt_rollups", kept.metadata, false),
            ("attempts", kept.attempts, false),
            ("request_blocks", kept.request_logs, false),
            // What was logged before there were blocks.
            ("request_logs", kept.request_logs, false),
            ("usage_hours", kept.request_logs, false),
        ];
        for (table, lifetime, is_exported) in tables {
            let cutoff = within(lifetime.cutoff(now), bound.filter(|_| is_exported));
            let Some(cutoff) = cutoff else { continue };
            for day in self.store.partitions(table).await?.into_iter().filter(|day| day.to <= cutoff) {
                if !self.renew().await? {
                    return Ok(());
                }
                if table == "events" && self.is_pending(day.from, day.to).await? {
                    tracing::info!(?day, "this day's events stay: deliveries of them are pending");
                    swept.blocked += 1;
                    continue;
                }
                match self.store.drop_partition(&day).await {
                    Ok(()) => swept.days += 1,
                    Err(error) => {
                        tracing::warn!(?error, ?day, "this day could not be dropped; it is tried again");
                        swept.blocked += 1;
                    }
                }
            }
        }
        Ok(())
    }

    async fn is_pending(&self, from: Timestamp, to: Timestamp) -> Result<bool> {
        self.store.read(scope(), move |tx| dispatch::retention::is_pending_between(tx, from, to)).await
    }
}
