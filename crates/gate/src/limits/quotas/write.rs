//! Between the book and the database.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, Scope, Timestamp};
use store::Store;

use super::{Book, Period, Quota, sql};

/// Rows in one function.
const PER_WRITE: usize = 200;
/// How long a period's row is kept after its beginning.
const KEPT_FOR: Duration = Duration::from_hours(400 * 24);

impl Book {
    /// Reads what was used of `quota` in `period`, before the first request of this node is counted.
    pub(crate) async fn load(&self, store: &Store, quota: &Quota, period: Period, now: Timestamp) -> Result<()> {
        let (tenant, subject) = (quota.tenant, Arc::clone(&quota.subject));
        let used = store.read(Scope::system("quotas"), move |tx| sql::used(tx, tenant, &subject, period.start)).await?;
        self.learn(quota, period, used, now);
        Ok(())
    }

    /// What all nodes have used of `quota` in the period of `now`, up to the last second of the others, and that period.
    pub(crate) async fn used(&self, store: &Store, quota: &Quota, now: Timestamp) -> Result<(u64, Period)> {
        self.flush(store).await?;
        let (tenant, subject, period) = (quota.tenant, Arc::clone(&quota.subject), Period::at(now, quota.refill_day));
        let used = store.read(Scope::system("quotas"), move |tx| sql::used(tx, tenant, &subject, period.start)).await?;
        Ok((used, period))
    }

    /// Writes what was counted since the last time. On an error it is kept for the next time.
    pub(crate) async fn flush(&self, store: &Store) -> Result<()> {
        let _one_at_a_time = self.writing.lock().await;
        let lines = self.to_write();
        let mut outcome = Ok(());
        for part in lines.chunks(PER_WRITE) {
            let group = part.to_vec();
            let written = store
                .write(Scope::system("quotas"), move |tx| group.iter().map(|line| sql::add(tx, line)).collect::<Result<Vec<u64>>>())
                .await;
            match written {
                Ok(totals) => part.iter().zip(totals).for_each(|(line, stored)| self.written(line, stored)),
                Err(error) => {
                    part.iter().for_each(|line| self.failed(line.clone()));
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    /// Forgets rows of long ago.
    pub(crate) async fn forget(&self, store: &Store, now: Timestamp) -> Result<()> {
        store.write(Scope::system("quotas"), move |tx| sql::forget(tx, now.minus(KEPT_FOR))).await
    }
}
