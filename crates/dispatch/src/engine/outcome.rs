//! Outcomes: written in groups, state first.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{DeliveryId, DestinationId, Error, Kind, Result, Timestamp};
use serde_json::json;
use store::{Node, Tx, Value};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::lane::{Item, Lane};
use super::log::{self, Logged};
use super::{Engine, scope};
use crate::destinations::{self, Failing};
use crate::observer::{Ended, Observer, Turn};
use crate::queue::{self, Again, Finish, slips};

/// Most outcomes in a group.
const GROUP: usize = 512;
/// Groups being written at once.
const AT_ONCE: usize = 2;
/// While outcomes come by the dozen, a group begins at most this often: each costs the writer a fixed share, and nobody waits for it. A crash in
/// between repeats what was delivered in this time.
const GATHER: Duration = Duration::from_millis(5);
/// A group of fewer says that there is no hurry to gather.
const FEW: usize = 8;
/// Tries of an outcome that the database refuses for its content, before it is left as it is.
const TRIES: u32 = 5;

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Finish {
        status: &'static str,
        reason: &'static str,
    },
    /// The delivery fails and its destination is disabled.
    Gone,
    Retry {
        due_at: Timestamp,
    },
}

impl Verdict {
    /// It is worth nothing any more.
    pub(super) const EXPIRED: Self = Self::Finish { status: "skipped", reason: "expired" };
}

/// What is to be written down of a delivery whose turn it was.
pub(super) struct Outcome {
    item: Item,
    lane: Arc<Lane>,
    verdict: Verdict,
    turn: Turned,
    /// The attempt; none: it ended without another one.
    logged: Option<Logged>,
}

/// What an attempt changed for its destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// It turned for the worse or the better.
    pub(super) failing: Option<Failing>,
    /// Nothing has arrived for so long that it is to be disabled.
    pub(super) is_given_up: bool,
    /// Since when nothing has arrived, once that is long enough to tell somebody.
    pub(super) failing_since: Option<Timestamp>,
}

impl Outcome {
    pub(super) fn new(item: Item, lane: Arc<Lane>, verdict: Verdict, turn: Turned, logged: Option<Logged>) -> Self {
        Self { item, lane, verdict, turn, logged }
    }

    /// Attempts, the last status and the last error: after the attempt, or as they were.
    fn so_far(&self) -> (u32, Option<u16>, Option<String>) {
        match &self.logged {
            Some(logged) => (logged.number, logged.status_code, logged.error.clone()),
            None => (self.item.row.attempt_count, self.item.row.last_status_code, self.item.row.last_error.clone()),
        }
    }

    /// The slip that its delivery stands on, or stood.
    fn slip(&self) -> Option<i64> {
        self.item.ticket.as_ref().map(|ticket| ticket.slip.number)
    }

    fn copy(&self) -> Self {
        let Item { row, event, epoch, is_first, ticket: _ } = &self.item;
        // Whatever stands on a slip is moved into the queue when this one is dropped.
        let item = Item { row: row.clone(), event: Arc::clone(event), epoch: *epoch, is_first: *is_first, ticket: None };
        Self::new(item, Arc::clone(&self.lane), self.verdict, self.turn, self.logged.clone())
    }
}

/// Whether outcomes come so fast that they had better be gathered. A lane that keeps order waits for its outcome, so that one does not wait.
fn hurries(group: &[Outcome]) -> bool {
    group.len() >= FEW && group.len() < GROUP && group.iter().all(|outcome| outcome.item.row.ordering_key.is_none())
}

impl Engine {
    /// Writes outcomes for as long as the engine lives.
    pub(super) async fn write_outcomes(self: Arc<Self>, mut waiting: mpsc::Receiver<Outcome>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut next = Instant::now();
        loop {
            // The place first: while all groups are under way, outcomes gather.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            tokio::time::sleep_until(next).await;
            let mut group = Vec::new();
            if waiting.recv_many(&mut group, GROUP).await == 0 {
                return;
            }
            if hurries(&group) {
                next = Instant::now() + GATHER;
            }
            let engine = Arc::clone(&self);
            self.spawn(async move {
                engine.write_group(group).await;
                drop(place);
            });
        }
    }

    /// Writes a group until it is written. If it is refused for what it holds, each outcome is tried alone.
    async fn write_group(self: &Arc<Self>, group: Vec<Outcome>) {
        let group: Arc<[Outcome]> = group.into();
        let mut tries = 0;
        loop {
            match self.write_once(&group).await {
                Ok((number, written)) => return self.settle(group, number, &written).await,
                Err(error) if error.kind() != Kind::Unavailable && group.len() > 1 => break,
                Err(error) if error.kind() != Kind::Unavailable && tries >= TRIES => {
                    tracing::error!(?error, "an outcome cannot be written; its delivery will be attempted again");
                    return self.settle(group, 0, &HashSet::new()).await;
                }
                Err(error) => tracing::warn!(?error, outcomes = group.len(), "could not write outcomes; trying again"),
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(100 * u64::from(tries.min(20)))).await;
        }
        for outcome in group.iter() {
            Box::pin(self.write_group(vec![outcome.copy()])).await;
        }
    }

    /// The groups' numbers that the log has are forgotten on the way.
    async fn write_once(&self, group: &Arc<[Outcome]>) -> Result<(i64, HashSet<DeliveryId>)> {
        let (node, number, logged) = (self.node(), self.journal_next.fetch_add(1, Ordering::Relaxed), self.journal_done());
        let (writing, forgotten, observer) = (Arc::clone(group), logged.clone(), self.observer.get().cloned());
        let done = self.slips.take_done();
        let empty = done.clone();
        let written = self
            .store
            .write(scope(), move |tx| {
                forget_groups(tx, node, &forgotten)?;
                slips::forget(tx, node, &empty)?;
                let written = write(tx, node, number, &writing)?;
                if let Some(observer) = observer {
                    observe(tx, observer.as_ref(), &writing, &written)?;
                }
                Ok(written)
            })
            .await;
        if written.is_err() {
            self.journal_done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(logged);
            self.slips.put_done(done);
        }
        Ok((number, written?))
    }

    /// After the commit: memory follows, then the log.
    async fn settle(self: &Arc<Self>, group: Arc<[Outcome]>, number: i64, written: &HashSet<DeliveryId>) {
        let mut lanes: Vec<Arc<Lane>> = Vec::new();
        for outcome in group.iter() {
            let id = outcome.item.row.id;
            let mut state = outcome.lane.lock();
            state.release(id);
            if state.loading {
                state.gone.insert(id);
            }
            let mut until = match outcome.verdict {
                Verdict::Retry { due_at } => Some(due_at),
                Verdict::Finish { .. } | Verdict::Gone => None,
            };
            if written.contains(&id) {
                if let Some(ticket) = &outcome.item.ticket {
                    ticket.settle();
                }
            } else {
                metrics::counter!("tradewind_delivery_outcomes_refused_total").increment(1);
                // Another node or a later life owns it, or it is gone. If it is ours after all, a look later finds it.
                until = Some(self.ambient.now().plus(self.options.sweep_every));
            }
            if let Some(until) = until {
                state.due_earlier(until);
            }
            let key = outcome.item.row.ordering_key.as_deref();
            if let Some(key) = key {
                state.key_settled(key, until);
            }
            // On the happy path of an unordered lane nothing has changed for it.
            let look = until.is_some() || key.is_some() || outcome.verdict != DELIVERED || state.aim.is_closed();
            drop(state);
            if look && !lanes.iter().any(|lane| Arc::ptr_eq(lane, &outcome.lane)) {
                lanes.push(Arc::clone(&outcome.lane));
            }
        }
        for lane in lanes {
            self.visit(&lane);
        }
        let attempts: Vec<Logged> = group.iter().filter_map(|outcome| outcome.logged.clone()).collect();
        let (all, count) = (group.len(), attempts.len());
        drop(group);
        // Of what ended without an attempt nothing goes into the log.
        (count..all).for_each(|_| self.settle_one());
        if count > 0 && self.logs.send(log::Group { number, attempts }).await.is_err() {
            (0..count).for_each(|_| self.settle_one());
        }
    }
}

const DELIVERED: Verdict = Verdict::Finish { status: "delivered", reason: "delivered" };

/// One transaction: ends, retries, destinations, and the journal of what the log does not have yet. Answers what `node` still owned.
fn write(tx: &mut Tx<'_>, node: Node, number: i64, group: &[Outcome]) -> Result<HashSet<DeliveryId>> {
    let (mut ends, mut again) = (Vec::new(), Vec::new());
    let ours = || group.iter().filter(|outcome| outcome.item.epoch == node.epoch);
    let on: HashSet<i64> = ours().filter_map(Outcome::slip).collect();
    let on = slips::present(tx, node, &on)?;
    for outcome in ours() {
        let (row, slip) = (&outcome.item.row, outcome.slip());
        let (attempt_count, status_code, error) = outcome.so_far();
        let body = || outcome.logged.as_ref().and_then(|logged| logged.response_body.clone());
        let end = |status, reason, response_body| Finish {
            row,
            slip,
            attempt_count,
            status,
            reason,
            status_code,
            error: error.clone(),
            response_body,
        };
        match outcome.verdict {
            Verdict::Finish { status, reason } => ends.push(end(status, reason, body())),
            Verdict::Gone => ends.push(end("failed", "gone", body())),
            Verdict::Retry { due_at } => again.push(Again { row, slip, due_at, attempt_count, status_code, error }),
        }
    }
    let mut written = queue::finish(tx, node, &on, &ends)?;
    written.extend(queue::put_off(tx, node, &on, &again)?);
    turns(tx, group, &written)?;
    journal(tx, node, number, group, &written)?;
    Ok(written)
}

/// Destinations that turned for the worse or the better, or are gone; in the order of ids, so that two groups never wait for each other.
fn turns(tx: &mut Tx<'_>, group: &[Outcome], written: &HashSet<DeliveryId>) -> Result<()> {
    let concerned = |outcome: &&Outcome| outcome.turn != Turned::default() || outcome.verdict == Verdict::Gone;
    let mut turned: Vec<&Outcome> = group.iter().filter(concerned).collect();
    turned.sort_by_key(|outcome| outcome.item.row.destination);
    for outcome in turned {
        let (tenant, id) = (outcome.item.row.tenant, outcome.item.row.destination);
        if let Some(failing) = outcome.turn.failing {
            destinations::mark_failing(tx, tenant, id, failing)?;
        }
        if outcome.verdict == Verdict::Gone && written.contains(&outcome.item.row.id) {
            disable(tx, outcome, "gone")?;
        } else if outcome.turn.is_given_up {
            disable(tx, outcome, "failing")?;
        }
    }
    Ok(())
}

/// Disables the destination, unless somebody else has meanwhile.
fn disable(tx: &mut Tx<'_>, outcome: &Outcome, reason: &'static str) -> Result<()> {
    let (tenant, id) = (outcome.item.row.tenant, outcome.item.row.destination);
    if destinations::disable(tx, tenant, id, reason)? {
        tx.audit_with("webhook.disable", id, &json!({ "reason": reason }))?;
    }
    Ok(())
}

/// Tells what was lost and how destinations turned.
fn observe(tx: &mut Tx<'_>, observer: &dyn Observer, group: &[Outcome], written: &HashSet<DeliveryId>) -> Result<()> {
    let mut lost = Vec::new();
    let mut turns: BTreeMap<DestinationId, (&Outcome, Turn)> = BTreeMap::new();
    for outcome in group.iter().filter(|outcome| written.contains(&outcome.item.row.id)) {
        let row = &outcome.item.row;
        let (reason, turn) = match outcome.verdict {
            Verdict::Finish { status: "failed", reason } => (Some(reason), None),
            Verdict::Gone => (Some("gone"), Some(Turn::Disabled("gone"))),
            Verdict::Finish { .. } | Verdict::Retry { .. } => (None, None),
        };
        lost.extend(reason.map(|reason| {
            let (attempts, status_code, error) = outcome.so_far();
            Ended::after_attempt(row, reason, attempts, status_code, error)
        }));
        let turn = turn.or(match outcome.turn {
            Turned { is_given_up: true, .. } => Some(Turn::Disabled("failing")),
            Turned { failing: Some(Failing::No), .. } => Some(Turn::Recovered),
            Turned { failing_since, .. } => failing_since.map(Turn::Failing),
        });
        if let Some(turn) = turn {
            turns.insert(row.destination, (outcome, turn));
        }
    }
    if !lost.is_empty() {
        observer.lost(tx, &lost)?;
    }
    for (destination, (outcome, turn)) in turns {
        observer.turned(tx, outcome.item.row.tenant, destination, &turn, Some(&outcome.item.row.event_type))?;
    }
    Ok(())
}

fn journal(tx: &mut Tx<'_>, node: Node, number: i64, group: &[Outcome], written: &HashSet<DeliveryId>) -> Result<()> {
    let attempts: Vec<&Logged> =
        group.iter().filter_map(|outcome| outcome.logged.as_ref()).filter(|logged| written.contains(&logged.delivery)).collect();
    if attempts.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(&attempts).map_err(Error::internal)?;
    tx.exec("INSERT INTO attempt_journal (node, number, attempts) VALUES (?1, ?2, ?3)", &[node.id.into(), number.into(), text.into()])?;
    Ok(())
}

/// Forgets groups that the log has.
pub(super) fn forget_groups(tx: &mut Tx<'_>, node: Node, numbers: &[i64]) -> Result<()> {
    for number in numbers {
        tx.exec("DELETE FROM attempt_journal WHERE node = ?1 AND number = ?2", &[node.id.into(), Value::Int(*number)])?;
    }
    Ok(())
}
