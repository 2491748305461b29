//! Creations of which nobody knows how they ended: a run is not over before it is known.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, Timestamp};
use store::Tx;

use crate::engine::Pass;
use crate::ledger::log::LogEntry;
use crate::ledger::{Trouble, dirty, intents};
use crate::runs::{Mode, State};

/// A run waits so long at most.
const PATIENCE: Duration = Duration::from_mins(10);

/// Parks the run until the first of them can be looked up; none: nothing is held, or it would take too long, and then they have failed.
pub(super) fn hold(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<Option<Timestamp>> {
    let context = Arc::clone(&pass.context);
    // A realtime run has no end: what it left is its work when the time has come.
    if pass.is_dry() || pass.row.mode == Mode::Realtime {
        return Ok(None);
    }
    let held = intents::held(tx, context.of)?;
    let Some((_, first)) = held.first().copied() else {
        pass.row.checkpoint.held_since = None;
        return Ok(None);
    };
    let now = tx.now();
    let since = *pass.row.checkpoint.held_since.get_or_insert(now);
    let text = "It is not known whether the vendor made it. It is looked up there before it is asked for again.";
    let trouble = Trouble { passes: true, ..Trouble::new("creation_unknown", text) };
    if first <= since.plus(PATIENCE) {
        (pass.row.state, pass.row.parked_until) = (State::Parked, Some(first));
        (pass.row.code, pass.row.message) = (Some(trouble.code), Some(trouble.message));
        return Ok(Some(first));
    }
    for (record, _) in held {
        pass.row.counters.failed += 1;
        pass.log(LogEntry::failed(Some(record), None, &trouble));
        dirty::explain(tx, context.of, record, &trouble)?;
    }
    Ok(None)
}
