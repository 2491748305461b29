//! What of the outbox is next.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{RecordId, Result};
use mappings::Mapped;
use store::Tx;

use super::{Found, Item};
use crate::conflicts::sql as conflict_sql;
use crate::engine::Pass;
use crate::engine::gone::too_many;
use crate::ledger::dirty::{self, Dirty};
use crate::ledger::{intents, links};

/// Records of one step: as many as one look at the vendor.
pub(super) const MOST: usize = 100;
/// Steps of one phase: what changes again and again while it is sent does not keep a run from ending.
const STEPS: u64 = 10_000;

/// The next records; none: nothing is due, or this run has done enough.
pub(super) fn take(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<Option<Vec<Item>>> {
    let context = Arc::clone(&pass.context);
    let first = pass.row.checkpoint.steps_left.is_none();
    let left = pass.row.checkpoint.steps_left.unwrap_or(STEPS);
    pass.row.checkpoint.steps_left = Some(left.saturating_sub(1));
    if pass.is_dry() {
        let next = pass.rehearsal.next_dirty(tx, &context, first, MOST)?;
        return if next.is_empty() { Ok(None) } else { items(tx, pass, next).map(Some) };
    }
    if left == 0 {
        return Ok(None);
    }
    let with_gone = pass.row.approved || too_many(tx, &context)?.is_none();
    let limit = u32::try_from(MOST).unwrap_or(100);
    let due = dirty::due(tx, context.of, with_gone, limit)?;
    if due.is_empty() {
        return Ok(None);
    }
    items(tx, pass, due).map(Some)
}

/// These records with what is known of them.
fn items(tx: &mut Tx<'_>, pass: &mut Pass, due: Vec<Dirty>) -> Result<Vec<Item>> {
    let context = Arc::clone(&pass.context);
    let ids: Vec<RecordId> = due.iter().map(|dirty| dirty.record).collect();
    let mut ours = context.records.many_in(tx, &context.scope, context.resource(), &ids, false)?;
    let mut links = links::by_record(tx, context.of, ids.iter().copied())?;
    let mut intents = intents::of_records(tx, context.of, ids.iter().copied())?;
    let mut conflicts =
        if conflict_sql::has_live(tx, context.of)? { conflict_sql::live(tx, context.of, ids.iter().copied())? } else { HashMap::new() };
    pass.rehearsal.overlay(&ids, &mut ours, &mut links, &mut conflicts);
    Ok(due
        .into_iter()
        .map(|dirty| Item {
            ours: ours.remove(&dirty.record),
            link: links.remove(&dirty.record),
            intent: intents.remove(&dirty.record),
            conflicts: conflicts.remove(&dirty.record),
            there: Mapped::default(),
            found: Found::Unasked,
            dirty,
        })
        .collect())
}
