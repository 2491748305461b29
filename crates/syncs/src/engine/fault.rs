//! What a vendor's fault means for a run.

use std::sync::Arc;
use std::time::Duration;

use connectors::Fault;
use kernel::{Result, Timestamp};
use store::Tx;

use super::{Next, Pass, Rehearsal, Runner};
use crate::Syncs;
use crate::configs::sql as config_sql;
use crate::ledger::{Trouble, log};
use crate::runs::{Checkpoint, Counters, Mode, Phase, State};

/// So many failures in a row, and the run fails.
const PATIENCE: u32 = 8;
/// The pause after the first failure; it doubles.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_mins(10);
/// The pause where the vendor wants fewer calls and does not say how long.
const SLOWER: Duration = Duration::from_secs(30);

/// What follows.
enum Verdict {
    Park(Timestamp),
    Anew,
    Fail,
}

impl Syncs {
    /// Parks the run, begins it anew, or ends it.
    pub(super) async fn fault(self: &Arc<Self>, runner: &mut Runner, fault: &Fault) -> Result<Next> {
        let now = self.ambient.now();
        let faults = runner.run.checkpoint.faults + 1;
        let is_dry = runner.run.dry_run;
        let verdict = match fault {
            // A dry run that waits begins anew: for what is used up, that would be every day.
            Fault::Exhausted { .. } if is_dry => Verdict::Fail,
            Fault::RateLimited { .. } if is_dry && faults > PATIENCE => Verdict::Fail,
            Fault::RateLimited { after } => Verdict::Park(now.plus(after.unwrap_or(SLOWER).max(Duration::from_secs(1)))),
            Fault::Exhausted { until } => Verdict::Park((*until).max(now.plus(Duration::from_secs(1)))),
            Fault::Unavailable { .. } | Fault::Lost { .. } if faults <= PATIENCE => {
                Verdict::Park(now.plus((PAUSE * (1 << (faults - 1).min(10))).min(LONGEST)))
            }
            Fault::Stale { .. } if faults <= PATIENCE => Verdict::Anew,
            _ => Verdict::Fail,
        };
        let trouble = Trouble::of_fault(fault);
        runner.ahead = None;
        let next = match verdict {
            Verdict::Park(until) => Next::Later(Some(until)),
            Verdict::Anew => Next::Again,
            Verdict::Fail => Next::Ended,
        };
        let is_short = matches!(fault, Fault::RateLimited { .. }) && !is_dry;
        self.pass(runner, move |tx, pass| {
            // Being asked to slow down is no failure, however often.
            pass.row.checkpoint.faults = if is_short { faults - 1 } else { faults };
            match verdict {
                Verdict::Park(until) => park(pass, until, &trouble),
                Verdict::Anew => anew(tx, pass),
                Verdict::Fail => {
                    let of = pass.context.of;
                    super::finish::fail(tx, of, &mut pass.row, &trouble.code, &trouble.message)
                }
            }
        })
        .await?;
        Ok(next)
    }
}

fn park(pass: &mut Pass, until: Timestamp, trouble: &Trouble) -> Result<()> {
    if pass.row.mode != Mode::Realtime {
        (pass.row.state, pass.row.parked_until) = (State::Parked, Some(until));
        (pass.row.code, pass.row.message) = (Some(trouble.code.clone()), Some(trouble.message.clone()));
    }
    Ok(())
}

/// A cursor or a token is too old. Of pages: begin with the first of all. Of deletions: only a complete scan can tell.
fn anew(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<()> {
    let of = pass.context.of;
    let faults = pass.row.checkpoint.faults;
    if pass.is_dry() && pass.row.checkpoint.phase != Phase::Deletions {
        log::forget(tx, of.tenant, pass.row.id)?;
        (pass.row.counters, pass.rehearsal) = (Counters::default(), Rehearsal::default());
    }
    if pass.row.checkpoint.phase == Phase::Deletions {
        let now = tx.now();
        if !pass.is_dry() {
            config_sql::set_deleted_cursor(tx, of, None)?;
        }
        if pass.row.mode == Mode::Full {
            (pass.row.checkpoint.token, pass.row.checkpoint.deleted_since) = (None, None);
        } else {
            if !pass.is_dry() {
                config_sql::set_full_at(tx, of, Some(now))?;
            }
            pass.row.checkpoint = Checkpoint { phase: Phase::Hints, pulled: true, faults, ..Checkpoint::default() };
        }
        return Ok(());
    }
    pass.row.mode = Mode::Full;
    pass.row.checkpoint = Checkpoint { faults, ..Checkpoint::default() };
    (pass.row.counters.seen, pass.row.counters.vendor_total) = (0, None);
    Ok(())
}
