//! The engine of one node: lanes in memory, and the tasks that fill and empty them.

mod attempt;
mod breaker;
mod end;
mod forget;
mod host;
mod judge;
mod keys;
mod lane;
mod load;
mod log;
mod nodes;
mod outcome;
mod slips;
mod slots;
mod sweep;
mod timer;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use kernel::{Ambient, DestinationId, Error, Result, Scope, TenantId};
use store::{Change, Node, Store};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

pub(crate) use attempt::attempt;
pub(crate) use lane::{Item, Target};
pub(crate) use load::target;
pub(crate) use log::{Logged, insert as insert_attempts, logged};

use crate::channel::Channel;
use crate::config::Options;
use crate::destinations;
use crate::observer::Observer;
use crate::queue::slips::{self as slip_rows, Which};
use crate::{Snapshot, deliveries};
use host::{Entry, Hosts};
use lane::{Lane, LaneState, Start};
use outcome::Outcome;
use slips::Slips;
use slots::{Place, Slots};
use timer::Timer;

const SHARDS: usize = 16;
/// Outcomes that may wait to be written before attempts wait for the database.
const OUTCOMES: usize = 4096;
/// Groups of attempts that may wait for the log before outcomes wait for it.
const LOGS: usize = 256;
/// Loads from the database at once.
const LOADS: usize = 4;

/// The scope of the engine's own transactions.
pub(crate) fn scope() -> Scope {
    Scope::system("dispatch")
}

/// What comes next for a lane.
#[allow(clippy::large_enum_variant, reason = "it is made and taken apart on the spot")]
enum Next {
    Begun(Arc<Target>, Item),
    /// Nothing before something else happens.
    No,
    At(kernel::Timestamp),
}

type Receivers = (mpsc::Receiver<Outcome>, mpsc::Receiver<log::Group>);

pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) options: Options,
    channels: HashMap<&'static str, Arc<dyn Channel>>,
    /// Who is told of ends and turns.
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
    node: RwLock<Node>,
    shards: [Mutex<HashMap<DestinationId, Arc<Lane>>>; SHARDS],
    hasher: RandomState,
    hosts: Hosts,
    /// Deliveries in memory, of all lanes.
    held: Arc<AtomicUsize>,
    slots: Slots,
    timer: Timer,
    outcomes: mpsc::Sender<Outcome>,
    logs: mpsc::Sender<log::Group>,
    receivers: Mutex<Option<Receivers>>,
    loads: Semaphore,
    /// Attempts begun whose outcome and log row are not yet written.
    unsettled: AtomicUsize,
    settled: Notify,
    pub(crate) slips: Arc<Slips>,
    /// The next group's number in the journal, and the groups that the log has.
    journal_next: AtomicI64,
    journal_done: Mutex<Vec<i64>>,
    sweep_now: Notify,
    started: AtomicBool,
    draining: AtomicBool,
    stop: CancellationToken,
    runtime: tokio::runtime::Handle,
}

impl Engine {
    pub(crate) fn new(
        store: Store,
        ambient: Ambient,
        channels: HashMap<&'static str, Arc<dyn Channel>>,
        options: Options,
        node: Node,
    ) -> Arc<Self> {
        let (outcomes, outcomes_in) = mpsc::channel(OUTCOMES);
        let (logs, logs_in) = mpsc::channel(LOGS);
        Arc::new(Self {
            store,
            ambient,
            channels,
            observer: OnceLock::new(),
            node: RwLock::new(node),
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            hosts: Hosts::default(),
            held: Arc::default(),
            slots: Slots::new(options.max_in_flight_total),
            options,
            timer: Timer::default(),
            outcomes,
            logs,
            receivers: Mutex::new(Some((outcomes_in, logs_in))),
            loads: Semaphore::new(LOADS),
            unsettled: AtomicUsize::new(0),
            settled: Notify::new(),
            slips: Arc::default(),
            journal_next: AtomicI64::new(1),
            journal_done: Mutex::default(),
            sweep_now: Notify::new(),
            started: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            stop: CancellationToken::new(),
            runtime: tokio::runtime::Handle::current(),
        })
    }

    pub(crate) fn node(&self) -> Node {
        *self.node.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn channel(&self, name: &str) -> Result<Arc<dyn Channel>> {
        let unknown = || Error::invalid("unknown_channel", format!("There is no delivery channel {name:?}."));
        self.channels.get(name).cloned().ok_or_else(unknown)
    }

    /// Follows change notices. Holds the engine weakly: listeners cannot be taken away.
    pub(crate) fn listen(engine: &Arc<Self>) {
        let weak = Arc::downgrade(engine);
        engine.store.on_change(Box::new(move |change| {
            if let Some(engine) = weak.upgrade() {
                engine.changed(change);
            }
        }));
    }

    fn changed(self: &Arc<Self>, change: &Change) {
        if change.topic == Change::EVERYTHING {
            for lane in self.lanes() {
                lane.lock().forget_aim();
                self.visit(&lane);
            }
            self.sweep_now.notify_one();
            return;
        }
        let (of_destination, of_queue) = (change.topic == destinations::TOPIC, change.topic == deliveries::TOPIC);
        let Some(id) = change.key.parse().ok().filter(|_| of_destination || of_queue) else { return };
        let known = self.known_lane(id);
        let Some(lane) = known.or_else(|| of_queue.then(|| self.lane(id))) else {
            // Nothing of it is in memory; it may have rows that wait.
            self.sweep_now.notify_one();
            return;
        };
        let mut state = lane.lock();
        if of_destination {
            state.forget_aim();
        }
        // What waits has to be looked at, whatever the new state is.
        state.scanned = None;
        state.leave_to_database();
        if of_queue {
            // Somebody asked for it: that is reason enough to see whether the receiver is back.
            state.allow_probe(self.ambient.now());
        }
        drop(state);
        self.visit(&lane);
    }

    /// An attempt outside the queue arrived: whatever kept the destination waiting is over.
    pub(crate) fn is_back(self: &Arc<Self>, id: DestinationId) {
        let Some(lane) = self.known_lane(id) else { return };
        lane.lock().is_back();
        self.visit(&lane);
    }

    /// Spawns a task that ends with the engine.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // In a box: an attempt is three kilobytes, and would be moved at each of these steps.
        self.runtime.spawn(self.stop.clone().run_until_cancelled_owned(Box::pin(task)));
    }

    /// Ends every task at once.
    pub(crate) fn abandon(&self) {
        self.stop.cancel();
    }

    fn runs(&self) -> bool {
        self.started.load(Ordering::Relaxed) && !self.draining.load(Ordering::Relaxed) && !self.stop.is_cancelled()
    }

    fn shard(&self, id: DestinationId) -> &Mutex<HashMap<DestinationId, Arc<Lane>>> {
        let hash = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or(0);
        &self.shards[hash]
    }

    fn known_lane(&self, id: DestinationId) -> Option<Arc<Lane>> {
        self.shard(id).lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn lane(&self, id: DestinationId) -> Arc<Lane> {
        let mut shard = self.shard(id).lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shard.entry(id).or_insert_with(|| Arc::new(Lane::new(id, &self.options, self.ambient.now(), Arc::clone(&self.held)))))
    }

    fn lanes(&self) -> Vec<Arc<Lane>> {
        let all = |shard: &Mutex<HashMap<DestinationId, Arc<Lane>>>| -> Vec<Arc<Lane>> {
            shard.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
        };
        self.shards.iter().flat_map(all).collect()
    }

    /// Whether a delivery that is published now for this destination will likely be attempted and ended at once.
    pub(crate) fn is_brisk(&self, id: DestinationId) -> bool {
        self.runs() && self.known_lane(id).is_some_and(|lane| lane.lock().is_brisk(&self.options, self.ambient.now()))
    }

    /// Takes what this node has just committed.
    pub(crate) fn accept(self: &Arc<Self>, items: Vec<Item>) {
        let (epoch, now) = (self.node().epoch, self.ambient.now());
        let mut touched: Vec<Arc<Lane>> = Vec::new();
        for item in items {
            // A row of an earlier life is being taken over by this one; it will be loaded.
            if item.epoch != epoch {
                continue;
            }
            let id = item.row.destination;
            let at = touched.iter().position(|lane| lane.id == id);
            let at = at.unwrap_or_else(|| {
                touched.push(self.lane(id));
                touched.len() - 1
            });
            let mut state = touched[at].lock();
            if item.row.due_at > now {
                state.due_earlier(item.row.due_at);
            } else {
                state.take_in(item, &self.options);
            }
        }
        for lane in touched {
            self.visit(&lane);
        }
    }

    /// Does whatever a lane needs: load, end, start attempts, be woken later. Quick; called whenever something changed.
    fn visit(self: &Arc<Self>, lane: &Arc<Lane>) {
        if !self.runs() {
            return;
        }
        let mut state = lane.lock();
        let now = self.ambient.now();
        if state.next_due.is_some_and(|due| due <= now) {
            state.next_due = None;
            state.scanned = None;
            state.leave_to_database();
        }
        self.begin_load(lane, &mut state, now);
        let queued = self.begin_attempts(lane, &mut state, now);
        if let Some(due) = state.next_due {
            self.wake(lane, &mut state, due);
        }
        drop(state);
        if queued {
            self.serve_waiting();
        }
    }

    /// Starts what may start; true if the lane now waits in line for its first place.
    fn begin_attempts(self: &Arc<Self>, lane: &Arc<Lane>, state: &mut LaneState, now: kernel::Timestamp) -> bool {
        while !state.queued {
            let target = match state.may_start(now) {
                Start::Now(target) => target,
                Start::No => return false,
                Start::At(at) => {
                    self.wake(lane, state, at);
                    return false;
                }
            };
            let tenant = target.destination.tenant;
            let place = if state.in_flight == 0 { Place::First } else { Place::More };
            if !self.slots.take(tenant, place) {
                if place == Place::First {
                    state.queued = true;
                    self.slots.wait(tenant, Arc::clone(lane));
                }
                return state.queued;
            }
            let next = self.enter(lane.id, state, target, now);
            if !self.begin_one(lane, state, next, tenant) {
                return false;
            }
        }
        false
    }

    /// Begins the lane's next attempt on a place that was taken for it, or gives the place back; false then.
    fn begin_one(self: &Arc<Self>, lane: &Arc<Lane>, state: &mut LaneState, next: Next, tenant: TenantId) -> bool {
        match next {
            Next::Begun(target, item) => {
                let (engine, lane) = (Arc::clone(self), Arc::clone(lane));
                self.spawn(engine.work(lane, target, item));
                return true;
            }
            Next::At(at) => self.wake(lane, state, at),
            Next::No => {}
        }
        self.slots.give(tenant);
        false
    }

    /// The lane's next attempt, if it may start.
    fn next(&self, lane: DestinationId, state: &mut LaneState, now: kernel::Timestamp) -> Next {
        match state.may_start(now) {
            Start::Now(target) => self.enter(lane, state, target, now),
            Start::No => Next::No,
            Start::At(at) => Next::At(at),
        }
    }

    /// The lane's next attempt, which may start, counted as begun with its destination and its host.
    fn enter(&self, lane: DestinationId, state: &mut LaneState, target: Arc<Target>, now: kernel::Timestamp) -> Next {
        if let Some(host) = &target.host {
            match host.enter(lane, now, self.options.max_per_host) {
                Entry::Free => {}
                Entry::Full => return Next::No,
                Entry::Shut(until) => return Next::At(until),
            }
        }
        match state.begin(now) {
            Some(item) => {
                self.unsettled.fetch_add(1, Ordering::SeqCst);
                Next::Begun(target, item)
            }
            None => {
                if let Some(host) = &target.host {
                    host.turn_back();
                }
                Next::No
            }
        }
    }

    /// Looks at a lane that waited for something.
    fn look_at(self: &Arc<Self>, id: DestinationId) {
        if let Some(lane) = self.known_lane(id) {
            self.visit(&lane);
        }
    }

    /// Gives free places to the lanes that wait for their first one, by turns.
    fn serve_waiting(self: &Arc<Self>) {
        while let Some((tenant, lane)) = self.slots.next() {
            let mut state = lane.lock();
            state.queued = false;
            let now = self.ambient.now();
            if !self.runs() {
                self.slots.give(tenant);
                continue;
            }
            let next = self.next(lane.id, &mut state, now);
            if self.begin_one(&lane, &mut state, next, tenant) {
                self.begin_attempts(&lane, &mut state, now);
            }
        }
    }

    /// Looks at the lane again at `at`.
    fn wake(&self, lane: &Lane, state: &mut LaneState, at: kernel::Timestamp) {
        if state.wake_at.is_none_or(|earlier| at < earlier) {
            state.wake_at = Some(at);
            self.timer.add(at, lane.id);
        }
    }

    pub(crate) fn poke(&self) {
        self.timer.look();
        self.sweep_now.notify_one();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut all = Snapshot { in_flight: self.slots.in_use(), unsettled: self.unsettled.load(Ordering::SeqCst), ..Snapshot::default() };
        for lane in self.lanes() {
            let state = lane.lock();
            all.lanes += 1;
            all.ready += state.ready.len();
            all.ready_most = all.ready_most.max(state.ready.len());
            all.broken += usize::from(state.breaker.is_open());
        }
        all
    }

    pub(crate) async fn start(engine: &Arc<Self>) -> Result<()> {
        let receivers = engine.receivers.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((outcomes, logs)) = receivers else { return Ok(()) };
        engine.spawn(Arc::clone(engine).write_outcomes(outcomes));
        engine.spawn(Arc::clone(engine).write_logs(logs));
        let dead = engine.bury(true).await?;
        engine.started.store(true, Ordering::SeqCst);
        engine.spawn(Arc::clone(engine).keep_alive(dead));
        engine.spawn(Arc::clone(engine).keep_time());
        engine.spawn(Arc::clone(engine).keep_slips());
        engine.spawn(Arc::clone(engine).keep_sweeping());
        Ok(())
    }

    /// Wakes lanes at their times.
    async fn keep_time(self: Arc<Self>) {
        loop {
            let (due, next) = self.timer.due(self.ambient.now());
            for (at, id) in due {
                let Some(lane) = self.known_lane(id) else { continue };
                let mut state = lane.lock();
                if state.wake_at == Some(at) {
                    state.wake_at = None;
                }
                drop(state);
                self.visit(&lane);
            }
            self.timer.rest(next).await;
        }
    }

    pub(crate) async fn drain(engine: &Arc<Self>, deadline: Duration) {
        engine.draining.store(true, Ordering::SeqCst);
        let quiet = async {
            loop {
                let settled = engine.settled.notified();
                if engine.unsettled.load(Ordering::SeqCst) == 0 {
                    return;
                }
                settled.await;
            }
        };
        if tokio::time::timeout(deadline, quiet).await.is_err() {
            tracing::warn!(unsettled = engine.unsettled.load(Ordering::SeqCst), "attempts were still under way at the deadline");
        }
        engine.stop.cancel();
        let (node, logged) = (engine.node(), engine.journal_done());
        let bye = engine.store.write(scope(), move |tx| {
            outcome::forget_groups(tx, node, &logged)?;
            while slip_rows::spill(tx, Which::Node(node.id))?.slips > 0 {}
            node.stop(tx)
        });
        if let Err(error) = bye.await {
            tracing::warn!(?error, "could not say goodbye; others will notice");
        }
    }

    fn journal_done(&self) -> Vec<i64> {
        std::mem::take(&mut *self.journal_done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn settle_one(&self) {
        if self.unsettled.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.settled.notify_waiters();
        }
    }
}
