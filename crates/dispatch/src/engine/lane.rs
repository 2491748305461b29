//! A destination in memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{DeliveryId, DestinationId, Event, Timestamp};

use super::breaker::{Breaker, Passage};
use super::host::Host;
use super::keys::Keys;
use super::slips::Ticket;
use crate::channel::{Channel, Prepared};
use crate::config::Options;
use crate::destinations::{Destination, State};
use crate::queue::Pending;

/// A pending delivery in memory, with its event.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) row: Pending,
    pub(crate) event: Arc<Event>,
    /// The epoch of the node that owned the row when it was read or written.
    pub(crate) epoch: i64,
    /// Nothing pending with the same ordering key stood before it when it was written.
    pub(crate) is_first: bool,
    /// If it stands on a slip, or did.
    pub(crate) ticket: Option<Ticket>,
}

impl Item {
    /// What it takes in memory, about, in bytes. Deliveries of one event share its data.
    fn cost(&self) -> usize {
        const ROW: usize = 600;
        ROW + self.event.data.len() / Arc::strong_count(&self.event).max(1)
    }
}

/// A destination, ready to be sent to.
pub(crate) struct Target {
    pub(crate) destination: Destination,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) prepared: Prepared,
    /// The host that it shares with others.
    pub(crate) host: Option<Arc<Host>>,
}

/// What is known about where a lane leads.
#[derive(Clone)]
pub(crate) enum Aim {
    /// Nothing yet, or it changed: load it.
    Unknown,
    /// There is no such destination: its rows are to be removed.
    Missing,
    At(Arc<Target>),
}

impl Aim {
    pub(crate) fn state(&self) -> Option<State> {
        match self {
            Self::At(target) => Some(target.destination.state),
            Self::Unknown | Self::Missing => None,
        }
    }

    /// Whether its pending deliveries are to be ended without an attempt.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Missing) || self.state() == Some(State::Disabled)
    }
}

/// Whether the next delivery may start.
pub(crate) enum Start {
    Now(Arc<Target>),
    /// Not before something else happens.
    No,
    At(Timestamp),
}

pub(crate) struct Lane {
    pub(crate) id: DestinationId,
    state: Mutex<LaneState>,
}

pub(crate) struct LaneState {
    pub(crate) aim: Aim,
    pub(crate) ready: VecDeque<Item>,
    /// What waits behind others with the same ordering key.
    pub(crate) keys: Keys,
    /// Everything in memory that is not settled: ready, behind others, under way, or with its outcome being written.
    held: HashMap<DeliveryId, usize>,
    /// What all lanes hold, in bytes.
    total: Arc<AtomicUsize>,
    /// Settled while a load is under way, which may still have seen them pending.
    pub(crate) gone: HashSet<DeliveryId>,
    pub(crate) in_flight: usize,
    /// Attempts at once, adapted.
    pub(crate) limit: usize,
    pub(crate) breaker: Breaker,
    /// The receiver asked for a pause.
    pub(crate) hold_until: Option<Timestamp>,
    /// The rate limit's theoretical arrival time in microseconds (GCRA).
    next_arrival_us: i64,
    /// The database has due rows that are not in memory.
    pub(crate) backlog: bool,
    /// While a backlog is worked off: the last row that was loaded. The next load goes on after it instead of reading past everything held.
    pub(crate) scanned: Option<(Timestamp, i64)>,
    /// Something was left to the database while a load was under way.
    pub(crate) missed: bool,
    pub(crate) loading: bool,
    /// The destination changed while a load was under way.
    pub(crate) changed: bool,
    /// In the line for a place among the attempts under way.
    pub(crate) queued: bool,
    /// When the next row in the database is due.
    pub(crate) next_due: Option<Timestamp>,
    /// When the timer will look.
    pub(crate) wake_at: Option<Timestamp>,
    /// Its deliveries lingered on slips: until then they go into the queue at once.
    pub(crate) is_slow_until: Option<Timestamp>,
    /// Since when nothing arrives, as the database says too.
    pub(crate) failing: Option<Timestamp>,
    pub(crate) used_at: Timestamp,
}

impl Lane {
    pub(crate) fn new(id: DestinationId, options: &Options, now: Timestamp, total: Arc<AtomicUsize>) -> Self {
        let state = LaneState {
            aim: Aim::Unknown,
            ready: VecDeque::new(),
            keys: Keys::default(),
            held: HashMap::new(),
            total,
            gone: HashSet::new(),
            in_flight: 0,
            limit: options.start_concurrency.max(1),
            breaker: Breaker::default(),
            hold_until: None,
            next_arrival_us: i64::MIN,
            backlog: false,
            scanned: None,
            missed: false,
            loading: false,
            changed: false,
            queued: false,
            next_due: None,
            wake_at: None,
            is_slow_until: None,
            failing: None,
            used_at: now,
        };
        Self { id, state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneState {
    /// Takes a delivery right from its publication into memory, if there is room and nothing older waits in the database; otherwise it
    /// stays there.
    pub(crate) fn take_in(&mut self, item: Item, options: &Options) {
        let is_next =
            item.row.ordering_key.as_deref().is_none_or(|key| self.keys.is_complete(key) || (item.is_first && !self.keys.is_busy(key)));
        if !self.backlog && is_next && !self.breaker.is_open() && self.has_room(options) {
            return self.take(item);
        }
        if let Some(key) = &item.row.ordering_key {
            self.keys.leave(key, self.loading);
        }
        self.leave_to_database();
    }

    /// Whether what is published now will likely be taken into memory, attempted and ended at once.
    pub(crate) fn is_brisk(&self, options: &Options, now: Timestamp) -> bool {
        let is_open = matches!(&self.aim, Aim::At(target) if target.destination.state == State::Enabled && interval_us(target).is_none());
        let is_held_up = self.hold_until.max(self.is_slow_until).is_some_and(|until| until > now);
        is_open && !is_held_up && !self.backlog && !self.is_shut() && self.failing.is_none() && self.has_room(options)
    }

    fn has_room(&self, options: &Options) -> bool {
        self.held.len() < options.ready_per_destination || self.total.load(Ordering::Relaxed) < options.memory
    }

    /// Takes a delivery into memory, unless it is there: ready, or behind those with its key.
    pub(crate) fn take(&mut self, item: Item) {
        if let Entry::Vacant(place) = self.held.entry(item.row.id) {
            let cost = item.cost();
            place.insert(cost);
            self.total.fetch_add(cost, Ordering::Relaxed);
            self.ready.extend(self.keys.line_up(item));
        }
    }

    /// It is settled, or left to the database.
    pub(crate) fn release(&mut self, id: DeliveryId) {
        if let Some(cost) = self.held.remove(&id) {
            self.total.fetch_sub(cost, Ordering::Relaxed);
        }
    }

    pub(crate) fn holds(&self, id: DeliveryId) -> bool {
        self.held.contains_key(&id)
    }

    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn held(&self) -> HashSet<DeliveryId> {
        self.held.keys().copied().collect()
    }

    /// Deliveries in memory that have not begun.
    pub(crate) fn unbegun(&self) -> usize {
        self.ready.len() + self.keys.waiting()
    }

    /// An ordered delivery is settled: the next with its key is ready. `until`: it will be tried again then.
    pub(crate) fn key_settled(&mut self, key: &str, until: Option<Timestamp>) {
        match until {
            None => {
                let (next, is_more) = self.keys.ended(key);
                self.ready.extend(next);
                if is_more {
                    self.scanned = None;
                    self.leave_to_database();
                }
            }
            Some(until) => {
                let behind = self.keys.hold_up(key, until, self.loading);
                self.put_back(&behind);
            }
        }
    }

    /// Leaves to the database what had been taken in.
    pub(crate) fn put_back(&mut self, items: &[Item]) {
        if items.is_empty() {
            return;
        }
        for item in items {
            self.release(item.row.id);
            if let Some(key) = &item.row.ordering_key {
                self.keys.leave(key, self.loading);
            }
        }
        self.scanned = None;
        self.leave_to_database();
    }

    pub(crate) fn leave_to_database(&mut self) {
        self.backlog = true;
        self.missed |= self.loading;
    }

    /// The destination changed, or may have.
    pub(crate) fn forget_aim(&mut self) {
        self.aim = Aim::Unknown;
        self.changed |= self.loading;
    }

    /// Forgets what is in memory but not begun; the database has it.
    pub(crate) fn forget_ready(&mut self) {
        let mut items = self.keys.drain();
        for item in self.ready.drain(..) {
            if let Some(key) = &item.row.ordering_key {
                self.keys.give_up(key);
            }
            items.push(item);
        }
        self.ready.shrink_to(8);
        self.put_back(&items);
    }

    /// Whether nothing gets through at present: its own breaker is open, or its host's.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(self.aim, Aim::At(_)) && (self.breaker.is_open() || self.host().is_some_and(Host::is_shut))
    }

    /// The host that it leads to and shares with others.
    fn host(&self) -> Option<&Host> {
        let Aim::At(target) = &self.aim else { return None };
        target.host.as_deref()
    }

    /// Somebody wants to know now whether the receiver is back: the next attempt is the probe.
    pub(crate) fn allow_probe(&mut self, now: Timestamp) {
        self.breaker.allow_probe(now);
        if let Some(host) = self.host() {
            host.allow_probe(now);
        }
    }

    /// Something arrived outside the queue.
    pub(crate) fn is_back(&mut self) {
        self.breaker.succeeded();
        if let Some(host) = self.host() {
            host.is_there();
        }
    }

    /// Nothing to do and nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty()
            && self.in_flight == 0
            && !self.loading
            && !self.queued
            && !self.backlog
            && self.next_due.is_none()
            && !self.breaker.is_open()
    }

    pub(crate) fn due_earlier(&mut self, due: Timestamp) {
        self.next_due = Some(self.next_due.map_or(due, |old| old.min(due)));
    }

    /// Whether the front of the ready set may start at `now`.
    pub(crate) fn may_start(&mut self, now: Timestamp) -> Start {
        let Aim::At(target) = &self.aim else { return Start::No };
        if target.destination.state != State::Enabled || self.ready.is_empty() {
            return Start::No;
        }
        if let Some(until) = self.hold_until.filter(|until| *until > now) {
            return Start::At(until);
        }
        let policy = &target.destination.policy;
        let most = match self.breaker.passage(now) {
            Passage::Shut(until) => return Start::At(until),
            Passage::Probe => 1,
            Passage::Free => self.limit.min(policy.max_concurrency.max(1) as usize),
        };
        if self.in_flight >= most { Start::No } else { self.within_rate(now) }
    }

    /// The rate limit, as GCRA: an even spacing, and at most 50 ms of it at once.
    fn within_rate(&self, now: Timestamp) -> Start {
        let Aim::At(target) = &self.aim else { return Start::No };
        let Some(interval) = interval_us(target) else { return Start::Now(Arc::clone(target)) };
        let ahead = self.next_arrival_us.saturating_sub(now.millis().saturating_mul(1000));
        let tolerance = 50_000 - interval.min(50_000);
        if ahead > tolerance {
            let wait = u64::try_from(ahead - tolerance).unwrap_or(0).div_ceil(1000);
            return Start::At(now.plus(Duration::from_millis(wait)));
        }
        Start::Now(Arc::clone(target))
    }

    /// Takes the front and counts it.
    pub(crate) fn begin(&mut self, now: Timestamp) -> Option<Item> {
        let item = self.ready.pop_front()?;
        self.in_flight += 1;
        self.used_at = now;
        if let Aim::At(target) = &self.aim
            && let Some(interval) = interval_us(target)
        {
            self.next_arrival_us = self.next_arrival_us.max(now.millis().saturating_mul(1000)).saturating_add(interval);
        }
        Some(item)
    }

    /// What was begun is not sent after all: its turn under the rate limit is for the next.
    pub(crate) fn not_sent(&mut self, target: &Target) {
        if let Some(interval) = interval_us(target) {
            self.next_arrival_us = self.next_arrival_us.saturating_sub(interval);
        }
    }
}

fn interval_us(target: &Target) -> Option<i64> {
    target.destination.policy.rate_per_second.map(|rate| 1_000_000 / i64::from(rate.max(1)))
}
