//! Vendors that can be asked to call us about changes are asked, for realtime syncs, and again before that ends. Whatever goes wrong here is found by
//! polling, so it fails no run.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, TenantScope};

use super::Runner;
use crate::Syncs;
use crate::configs::{self, sql as config_sql};
use crate::frequency::Schedule;
use crate::runs::Mode;

/// What ends sooner than so many polls is renewed.
const POLLS: u32 = 3;

impl Syncs {
    /// After a run of a realtime sync: asks the vendor, if it is time.
    pub(super) async fn keep_watch(self: &Arc<Self>, runner: &mut Runner) -> Result<()> {
        let context = Arc::clone(&runner.context);
        let is_realtime = context.settings().schedule()? == Schedule::Realtime;
        if !is_realtime || !context.pulls() || runner.run.dry_run || runner.run.mode == Mode::Realtime {
            return Ok(());
        }
        let of = context.of;
        let row = self.store.read(&context.scope, move |tx| config_sql::get(tx, of.tenant, of.sync)).await?;
        if !row.config.is_lively()? {
            return Ok(());
        }
        let watch = row.watch;
        let soon = self.ambient.now().plus(context.settings().poll() * POLLS + Duration::from_mins(1));
        if watch.as_ref().is_some_and(|(_, until)| until.is_none_or(|until| until > soon)) {
            return Ok(());
        }
        let Some((url, secret)) = self.accounts.inbound(&context.scope, context.config.integration_id).await? else { return Ok(()) };
        let existing = watch.as_ref().map(|(id, _)| id.as_str());
        match runner.connector.watch(&runner.session, &context.object.name, &url, &secret, existing).await {
            Ok(None) => Ok(()),
            Ok(Some(plan)) => {
                let id = plan.id.clone();
                let kept = self
                    .pass(runner, move |tx, pass| {
                        // Whoever switched it off meanwhile did not know of it.
                        let is_wanted = config_sql::get(tx, pass.context.of.tenant, pass.context.of.sync)?.config.is_lively()?;
                        if is_wanted {
                            config_sql::set_watch(tx, pass.context.of, &plan.id, plan.expires_at)?;
                        }
                        Ok(is_wanted)
                    })
                    .await?;
                if !kept && let Err(fault) = runner.connector.unwatch(&runner.session, &context.object.name, &id).await {
                    tracing::info!(sync = %of.sync, code = fault.code(), "the vendor could not be asked to call no more");
                }
                Ok(())
            }
            Err(fault) => {
                tracing::info!(sync = %of.sync, code = fault.code(), "the vendor could not be asked to call; the sync polls");
                Ok(())
            }
        }
    }

    /// Takes back what a vendor was asked for, of a sync that is no more or was switched off; if that fails, its calls find nobody.
    pub(crate) async fn unwatch(&self, row: &configs::Row) {
        let Some((id, _)) = &row.watch else { return };
        let scope = TenantScope::system(crate::PART, row.tenant);
        if let Ok((connector, session)) = self.accounts.open(&scope, row.config.integration_id).await
            && let Err(fault) = connector.unwatch(&session, &row.config.object, id).await
        {
            tracing::info!(sync = %row.config.id, code = fault.code(), "the vendor could not be asked to call no more");
        }
    }
}
