//! Counts of calls, and lines for billing. On PostgreSQL days of counts by hour are dropped; what is left goes in steps.

use kernel::{Result, Timestamp};
use store::{Store, Tx};
use usage::retention as counts;

use super::Swept;
use crate::{Retention, scope};

/// Rows in one step: they are found by their own index and are narrow.
const STEP: u32 = 500;

type Delete = fn(&mut Tx<'_>, Timestamp, u32) -> Result<u64>;

impl Retention {
    pub(super) async fn sweep_usage(&self, now: Timestamp, swept: &mut Swept) -> Result<()> {
        let (hours, days) = (self.lifetimes.request_logs.cutoff(now), self.lifetimes.usage.cutoff(now));
        let logs = self.store.logs();
        let kinds: [(Option<Timestamp>, Delete, &Store); 3] = [
            (self.by_rows(hours), counts::delete_old_hours, &logs),
            (days, counts::delete_old_days, &logs),
            (days, counts::delete_old_lines, &self.store),
        ];
        for (before, delete, store) in kinds {
            let Some(before) = before else { continue };
            loop {
                let some = store.write(scope(), move |tx| delete(tx, before, STEP)).await?;
                swept.usage += some;
                if some == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}
