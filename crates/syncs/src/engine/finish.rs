//! The end of a run.

use std::sync::Arc;
use std::time::Duration;

use kernel::Result;
use store::Tx;

use super::{Next, Runner};
use crate::Syncs;
use crate::configs::{Deletions, sql as config_sql};
use crate::ledger::Of;
use crate::runs::{self, Counters, Mode, Phase, State};

/// Where the vendor tells of no deletions, everything is compared so often at least.
const DAY: u64 = 24;

impl Syncs {
    pub(super) async fn finish(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        self.keep_watch(runner).await?;
        let accounts = Arc::clone(&self.accounts);
        self.pass(runner, move |tx, pass| {
            let (context, now) = (Arc::clone(&pass.context), tx.now());
            if pass.row.mode == Mode::Realtime {
                pass.row.checkpoint.phase = Phase::Hints;
                return config_sql::set_last(tx, context.of, pass.row.id, ended_state(&pass.row), None);
            }
            pass.row.state = ended_state(&pass.row);
            pass.row.ended_at = Some(now);
            (pass.row.code, pass.row.message) = (None, None);
            if pass.row.dry_run {
                return Ok(());
            }
            if pass.row.mode == Mode::Full {
                let blind = context.pulls() && !context.object.delete_feed && context.deletions() != Deletions::Ignore;
                let hours = context.settings().full_every_hours.or(blind.then_some(DAY));
                let next = hours.map(|hours| now.plus(Duration::from_secs(hours.saturating_mul(3600))));
                config_sql::set_full_at(tx, context.of, next)?;
            }
            if pass.row.state == State::Completed {
                accounts.synced(tx, context.of.tenant, context.config.integration_id, now)?;
            }
            config_sql::set_last(tx, context.of, pass.row.id, pass.row.state, None)
        })
        .await?;
        Ok(if runner.run.mode == Mode::Realtime { Next::Later(None) } else { Next::Ended })
    }
}

/// How a run that went to its end ended.
pub(super) fn ended_state(row: &runs::Row) -> State {
    let Counters { failed, complete, .. } = row.counters;
    if failed == 0 && complete { State::Completed } else { State::Partial }
}

/// Ends a run that cannot go on; a realtime one goes on when there is something to do again.
pub(super) fn fail(tx: &mut Tx<'_>, of: Of, row: &mut runs::Row, code: &str, message: &str) -> Result<()> {
    (row.code, row.message) = (Some(code.to_owned()), Some(message.to_owned()));
    (row.state, row.ended_at) = (State::Failed, Some(tx.now()));
    if row.dry_run {
        return Ok(());
    }
    config_sql::set_last(tx, of, row.id, State::Failed, Some(&format!("{code}: {message}")))
}
