//! The outbox, to the vendor. One step takes some records, reads what the vendor has of them, merges, writes, and notes what came of it:
//!
//! 1. a transaction reads the outbox, our records, links and intents;
//! 2. the vendor is asked for what it has: by id, or by the key for records that are to be made;
//! 3. a transaction merges under locks, writes what comes here, and stores an intent for each creation;
//! 4. the vendor writes;
//! 5. a transaction stores the outcomes.
//!
//! Dropped after 1 or 2, nothing has happened. After 3 or 4, the outbox still has the records: what was changed there is found equal, and a creation
//! is looked up by its intent before it is asked for again.

mod ask;
mod decide;
mod outcomes;
mod take;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connectors::{Fault, Outcome, Write, WriteAct};
use kernel::Result;
use mappings::Mapped;
use records::Record;
use serde_json::Value;

use super::fetch::Incoming;
use super::{Next, Runner, act};
use crate::Syncs;
use crate::conflicts::Conflict;
use crate::ledger::dirty::Dirty;
use crate::ledger::intents::Intent;
use crate::ledger::links::Link;
use crate::runs::Phase;

/// So long after a creation was asked for nobody can still be asking for it: calls to vendors end sooner.
pub(super) const SETTLED: Duration = Duration::from_secs(90);

/// A record of the outbox, as it was when it was taken.
pub(super) struct Item {
    pub(super) dirty: Dirty,
    pub(super) ours: Option<Record>,
    pub(super) link: Option<Link>,
    pub(super) intent: Option<Intent>,
    pub(super) conflicts: Option<HashMap<String, Conflict>>,
    /// Ours, as the vendor would store it.
    pub(super) there: Mapped,
    pub(super) found: Found,
}

/// What the vendor has.
pub(super) enum Found {
    /// It was not asked: nobody is interested in what it says.
    Unasked,
    Absent,
    Merged(String),
    There(Box<Incoming>),
    /// Asking is no use before this time.
    NotYet(kernel::Timestamp),
}

/// What goes to the vendor.
pub(super) struct Send {
    pub(super) dirty: Dirty,
    pub(super) write: Write,
    /// The link, where there is one.
    pub(super) link: Option<Link>,
    /// Ours, of what is made.
    pub(super) ours: Option<Record>,
    /// What is agreed when it is written: our field and value, the vendor's field and value.
    pub(super) agreed: Vec<(String, Value, String, Value)>,
    pub(super) intent_until: Option<kernel::Timestamp>,
}

impl Syncs {
    pub(super) async fn push(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        if !runner.context.pushes() {
            return self.end_push(runner).await;
        }
        let Some(items) = self.pass(runner, take::take).await? else { return self.end_push(runner).await };
        self.send(runner, items).await
    }

    async fn end_push(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        self.pass(runner, |_, pass| {
            (pass.row.checkpoint.phase, pass.row.checkpoint.steps_left) = (Phase::Finish, None);
            Ok(())
        })
        .await?;
        Ok(Next::Again)
    }

    /// A part of the walk of a dry run: what it finds is not put into the outbox but tried at once.
    pub(super) async fn rehearse(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        let items = self
            .pass(runner, |tx, pass| {
                let ids = super::scan::step(tx, pass)?;
                let dirty = ids.into_iter().map(|record| Dirty { record, version: 0, attempts: 0 }).collect();
                take::items(tx, pass, dirty)
            })
            .await?;
        let mut items = items;
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(take::MOST));
            let next = self.send(runner, items).await?;
            if next != Next::Again {
                return Ok(next);
            }
            items = rest;
        }
        Ok(Next::Again)
    }

    async fn send(self: &Arc<Self>, runner: &mut Runner, mut items: Vec<Item>) -> Result<Next> {
        if let Err(fault) = ask::ask(runner, self.ambient.now(), &mut items).await {
            return self.fault(runner, &fault).await;
        }
        let sends = self.pass(runner, move |tx, pass| act(tx, pass, |tx, pass| decide::decide(tx, pass, items))).await?;
        if sends.is_empty() || runner.run.dry_run {
            return Ok(Next::Again);
        }
        let writes: Vec<Write> = sends.iter().map(|send| send.write.clone()).collect();
        let mut all = Vec::with_capacity(writes.len());
        let mut fault = None;
        let size = usize::try_from(runner.context.object.batch.max(1)).unwrap_or(1);
        for chunk in writes.chunks(size) {
            match runner.connector.write(&runner.session, &runner.context.object.name, chunk).await {
                Ok(outcomes) => all.extend(complete(outcomes, chunk.len())),
                Err(refused) => {
                    fault = Some(refused);
                    break;
                }
            }
        }
        let stopped = fault.clone();
        self.pass(runner, move |tx, pass| outcomes::note(tx, pass, sends, all, stopped.as_ref())).await?;
        match fault {
            Some(fault) => self.fault(runner, &fault).await,
            None => Ok(Next::Again),
        }
    }
}

/// One outcome per item, whatever a connector answers.
fn complete(mut outcomes: Vec<Outcome>, count: usize) -> Vec<Outcome> {
    outcomes.truncate(count);
    let missing = || Outcome::Unknown(Fault::Lost { message: "the connector gave no outcome".to_owned() });
    outcomes.resize_with(count, missing);
    outcomes
}

/// Whether it makes something.
pub(super) fn creates(write: &Write) -> bool {
    matches!(write.act, WriteAct::Create { .. })
}
