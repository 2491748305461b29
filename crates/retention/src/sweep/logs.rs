//! The logs, which are nobody's but the installation's to keep: attempts by their age, request logs by tenant.

use std::collections::HashMap;
use std::time::Duration;

use kernel::{Result, TenantId, Timestamp};
use store::Engine;

use super::{STEP, Swept};
use crate::{Lifetimes, Retention, scope};

/// On PostgreSQL days are dropped. Rows that are left behind this long after, in no day's partition or in one that could not go, are deleted.
const GRACE: Duration = Duration::from_hours(48);

impl Retention {
    /// From when on rows are deleted one by one that belong to everybody's lifetime.
    pub(super) fn by_rows(&self, cutoff: Option<Timestamp>) -> Option<Timestamp> {
        cutoff.map(|cutoff| if self.store.engine() == Engine::Postgres { cutoff.minus(GRACE) } else { cutoff })
    }

    /// The same for tables whose days are dropped on both engines: what is left of them then is in no day's table.
    fn beyond_days(&self, cutoff: Option<Timestamp>) -> Option<Timestamp> {
        let whole = |at: Timestamp| Timestamp::from_millis(at.millis() - at.millis().rem_euclid(86_400_000));
        self.by_rows(cutoff).map(whole)
    }

    pub(super) async fn sweep_logs(&self, now: Timestamp, swept: &mut Swept) -> Result<()> {
        let logs = self.store.logs();
        if let Some(before) = self.by_rows(self.lifetimes.attempts.cutoff(now)) {
            loop {
                let some = logs.write(scope(), move |tx| dispatch::retention::delete_old_attempts(tx, before, STEP)).await?;
                swept.attempts += some;
                if some == 0 {
                    break;
                }
            }
        }
        let shorter = self.shorter().await?;
        let mut after: Option<String> = None;
        loop {
            let last = after.clone();
            let next = logs.read(scope(), move |tx| usage::retention::next_tenant(tx, last.as_deref())).await?;
            let Some(tenant) = next else { return Ok(()) };
            let usual = self.beyond_days(self.lifetimes.request_logs.cutoff(now));
            let own = tenant.parse::<TenantId>().ok().and_then(|id| shorter.get(&id)?.request_logs.cutoff(now));
            if let Some(before) = own.max(usual) {
                swept.request_logs += self.forget_requests(&tenant, before).await?;
            }
            after = Some(tenant);
        }
    }

    async fn forget_requests(&self, tenant: &str, before: Timestamp) -> Result<u64> {
        let mut count = 0;
        loop {
            let tenant = tenant.to_owned();
            let delete = move |tx: &mut store::Tx<'_>| usage::retention::delete_old(tx, &tenant, before, STEP);
            let some = self.store.logs().write(scope(), delete).await?;
            count += some;
            if some == 0 {
                return Ok(count);
            }
        }
    }

    /// The lifetimes of those tenants that have shorter ones.
    async fn shorter(&self) -> Result<HashMap<TenantId, Lifetimes>> {
        let mut found = HashMap::new();
        let mut after = String::new();
        loop {
            let last = after.clone();
            let some = self.store.read(scope(), move |tx| access::tenants::after(tx, &last, STEP)).await?;
            let Some((last, _)) = some.last() else { return Ok(found) };
            after = last.to_string();
            let own = some.into_iter().map(|(tenant, settings)| (tenant, self.lifetimes.of_tenant(&settings)));
            found.extend(own.filter(|(_, own)| *own != self.lifetimes));
        }
    }
}
