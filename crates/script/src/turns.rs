//! Whose run is next. Workers are few and a run is never interrupted for another, so what matters is who gets a worker that comes free.
//!
//! * **Turns by time taken.** Of those who wait, the one that has taken the least processor time is next (start-time fair queueing). Whoever
//!   comes after a pause begins where the others are: nobody saves up.
//! * **Slow runs never have all workers.** A function that takes more than [`QUICK`](crate::limits::QUICK), or that has never been run, gets
//!   one of half of the workers, and one party never has all of these. So a quick run waits for quick ones only, and a party's first slow run
//!   waits for other parties' slow ones at most: for one of them, since it has taken the least.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::limits::QUICK;
use crate::paces::{Pace, Paces};

/// On whose account a function runs: a tenant's id, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Party(pub u128);

impl Party {
    /// Checks of sources, which have no owner yet.
    pub const CHECKS: Self = Self(0);
}

/// The workers' places.
pub(crate) struct Turns {
    state: Mutex<State>,
    /// Most places of slow runs, and of one party's slow runs.
    slow: usize,
    slow_each: usize,
}

struct State {
    free: usize,
    slow: usize,
    /// Where the party stood whose run began last.
    clock: Duration,
    /// Those who run or wait.
    parties: HashMap<Party, Standing>,
    paces: Paces,
    arrivals: u64,
}

#[derive(Default)]
struct Standing {
    spent: Duration,
    held: usize,
    held_slow: usize,
    quick: VecDeque<Waiting>,
    slow: VecDeque<Waiting>,
}

struct Waiting {
    key: [u8; 16],
    arrival: u64,
    turn: oneshot::Sender<Place>,
}

/// A worker's place. Given back when it is dropped.
pub(crate) struct Place {
    turns: Arc<Turns>,
    party: Party,
    key: [u8; 16],
    pace: Pace,
    charged: Duration,
    since: Instant,
    took: Option<Duration>,
}

impl Standing {
    fn line(&mut self, pace: Pace) -> &mut VecDeque<Waiting> {
        match pace {
            Pace::Quick => &mut self.quick,
            Pace::Slow => &mut self.slow,
        }
    }

    /// Who came first in a line and still waits.
    fn head(&mut self, pace: Pace) -> Option<u64> {
        let line = self.line(pace);
        while line.front().is_some_and(|waiting| waiting.turn.is_closed()) {
            line.pop_front();
        }
        line.front().map(|waiting| waiting.arrival)
    }

    fn is_idle(&self) -> bool {
        self.held == 0 && self.quick.is_empty() && self.slow.is_empty()
    }

    /// Puts those who wait for this function where it belongs by now.
    fn sort(&mut self, key: [u8; 16], pace: Pace) {
        let other = if pace == Pace::Quick { Pace::Slow } else { Pace::Quick };
        let from = std::mem::take(self.line(other));
        let (moves, stays): (VecDeque<_>, VecDeque<_>) = from.into_iter().partition(|waiting| waiting.key == key);
        *self.line(other) = stays;
        let line = self.line(pace);
        line.extend(moves);
        line.make_contiguous().sort_by_key(|waiting| waiting.arrival);
    }
}

impl Turns {
    pub(crate) fn new(places: usize) -> Arc<Self> {
        let free = places.max(1);
        let slow = (free / 2).max(1);
        let (parties, paces) = (HashMap::new(), Paces::default());
        let state = Mutex::new(State { free, slow: 0, clock: Duration::ZERO, parties, paces, arrivals: 0 });
        Arc::new(Self { state, slow, slow_each: slow.saturating_sub(1).max(1) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. Who does not wait any more loses nothing but its turn.
    pub(crate) async fn take(self: &Arc<Self>, party: Party, key: [u8; 16]) -> Result<Place, Fault> {
        let (turn, mine) = oneshot::channel();
        {
            let mut state = self.lock();
            state.arrivals += 1;
            let (arrival, pace, clock) = (state.arrivals, state.paces.of(key), state.clock);
            let standing = state.parties.entry(party).or_insert_with(|| Standing { spent: clock, ..Standing::default() });
            standing.line(pace).push_back(Waiting { key, arrival, turn });
        }
        self.serve();
        mine.await.map_err(|_| Fault::unavailable())
    }

    /// Gives the free places away.
    fn serve(self: &Arc<Self>) {
        loop {
            let next = self.next(&mut self.lock());
            let Some((turn, place)) = next else { return };
            // Whoever has gone in this very moment gives its place back here.
            drop(turn.send(place));
        }
    }

    /// Whose turn it is.
    fn next(self: &Arc<Self>, state: &mut State) -> Option<(oneshot::Sender<Place>, Place)> {
        if state.free == 0 {
            return None;
        }
        let slow_is_free = state.slow < self.slow;
        let mut best: Option<(Duration, u64, Party, Pace)> = None;
        for (party, standing) in &mut state.parties {
            let slow_is_allowed = slow_is_free && standing.held_slow < self.slow_each;
            for pace in [Pace::Quick, Pace::Slow] {
                if (pace == Pace::Quick || slow_is_allowed)
                    && let Some(arrival) = standing.head(pace)
                    && best.is_none_or(|(spent, before, ..)| (standing.spent, arrival) < (spent, before))
                {
                    best = Some((standing.spent, arrival, *party, pace));
                }
            }
        }
        let (spent, _, party, pace) = best?;
        let standing = state.parties.get_mut(&party)?;
        let Waiting { key, turn, .. } = standing.line(pace).pop_front()?;
        let charged = state.paces.expected(key).unwrap_or(QUICK);
        standing.spent += charged;
        standing.held += 1;
        standing.held_slow += usize::from(pace == Pace::Slow);
        state.clock = state.clock.max(spent);
        state.free -= 1;
        state.slow += usize::from(pace == Pace::Slow);
        let place = Place { turns: Arc::clone(self), party, key, pace, charged, since: Instant::now(), took: None };
        Some((turn, place))
    }

    fn give_back(self: &Arc<Self>, place: &Place) {
        {
            let mut guard = self.lock();
            let state = &mut *guard;
            let before = state.paces.of(place.key);
            if let Some(took) = place.took {
                state.paces.note(place.key, took);
            }
            let pace = state.paces.of(place.key);
            state.free += 1;
            state.slow -= usize::from(place.pace == Pace::Slow);
            if let Some(standing) = state.parties.get_mut(&place.party) {
                standing.held -= 1;
                standing.held_slow -= usize::from(place.pace == Pace::Slow);
                let took = place.took.unwrap_or_else(|| place.since.elapsed());
                standing.spent = (standing.spent + took).saturating_sub(place.charged);
                if pace != before {
                    standing.sort(place.key, pace);
                }
            }
            state.parties.retain(|_, standing| !standing.is_idle());
        }
        self.serve();
    }
}

impl Place {
    /// Says how much processor time the run took.
    pub(crate) fn ran(&mut self, took: Duration) {
        self.took = Some(took);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Arc::clone(&self.turns).give_back(self);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What has come already.
    fn ready<F: Future>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    const LONG: Duration = Duration::from_millis(100);
    const SHORT: Duration = Duration::from_millis(1);
    const A: Party = Party(1);
    const B: Party = Party(2);

    fn key(n: u8) -> [u8; 16] {
        [n; 16]
    }

    fn now(turns: &Arc<Turns>, party: Party, n: u8) -> Option<Place> {
        ready(&mut Box::pin(turns.take(party, key(n)))).map(|place| place.ok().unwrap())
    }

    fn run(turns: &Arc<Turns>, party: Party, n: u8, took: Duration) {
        now(turns, party, n).unwrap().ran(took);
    }

    #[test]
    fn slow_runs_leave_places_to_others() {
        let turns = Turns::new(4);
        run(&turns, A, 1, LONG);
        run(&turns, B, 2, SHORT);
        let _first = now(&turns, A, 1).unwrap();
        assert!(now(&turns, A, 1).is_none(), "one party has not all places of slow runs");
        let _other = now(&turns, B, 3).unwrap();
        assert!(now(&turns, Party(3), 4).is_none(), "half of all are for slow runs");
        let quick: Vec<_> = std::iter::from_fn(|| now(&turns, B, 2)).collect();
        assert_eq!(quick.len(), 2, "quick ones find the rest");
    }

    #[test]
    fn turns_go_by_time_taken() {
        let turns = Turns::new(1);
        run(&turns, A, 1, SHORT);
        run(&turns, B, 2, SHORT);
        let mut busy = now(&turns, A, 1).unwrap();
        let mut of_a: Vec<_> = (0..10).map(|_| Box::pin(turns.take(A, key(1)))).collect();
        let mut waiting: Vec<_> = of_a.iter_mut().map(|one| ready(one).is_none()).collect();
        let mut of_b = Box::pin(turns.take(B, key(2)));
        waiting.push(ready(&mut of_b).is_none());
        assert!(waiting.into_iter().all(|waits| waits));
        busy.ran(Duration::from_millis(9));
        drop(busy);
        assert!(of_a.iter_mut().all(|one| ready(one).is_none()), "A has taken more, and waits although it came first");
        let place = ready(&mut of_b);
        assert!(place.is_some(), "B has its turn");
        drop(place);
        let places: Vec<_> = of_a.iter_mut().filter_map(ready).collect();
        assert_eq!(places.len(), 1, "then A again");
    }

    #[test]
    fn who_has_gone_is_passed_over_and_places_come_back() {
        let turns = Turns::new(1);
        let busy = now(&turns, A, 1).unwrap();
        let mut gone = Box::pin(turns.take(A, key(1)));
        let mut stays = Box::pin(turns.take(A, key(1)));
        assert!(ready(&mut gone).is_none() && ready(&mut stays).is_none());
        drop(gone);
        drop(busy);
        let place = ready(&mut stays);
        assert!(place.is_some());
        drop((place, stays));
        // Given its place and gone without taking it.
        let busy = now(&turns, A, 1).unwrap();
        let mut given = Box::pin(turns.take(B, key(1)));
        assert!(ready(&mut given).is_none());
        drop(busy);
        drop(given);
        assert!(now(&turns, A, 1).is_some());
        assert!(turns.lock().parties.is_empty(), "nothing is kept of who does not run or wait");
    }

    #[test]
    fn a_function_that_has_shown_itself_changes_lines() {
        let turns = Turns::new(4);
        let mut first = now(&turns, A, 1).unwrap();
        let mut more: Vec<_> = (0..3).map(|_| Box::pin(turns.take(A, key(1)))).collect();
        assert!(more.iter_mut().all(|one| ready(one).is_none()), "unknown: one at a time");
        first.ran(SHORT);
        drop(first);
        let places: Vec<_> = more.iter_mut().filter_map(ready).collect();
        assert_eq!(places.len(), 3, "known to be quick: all at once");
    }
}
