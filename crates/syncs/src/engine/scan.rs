//! A walk over our own records: those that the vendor does not know, or not as they are, go into the outbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{RecordId, Result, Timestamp};
use records::Record;
use store::Tx;

use super::reconcile::differs;
use super::{Next, Pass, Runner};
use crate::ledger::{dirty, links};
use crate::runs::Phase;
use crate::{SETTLED_AFTER, Syncs};

/// Records of one step.
const MOST: u32 = 500;

impl Syncs {
    pub(super) async fn scan(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        if let Some(until) = self.settles_at(runner) {
            return Ok(Next::Later(Some(until)));
        }
        self.pass(runner, |tx, pass| {
            let ids = step(tx, pass)?;
            if pass.is_dry() {
                ids.into_iter().for_each(|id| pass.rehearsal.queue(id));
                return Ok(());
            }
            dirty::add(tx, pass.context.of, &ids)
        })
        .await?;
        Ok(Next::Again)
    }

    /// On PostgreSQL other nodes learn by a notice that a sync follows their changes; what they wrote before it came is found by this walk,
    /// which therefore does not begin too soon.
    fn settles_at(&self, runner: &Runner) -> Option<Timestamp> {
        let wait = if self.store.engine() == store::Engine::Postgres { SETTLED_AFTER } else { Duration::ZERO };
        Some(runner.context.followed_at.plus(wait)).filter(|until| *until > self.ambient.now())
    }
}

/// The next records; those that must go. At the end the next phase.
fn step(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<Vec<RecordId>> {
    let context = Arc::clone(&pass.context);
    let after = pass.row.checkpoint.place.map(|(at, id)| (Timestamp::from_millis(at), id));
    let page = context.records.walk_in(tx, &context.scope, context.resource(), after, MOST)?;
    let mut known = links::by_record(tx, context.of, page.iter().map(|record| record.id))?;
    let mut others = HashMap::new();
    if pass.is_dry() {
        let ids: Vec<RecordId> = page.iter().map(|record| record.id).collect();
        pass.rehearsal.overlay(&ids, &mut others, &mut known, &mut HashMap::new());
    }
    let must_go = |record: &&Record| match known.get(&record.id) {
        None => true,
        Some(link) => !link.unlinked && differs(&context.plan, others.get(&record.id).unwrap_or(record), link),
    };
    let ids = page.iter().filter(must_go).map(|record| record.id).collect();
    match page.last() {
        Some(last) => pass.row.checkpoint.place = Some((last.created_at.millis(), last.id)),
        None => (pass.row.checkpoint.place, pass.row.checkpoint.phase) = (None, Phase::Apply),
    }
    Ok(ids)
}
