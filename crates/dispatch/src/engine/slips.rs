//! Slips of this node in memory: which deliveries stand on one, and which slips are to go.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kernel::DestinationId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Engine, scope};
use crate::queue::slips::{self, Which};

/// What has not ended after this time goes into the queue.
const LINGER: Duration = Duration::from_secs(2);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A destination of which something lingered gets rows in the queue for this long.
const SLOW_FOR: Duration = Duration::from_secs(10);
/// Slips taken apart in one transaction.
const STEP: usize = 64;

/// All slips of a node.
#[derive(Debug, Default)]
pub(crate) struct Slips {
    next: AtomicI64,
    /// Those of which everything has ended.
    done: Mutex<Vec<i64>>,
    /// Those of which memory has let something go, and for which destination: the queue must have it.
    dropped: Mutex<Vec<(i64, DestinationId)>>,
    /// Those that were begun, the oldest first.
    begun: Mutex<VecDeque<(Instant, Weak<Slip>)>>,
    look: Notify,
}

/// One slip, for as long as something on it is in memory.
#[derive(Debug)]
pub(crate) struct Slip {
    pub(crate) number: i64,
    all: Arc<Slips>,
    /// Deliveries on it whose end is not written.
    open: AtomicUsize,
    /// Memory has let some of them go: only taking it apart may remove it.
    is_torn: AtomicBool,
}

/// A delivery's place on a slip. Dropping it before its delivery has ended has the slip taken apart.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) slip: Arc<Slip>,
    destination: DestinationId,
    is_settled: AtomicBool,
}

impl Slips {
    /// A new slip, for tickets.
    #[allow(clippy::disallowed_methods, reason = "only decides when to look")]
    pub(crate) fn begin(self: &Arc<Self>) -> Arc<Slip> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let slip = Arc::new(Slip { number, all: Arc::clone(self), open: AtomicUsize::new(0), is_torn: AtomicBool::new(false) });
        lock(&self.begun).push_back((Instant::now(), Arc::downgrade(&slip)));
        slip
    }

    /// Those that may be forgotten.
    pub(crate) fn take_done(&self) -> Vec<i64> {
        std::mem::take(&mut *lock(&self.done))
    }

    pub(crate) fn put_done(&self, numbers: Vec<i64>) {
        lock(&self.done).extend(numbers);
    }

    /// Those that are older than [`LINGER`] and open.
    #[allow(clippy::disallowed_methods, reason = "only decides when to look")]
    fn take_lingering(&self) -> Vec<(i64, Weak<Slip>)> {
        let mut begun = lock(&self.begun);
        let mut old = Vec::new();
        while begun.front().is_some_and(|(since, slip)| since.elapsed() >= LINGER || slip.strong_count() == 0) {
            old.extend(begun.pop_front().and_then(|(_, slip)| Some((slip.upgrade()?.number, slip))));
        }
        old
    }
}

impl Slip {
    pub(crate) fn ticket(self: &Arc<Self>, destination: DestinationId) -> Ticket {
        self.open.fetch_add(1, Ordering::Relaxed);
        Ticket { slip: Arc::clone(self), destination, is_settled: AtomicBool::new(false) }
    }
}

impl Ticket {
    /// Its delivery's end, or its place in the queue, is committed.
    pub(crate) fn settle(&self) {
        self.is_settled.store(true, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let slip = &self.slip;
        if !*self.is_settled.get_mut() {
            slip.is_torn.store(true, Ordering::Release);
            lock(&slip.all.dropped).push((slip.number, self.destination));
            slip.all.look.notify_one();
        }
        if slip.open.fetch_sub(1, Ordering::AcqRel) == 1 && !slip.is_torn.load(Ordering::Acquire) {
            lock(&slip.all.done).push(slip.number);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Takes slips apart for as long as the engine lives.
    #[allow(clippy::disallowed_methods, reason = "only decides when to look")]
    pub(super) async fn keep_slips(self: Arc<Self>) {
        loop {
            drop(tokio::time::timeout(LOOK_EVERY, self.slips.look.notified()).await);
            let dropped = std::mem::take(&mut *lock(&self.slips.dropped));
            let numbers: Vec<i64> = dropped.iter().map(|(number, _)| *number).collect();
            if self.take_apart(numbers).await.is_some() {
                // Also those whose slip somebody else had taken apart already: their rows wait in the queue, and nobody else looks for them.
                for id in dropped.into_iter().map(|(_, id)| id).collect::<HashSet<_>>() {
                    let lane = self.lane(id);
                    lane.lock().leave_to_database();
                    self.visit(&lane);
                }
            } else {
                lock(&self.slips.dropped).extend(dropped);
            }
            let lingering = self.slips.take_lingering();
            match self.take_apart(lingering.iter().map(|(number, _)| *number).collect()).await {
                Some(destinations) => {
                    let until = self.ambient.now().plus(SLOW_FOR);
                    destinations.into_iter().for_each(|id| self.lane(id).lock().is_slow_until = Some(until));
                }
                None => lock(&self.slips.begun).extend(lingering.into_iter().map(|(_, slip)| (Instant::now(), slip))),
            }
            self.forget_slips().await;
        }
    }

    /// Moves what is pending on them into the queue; answers for which destinations there was something. None: not now.
    async fn take_apart(&self, mut numbers: Vec<i64>) -> Option<HashSet<DestinationId>> {
        numbers.sort_unstable();
        numbers.dedup();
        let mut destinations = HashSet::new();
        for some in numbers.chunks(STEP) {
            let (node, asked) = (self.node(), some.to_vec());
            match self.store.write(scope(), move |tx| slips::spill(tx, Which::Numbers(node, &asked))).await {
                Ok(spilled) => destinations.extend(spilled.destinations),
                Err(error) => {
                    tracing::warn!(?error, "could not move what is pending into the queue; trying again");
                    return None;
                }
            }
        }
        Some(destinations)
    }

    /// Usually outcomes take them along.
    async fn forget_slips(&self) {
        let done = self.slips.take_done();
        if done.is_empty() {
            return;
        }
        let (node, numbers) = (self.node(), done.clone());
        if let Err(error) = self.store.write(scope(), move |tx| slips::forget(tx, node, &numbers)).await {
            tracing::warn!(?error, "could not forget slips; trying again");
            self.slips.put_done(done);
        }
    }
}
