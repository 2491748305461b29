//! The outbox, to the vendor. One step takes some records, reads what the vendor has of them, merges, writes, and notes what came of it:
//!
//! 1. a transaction reads the outbox, our records, links and intents;
//! 2. the vendor is asked for what it has: by id, or by the key for records that are to be made;
//! 3. a transaction merges under locks, writes what comes here, and stores an intent for each creation of the next part;
//! 4. the vendor writes a part;
//! 5. a transaction stores the outcomes, and the intents of the next part, which is written then.
//!
//! Dropped after 1 or 2, nothing has happened. After 3 or 4, the outbox still has the records: what was changed there is found equal, and a creation
//! is looked up by its intent before it is asked for again. The phase ends when no creation waits for that (`held.rs`).

mod ask;
mod decide;
mod held;
mod outcomes;
mod take;

use std::collections::HashMap;
use std::sync::Arc;

use connectors::{Fault, Outcome, Write, WriteAct};
use kernel::Result;
use mappings::Mapped;
use records::Record;
use serde_json::Value;
use store::Tx;

use super::fetch::Incoming;
use super::{Next, Pass, Runner, act};
use crate::Syncs;
use crate::conflicts::Conflict;
use crate::ledger::dirty::Dirty;
use crate::ledger::intents::Intent;
use crate::ledger::links::Link;
use crate::runs::Phase;

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
}

impl Syncs {
    pub(super) async fn push(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        if !runner.context.pushes() {
            return self.end_push(runner).await;
        }
        if let Some(items) = self.pass(runner, take::take).await? {
            return self.send(runner, items).await;
        }
        match self.pass(runner, held::hold).await? {
            Some(until) => Ok(Next::Later(Some(until))),
            None => self.end_push(runner).await,
        }
    }

    async fn end_push(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        self.pass(runner, |_, pass| {
            (pass.row.checkpoint.phase, pass.row.checkpoint.steps_left) = (Phase::Finish, None);
            Ok(())
        })
        .await?;
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
        self.write(runner, sends).await
    }

    /// Part by part, and what became of one is stored before the next is asked for: whoever ends the run, or what it stands on, ends it between two.
    async fn write(self: &Arc<Self>, runner: &mut Runner, mut sends: Vec<Send>) -> Result<Next> {
        while !sends.is_empty() {
            let rest = sends.split_off(runner.context.part().min(sends.len()));
            let writes: Vec<Write> = sends.iter().map(|send| send.write.clone()).collect();
            let answer = runner.connector.write(&runner.session, &runner.context.object.name, &writes).await;
            let (outcomes, fault) = match answer {
                Ok(outcomes) => (complete(outcomes, writes.len()), None),
                Err(fault) => (Vec::new(), Some(fault)),
            };
            let (stopped, accounts) = (fault.clone(), Arc::clone(&self.accounts));
            let next = move |tx: &mut Tx<'_>, pass: &mut Pass| {
                outcomes::note(tx, pass, sends, outcomes, stopped.as_ref())?;
                let context = Arc::clone(&pass.context);
                let usable = if rest.is_empty() { Ok(()) } else { accounts.usable(tx, context.of.tenant, context.config.integration_id) };
                if stopped.is_some() || usable.is_err() {
                    outcomes::note(tx, pass, rest, Vec::new(), None)?;
                    return Ok(usable.map(|()| Vec::new()));
                }
                decide::intend(tx, &context, &rest)?;
                Ok(Ok(rest))
            };
            sends = self.pass(runner, next).await??;
            if let Some(fault) = fault {
                return self.fault(runner, &fault).await;
            }
        }
        Ok(Next::Again)
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
