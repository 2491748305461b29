//! What is done without being asked: grants that nobody uses are used before they die, renewals that failed are tried again, revocations until
//! the vendor has taken them, and what is old goes. One server does it ([`store::Lease`]); two would do no harm.

mod revoke;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use kernel::{Result, Scope, TenantScope};
use store::Lease;

use crate::tokens::{Row, Status, sql};
use crate::{PART, Vault, connections};

const LEASE: Lease = Lease { name: "vault.keeper", held_for: Duration::from_secs(180) };
/// Tokens in one look.
const MOST: u32 = 100;
/// Vendors that are asked at the same time.
const AT_ONCE: usize = 8;
/// Connections that were begun are kept for so long, for hosts that ask how they ended.
const CONNECTIONS_KEPT: Duration = Duration::from_hours(24);
/// Counts of uses.
const USES_KEPT: Duration = Duration::from_hours(24 * 90);
/// What was disconnected, after the vendor has ended it.
const REVOKED_KEPT: Duration = Duration::from_hours(24 * 30);

impl Vault {
    /// Looks that often (half a minute is usual) for as long as anybody holds the vault, and writes the counts of uses. A second call changes
    /// nothing. Must be called on a tokio runtime.
    pub fn start(self: &Arc<Self>, every: Duration) {
        if self.started.set(()).is_err() {
            return;
        }
        let vault = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(vault) = vault.upgrade() else { return };
                if let Err(error) = vault.flush().await {
                    tracing::warn!(?error, "the uses of tokens could not be written; it is tried again");
                }
                if let Err(error) = vault.look_after().await {
                    tracing::warn!(?error, "tokens could not be looked after; it is tried again");
                }
            }
        });
    }

    /// Waits until exchanges that are under way have ended, at most so long, and writes the counts of uses. Before the server stops.
    pub async fn drain(&self, deadline: Duration) {
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("exchanges with vendors were under way when the server stopped; other servers go on when their claims end");
        }
        if let Err(error) = self.flush().await {
            tracing::warn!(?error, "the last uses of tokens could not be written");
        }
        let holder = self.holder;
        if let Err(error) = self.store.write(Scope::system(PART), move |tx| LEASE.give_back(tx, holder)).await {
            tracing::warn!(?error, "the lease of the keeper could not be given back");
        }
    }

    /// One look at what is due: how many tokens it was about. Nothing while another server is at it.
    pub async fn look_after(self: &Arc<Self>) -> Result<usize> {
        let (holder, now) = (self.holder, self.ambient.now());
        if !self.store.write(Scope::system(PART), move |tx| LEASE.take(tx, holder)).await? {
            return Ok(0);
        }
        let due = self.store.read(Scope::system(PART), move |tx| sql::due(tx, now, MOST)).await?;
        let count = due.len();
        futures_util::stream::iter(due)
            .for_each_concurrent(AT_ONCE, |row| {
                let vault = Arc::clone(self);
                async move { vault.look_after_one(row).await }
            })
            .await;
        let swept = self.store.write(Scope::system(PART), move |tx| {
            let connections = connections::sql::sweep(tx, now.minus(CONNECTIONS_KEPT))?;
            Ok(connections + sql::sweep(tx, now.minus(USES_KEPT), now.minus(REVOKED_KEPT))?)
        });
        let swept = swept.await?;
        if count > 0 || swept > 0 {
            tracing::debug!(tokens = count, swept, "tokens were looked after");
        }
        Ok(count)
    }

    async fn look_after_one(self: &Arc<Self>, row: Row) {
        let (tenant, id) = (row.tenant, row.id);
        let outcome = match row.status {
            Status::Revoked => self.revoke(tenant, id).await,
            Status::Active | Status::Degraded => self.renewed(&TenantScope::system(PART, tenant), id, row.generation, true).await.map(drop),
            Status::ReauthRequired => Ok(()),
        };
        // What is wrong stands in the row and was told.
        if let Err(error) = outcome {
            tracing::debug!(?error, token = %id, "a token could not be looked after");
        }
    }
}
