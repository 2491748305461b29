//! Taking runs on, one step after another, for as long as the feature lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::{Kind, Result, Scope, TenantScope};
use tokio::sync::Notify;

use super::{Progress, sql};
use crate::Webhooks;

/// How often a node looks for runs that others began or left.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Begins to take runs on; must be called on a tokio runtime.
pub(crate) fn start(webhooks: &Arc<Webhooks>) {
    tokio::spawn(run(Arc::downgrade(webhooks), Arc::clone(&webhooks.run_now)));
}

async fn run(webhooks: Weak<Webhooks>, now: Arc<Notify>) {
    loop {
        let rest = {
            let Some(webhooks) = webhooks.upgrade() else { return };
            match webhooks.take_a_step().await {
                Ok(rest) => rest,
                Err(error) => {
                    tracing::warn!(?error, "a run could not go on; it is tried again");
                    LOOK_EVERY
                }
            }
        };
        // Either way it is time to look.
        drop(tokio::time::timeout(rest, now.notified()).await);
    }
}

impl Webhooks {
    /// Takes the run that waits longest one step further; answers how long to rest.
    async fn take_a_step(&self) -> Result<Duration> {
        let Some((tenant, id, seen)) = self.store.read(Scope::system("replays"), sql::next).await? else { return Ok(LOOK_EVERY) };
        let wait = seen.since(self.ambient.now());
        if !wait.is_zero() {
            return Ok(wait.min(LOOK_EVERY));
        }
        let Some(webhooks) = self.me.upgrade() else { return Ok(LOOK_EVERY) };
        let scope = || TenantScope::system("replays", tenant);
        let taken = self.store.write(scope(), move |tx| {
            if !sql::take(tx, tenant, id, seen)? {
                return Ok(());
            }
            let mut row = sql::get(tx, tenant, id)?;
            webhooks.step(tx, tenant, &mut row)?;
            sql::put(tx, tenant, &row)
        });
        match taken.await {
            Err(error) if error.kind() != Kind::Unavailable => {
                tracing::error!(?error, %id, "a run cannot go on");
                self.store
                    .write(scope(), move |tx| {
                        let mut row = sql::get(tx, tenant, id)?;
                        row.view.status = Progress::Failed;
                        row.view.error = Some("It cannot go on for a reason of ours, which is in the server's log.".to_owned());
                        sql::put(tx, tenant, &row)
                    })
                    .await?;
            }
            other => other?,
        }
        Ok(Duration::ZERO)
    }
}
