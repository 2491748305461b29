//! A destination in memory.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{DeliveryId, DestinationId, Event, Timestamp};

use super::breaker::{Breaker, Passage};
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
}

/// A destination, ready to be sent to.
pub(crate) struct Target {
    pub(crate) destination: Destination,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) prepared: Prepared,
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
    /// Everything in memory that is not settled: ready, under way, or with its outcome being written.
    pub(crate) held: HashSet<DeliveryId>,
    /// Settled while a load is under way, which may still have seen them pending.
    pub(crate) gone: HashSet<DeliveryId>,
    pub(crate) in_flight: usize,
    /// Attempts at once, adapted.
    pub(crate) limit: usize,
    pub(crate) breaker: Breaker,
    /// The receiver asked for a pause, or an ordered delivery waits for its retry.
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
    /// Whether the database says that nothing arrives.
    pub(crate) failing: bool,
    pub(crate) used_at: Timestamp,
}

impl Lane {
    pub(crate) fn new(id: DestinationId, options: &Options, now: Timestamp) -> Self {
        let state = LaneState {
            aim: Aim::Unknown,
            ready: VecDeque::new(),
            held: HashSet::new(),
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
            failing: false,
            used_at: now,
        };
        Self { id, state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneState {
    /// Takes a delivery into memory if there is room and nothing older waits in the database; otherwise it stays there.
    pub(crate) fn take_in(&mut self, item: Item, room: usize) {
        if self.backlog || self.ready.len() >= room || self.breaker.is_open() {
            self.leave_to_database();
        } else if self.held.insert(item.row.id) {
            self.ready.push_back(item);
        }
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

    /// Forgets what is ready but not begun; the database has it.
    pub(crate) fn forget_ready(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        for item in self.ready.drain(..) {
            self.held.remove(&item.row.id);
        }
        self.ready.shrink_to(8);
        self.scanned = None;
        self.leave_to_database();
    }

    pub(crate) fn is_ordered(&self) -> bool {
        matches!(&self.aim, Aim::At(target) if target.destination.policy.ordered)
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
        // The one before must be settled, or a crash could turn the order round.
        if policy.ordered && self.held.len() != self.ready.len() {
            return Start::No;
        }
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
}

fn interval_us(target: &Target) -> Option<i64> {
    target.destination.policy.rate_per_second.map(|rate| 1_000_000 / i64::from(rate.max(1)))
}
