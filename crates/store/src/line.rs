//! The waiting line that the threads of one kind share, and whose turn it is.
//!
//! Work is done in the order in which it came, with two exceptions that keep one tenant from standing in everybody's way:
//!
//! * A tenant holds all threads but one at most.
//! * A tenant whose work took long is in debt for as long as that work took. Who is in debt waits for those who are not, and all who are
//!   in debt hold together all threads but one at most.
//!
//! The server's own work and the operator's is nobody's in this sense. Ordinary work takes well below [`LONG`], so that the rule costs one
//! comparison.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::TenantId;

use crate::work::Work;

/// Work that takes longer puts its tenant in debt.
const LONG: Duration = Duration::from_millis(20);
/// No debt lasts longer.
const MOST_DEBT: Duration = Duration::from_secs(10);

/// Whose work it is; none: the server's own.
pub(crate) type Party = Option<TenantId>;

/// A line for so many threads.
pub(crate) struct Line {
    state: Mutex<Waiting>,
    arrived: Condvar,
}

struct Waiting {
    queue: VecDeque<(Party, Box<dyn Work>)>,
    /// What is being done: whose, and whether they were in debt when it began. As many as there are threads.
    running: Vec<(Party, bool)>,
    /// Few: who had long work in the last seconds.
    debts: Vec<(Party, Instant)>,
    /// Threads that a tenant holds at most.
    most: usize,
    closed: bool,
}

/// What a thread finds when it waits for work.
pub(crate) enum Found {
    Work(Turn),
    /// Nothing came in the given time.
    Nothing,
    /// The line is closed and empty: the thread may end.
    Closed,
}

/// Work whose turn has come; [`Line::done`] takes it back.
pub(crate) struct Turn {
    pub(crate) work: Box<dyn Work>,
    pub(crate) party: Party,
}

impl Line {
    /// For so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        let most = threads.saturating_sub(1).max(1);
        let waiting = Waiting { queue: VecDeque::new(), running: Vec::with_capacity(threads), debts: Vec::new(), most, closed: false };
        Self { state: Mutex::new(waiting), arrived: Condvar::new() }
    }

    /// Adds work, unless the line is closed.
    pub(crate) fn push(&self, work: Box<dyn Work>) -> bool {
        let party = work.scope().tenant();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return false;
        }
        state.queue.push_back((party, work));
        drop(state);
        self.arrived.notify_one();
        true
    }

    /// What waits is still done; nothing more is taken.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.arrived.notify_all();
    }

    /// Waits for a turn.
    #[allow(clippy::disallowed_methods, reason = "measures how long threads work; nothing observable depends on it")]
    pub(crate) fn wait(&self, patience: Duration) -> Found {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = None;
        let idle = |state: &mut Waiting| {
            next = state.next(Instant::now());
            next.is_none() && !(state.closed && state.queue.is_empty())
        };
        let (state, _) = self.arrived.wait_timeout_while(state, patience, idle).unwrap_or_else(PoisonError::into_inner);
        match next {
            Some(turn) => Found::Work(turn),
            None if state.closed && state.queue.is_empty() => Found::Closed,
            None => Found::Nothing,
        }
    }

    /// The next turn, if there is one now.
    pub(crate) fn next(&self, now: Instant) -> Option<Turn> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).next(now)
    }

    /// Says that a turn is over, and what it took.
    pub(crate) fn done(&self, party: Party, took: Duration, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = state.running.iter().position(|(running, _)| *running == party) {
            state.running.swap_remove(at);
        }
        if took > LONG && party.is_some() {
            state.owe(party, took, now);
        }
        // Nobody needs to be woken: the thread whose turn this was looks for the next one.
    }
}

impl Waiting {
    fn next(&mut self, now: Instant) -> Option<Turn> {
        if self.queue.is_empty() {
            return None;
        }
        if !self.debts.is_empty() {
            self.debts.retain(|(_, until)| *until > now);
        }
        // The first who is not in debt; of those who are, the one who will be out of it first.
        let mut best: Option<(usize, Instant)> = None;
        for (at, (party, _)) in self.queue.iter().enumerate() {
            match self.debt(*party) {
                None if self.may_begin(*party, false) => return self.begin(at, false),
                Some(until) if best.is_none_or(|(_, least)| until < least) && self.may_begin(*party, true) => best = Some((at, until)),
                _ => {}
            }
        }
        best.and_then(|(at, _)| self.begin(at, true))
    }

    fn begin(&mut self, at: usize, is_owing: bool) -> Option<Turn> {
        let (party, work) = self.queue.remove(at)?;
        self.running.push((party, is_owing));
        Some(Turn { work, party })
    }

    /// Whether a thread may be given to them. A line that closes is emptied as it is.
    fn may_begin(&self, party: Party, is_owing: bool) -> bool {
        if party.is_none() || self.closed {
            return true;
        }
        let own = self.running.iter().filter(|(running, _)| *running == party).count();
        own < self.most && (!is_owing || self.running.iter().filter(|(_, owing)| *owing).count() < self.most)
    }

    fn debt(&self, party: Party) -> Option<Instant> {
        self.debts.iter().find(|(owing, _)| *owing == party).map(|(_, until)| *until)
    }

    fn owe(&mut self, party: Party, took: Duration, now: Instant) {
        let until = self.debt(party).map_or(now, |until| until.max(now)) + took;
        let until = until.min(now + MOST_DEBT);
        match self.debts.iter_mut().find(|(owing, _)| *owing == party) {
            Some(debt) => debt.1 = until,
            None => self.debts.push((party, until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Gone;
    use crate::tx::Tx;
    use kernel::{Ambient, Scope, TenantScope};

    struct Told {
        scope: Scope,
        gone: Gone,
    }

    impl Work for Told {
        fn scope(&self) -> &Scope {
            &self.scope
        }
        fn gone(&self) -> &Gone {
            &self.gone
        }
        fn limit(&self) -> Option<Duration> {
            None
        }
        fn run(&mut self, _: &mut Tx<'_>) -> bool {
            true
        }
        fn finish(self: Box<Self>, _: Option<&str>) {}
    }

    fn push(line: &Line, tenant: TenantId) {
        let scope = TenantScope::system("test", tenant).into();
        assert!(line.push(Box::new(Told { scope, gone: Gone::default() })));
    }

    fn next(line: &Line, now: Instant) -> Party {
        line.next(now).and_then(|turn| turn.party)
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a point in time to count from")]
    fn a_tenant_leaves_a_thread_to_others() {
        let (ambient, now) = (Ambient::system(), Instant::now());
        let (a, b): (TenantId, TenantId) = (ambient.id(), ambient.id());
        let line = Line::new(3);
        (0..5).for_each(|_| push(&line, a));
        assert_eq!((next(&line, now), next(&line, now), next(&line, now)), (Some(a), Some(a), None));
        push(&line, b);
        assert_eq!((next(&line, now), next(&line, now)), (Some(b), None));
        line.done(Some(a), Duration::from_millis(1), now);
        assert_eq!(next(&line, now), Some(a));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a point in time to count from")]
    fn who_took_long_waits_for_those_who_did_not() {
        let (ambient, now) = (Ambient::system(), Instant::now());
        let (a, b, c): (TenantId, TenantId, TenantId) = (ambient.id(), ambient.id(), ambient.id());
        let line = Line::new(1);
        [a, a, b, c, a].into_iter().for_each(|tenant| push(&line, tenant));
        assert_eq!(next(&line, now), Some(a));
        line.done(Some(a), Duration::from_secs(1), now);
        assert_eq!(next(&line, now), Some(b), "a is in debt");
        line.done(Some(b), Duration::from_secs(2), now);
        push(&line, b);
        assert_eq!(next(&line, now), Some(c), "a and b are in debt");
        line.done(Some(c), Duration::from_millis(1), now);
        assert_eq!(next(&line, now), Some(a), "a owes less than b");
        line.done(Some(a), Duration::from_millis(1), now);
        push(&line, c);
        let later = now + Duration::from_millis(1500);
        assert_eq!(next(&line, later), Some(a), "a owes nothing any longer, and came before c");
        line.done(Some(a), Duration::from_millis(1), later);
        assert_eq!(next(&line, later), Some(c), "b is in debt still");
        line.done(Some(c), Duration::from_millis(1), later);
        assert_eq!(next(&line, later), Some(b), "a thread is not idle while anybody waits");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a point in time to count from")]
    fn those_in_debt_leave_a_thread_to_others_together() {
        let (ambient, now) = (Ambient::system(), Instant::now());
        let (a, b, c): (TenantId, TenantId, TenantId) = (ambient.id(), ambient.id(), ambient.id());
        let line = Line::new(3);
        for tenant in [a, b] {
            push(&line, tenant);
            assert_eq!(next(&line, now), Some(tenant));
            line.done(Some(tenant), Duration::from_secs(1), now);
        }
        [a, b, b, a].into_iter().for_each(|tenant| push(&line, tenant));
        assert_eq!((next(&line, now), next(&line, now), next(&line, now)), (Some(a), Some(b), None));
        push(&line, c);
        assert_eq!((next(&line, now), next(&line, now)), (Some(c), None));
    }
}
