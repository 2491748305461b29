//! Ending deliveries without another attempt, in bounded steps: of destinations that are disabled or deleted, and of runs that are over
//! while their destination is being left alone.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::{DeliveryId, DestinationId, Result, Timestamp};
use store::{Node, Tx};

use super::lane::{Aim, Lane};
use super::{Engine, load, scope};
use crate::destinations::{self, State};
use crate::observer::{Ended, Observer};
use crate::queue::{self, Finish, Pending};

/// Rows in one transaction.
const STEP: usize = 500;
/// Later than any due time.
const EVER: i64 = i64::MAX;

/// What a step did.
enum Step {
    Ended,
    /// Nothing more is to be ended.
    Over,
}

impl Engine {
    /// Ends what waits for a destination that takes nothing any more. The lane is marked as loading meanwhile.
    pub(super) async fn end_closed(self: Arc<Self>, lane: Arc<Lane>) {
        loop {
            let held: HashSet<DeliveryId> = lane.lock().held();
            let (node, id) = (self.node(), lane.id);
            match self.store.write(scope(), move |tx| end_closed_step(tx, node, id, &held)).await {
                Ok(Step::Ended) => {}
                Ok(Step::Over) => break,
                Err(error) => {
                    tracing::warn!(?error, destination = %lane.id, "could not end the deliveries of a closed destination");
                    let mut state = lane.lock();
                    state.loading = false;
                    let again = self.ambient.now().plus(self.options.sweep_every);
                    state.due_earlier(again);
                    self.wake(&lane, &mut state, again);
                    return;
                }
            }
        }
        let mut state = lane.lock();
        state.loading = false;
        state.gone.clear();
        if state.aim.is_closed() {
            state.backlog = std::mem::take(&mut state.missed);
            state.next_due = None;
        }
        drop(state);
        self.visit(&lane);
    }

    /// Ends runs that began so long ago that their whole schedule is over, while the breaker lets nothing through: nobody would attempt them
    /// for a long time, and they have had their chance.
    pub(super) async fn end_overdue(self: Arc<Self>, lane: Arc<Lane>) {
        {
            // As while loading: what is ended here must not be taken into memory meanwhile and attempted.
            let mut state = lane.lock();
            if state.loading || !state.is_shut() {
                return;
            }
            state.loading = true;
            state.missed = false;
        }
        while self.end_some_overdue(&lane).await {}
        let mut state = lane.lock();
        state.loading = false;
        state.gone.clear();
        state.backlog |= std::mem::take(&mut state.missed);
        drop(state);
        self.visit(&lane);
    }

    /// One step; whether there may be more.
    async fn end_some_overdue(&self, lane: &Lane) -> bool {
        let (held, cutoff) = {
            let state = lane.lock();
            let Aim::At(target) = &state.aim else { return false };
            if !state.is_shut() {
                return false;
            }
            (state.held(), self.ambient.now().minus(target.destination.policy.whole_run()))
        };
        let (node, id, observer) = (self.node(), lane.id, self.observer.get().cloned());
        match self.store.write(scope(), move |tx| end_overdue_step(tx, node, id, cutoff, &held, observer.as_deref())).await {
            Ok(Step::Ended) => true,
            Ok(Step::Over) => false,
            Err(error) => {
                tracing::warn!(?error, destination = %lane.id, "could not end overdue deliveries");
                false
            }
        }
    }
}

fn end_closed_step(tx: &mut Tx<'_>, node: Node, id: DestinationId, held: &HashSet<DeliveryId>) -> Result<Step> {
    let state = destinations::find(tx, id)?.map(|found| found.state);
    if !matches!(state, None | Some(State::Disabled)) {
        return Ok(Step::Over);
    }
    let Some(rows) = step_rows(tx, node, id, Timestamp::from_millis(EVER), held)? else { return Ok(Step::Over) };
    if state.is_none() {
        queue::remove(tx, node, rows.iter())?;
    } else {
        let ends: Vec<Finish<'_>> = rows.iter().map(|row| Finish::unattempted(row, "skipped", "disabled")).collect();
        queue::finish(tx, node, &HashSet::new(), &ends)?;
    }
    Ok(Step::Ended)
}

fn end_overdue_step(
    tx: &mut Tx<'_>,
    node: Node,
    id: DestinationId,
    cutoff: Timestamp,
    held: &HashSet<DeliveryId>,
    observer: Option<&dyn Observer>,
) -> Result<Step> {
    let Some(rows) = step_rows(tx, node, id, cutoff, held)? else { return Ok(Step::Over) };
    let ends: Vec<Finish<'_>> = rows.iter().map(|row| Finish::unattempted(row, "failed", "exhausted")).collect();
    let ended = queue::finish(tx, node, &HashSet::new(), &ends)?;
    let lost: Vec<Ended> = rows.iter().filter(|row| ended.contains(&row.id)).map(|row| Ended::unattempted(row, "exhausted")).collect();
    if let Some(observer) = observer.filter(|_| !lost.is_empty()) {
        observer.lost(tx, &lost)?;
    }
    Ok(Step::Ended)
}

/// The next rows that are not in memory; none when there are none.
fn step_rows(tx: &mut Tx<'_>, node: Node, id: DestinationId, until: Timestamp, held: &HashSet<DeliveryId>) -> Result<Option<Vec<Pending>>> {
    let mut rows = load::due_after(tx, node, id, load::first(), until, STEP + held.len())?;
    rows.retain(|row| !held.contains(&row.id));
    Ok((!rows.is_empty()).then_some(rows))
}
