//! Writing many, in HubSpot's batches.
//!
//! Each item carries a trace id, so that HubSpot answers for each by itself (207). Where it refuses a whole batch all the same, the batch is
//! halved until the items that are to blame stand alone. A new record with a unique value that is taken is told as [`Outcome::Exists`]; it is
//! never written over, since nobody has seen what it holds.
//!
//! Records that were merged answer to their old ids: a change goes to the survivor, and is told as [`Outcome::Gone`] with its id; a deletion
//! would take the survivor with it, so it is looked at first.

mod batch;
mod changes;
mod creates;
mod deletes;

use crate::{Fault, Outcome, Session, Write, WriteAct};

/// An item with its place in what was given.
type Item<'w> = (usize, &'w Write);

/// What became of some items; or why nothing was done for any of them.
type Told = Result<Vec<(usize, Outcome)>, Fault>;

pub(super) async fn write(session: &Session, object: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
    let of =
        |wanted: fn(&WriteAct) -> bool| -> Vec<Item<'_>> { writes.iter().enumerate().filter(|(_, write)| wanted(&write.act)).collect() };
    let made = of(|act| matches!(act, WriteAct::Create { .. }));
    let changed = of(|act| matches!(act, WriteAct::Update { .. }));
    let gone = of(|act| matches!(act, WriteAct::Delete { .. }));
    let mut outcomes: Vec<Option<Outcome>> = vec![None; writes.len()];
    let mut first_fault = None;
    for part in [&made, &changed, &gone].into_iter().filter(|part| !part.is_empty()) {
        let told = match part[0].1.act {
            WriteAct::Create { .. } => creates::run(session, object, part).await,
            WriteAct::Update { .. } => changes::run(session, object, part).await,
            WriteAct::Delete { .. } => deletes::run(session, object, part).await,
        };
        match told {
            Ok(told) => told.into_iter().for_each(|(at, outcome)| outcomes[at] = Some(outcome)),
            Err(fault) => {
                part.iter().for_each(|(at, _)| outcomes[*at] = Some(Outcome::Failed(fault.clone())));
                first_fault.get_or_insert(fault);
            }
        }
    }
    // A fault is everybody's only if nothing was done at all.
    let nothing_done = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Failed(fault)) if Some(fault) == first_fault.as_ref());
    match first_fault.clone() {
        Some(fault) if outcomes.iter().all(nothing_done) => Err(fault),
        _ => Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(batch::silent)).collect()),
    }
}
