//! Places for calls under way, shared among those who call: one of them never holds all, however slow the backend is.
//!
//! Whoever holds some already may hold at most three times as many as are free, and never the last one. So one caller alone reaches three
//! quarters of the places; two of them three sevenths each; and somebody who holds none finds a place as long as any is free. Who waits gets
//! the next place that he may have: first those who hold the least, then those who came first.
//!
//! Who holds nothing and waits for nothing is not remembered; memory is bounded by the calls.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Of the free places, so many times as many one caller may hold.
const SHARE: usize = 3;

/// On whose behalf a call is made. Numbers are compared, and that is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Holder(pub u128);

/// See the module.
pub(super) struct Places {
    state: Mutex<State>,
}

struct State {
    free: usize,
    held: HashMap<Holder, usize>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    who: Holder,
    reply: oneshot::Sender<Place>,
}

/// A place. Dropping it gives it back.
pub(super) struct Place {
    places: Arc<Places>,
    who: Holder,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { free: most, held: HashMap::new(), waiting: Vec::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for `who`, after at most `limit`. None: none became free for him in that time.
    pub(super) async fn take(self: &Arc<Self>, who: Holder, limit: Duration) -> Option<Place> {
        let granted = {
            let mut state = self.lock();
            if state.may_take(who) {
                state.count(who);
                return Some(self.place(who));
            }
            // Nobody waits behind one who has gone away.
            state.waiting.retain(|one| !one.reply.is_closed());
            let (reply, granted) = oneshot::channel();
            state.waiting.push(Waiting { who, reply });
            granted
        };
        // One that comes at the very end of the time is given back by being dropped.
        tokio::time::timeout(limit, granted).await.ok()?.ok()
    }

    fn place(self: &Arc<Self>, who: Holder) -> Place {
        Place { places: Arc::clone(self), who }
    }

    fn give_back(self: &Arc<Self>, who: Holder) {
        let mut refused = Vec::new();
        {
            let mut state = self.lock();
            state.uncount(who);
            while let Some(next) = state.next() {
                state.count(next.who);
                // One who has gone away gives the place back when it is dropped: not under the lock.
                refused.extend(next.reply.send(self.place(next.who)).err());
            }
        }
    }
}

impl State {
    fn held(&self, who: Holder) -> usize {
        self.held.get(&who).copied().unwrap_or(0)
    }

    fn may_take(&self, who: Holder) -> bool {
        let held = self.held(who);
        if held == 0 { self.free > 0 } else { self.free > 1 && held < SHARE * self.free }
    }

    fn count(&mut self, who: Holder) {
        self.free -= 1;
        *self.held.entry(who).or_insert(0) += 1;
    }

    fn uncount(&mut self, who: Holder) {
        self.free += 1;
        if let Entry::Occupied(mut held) = self.held.entry(who) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }

    /// Who of those that wait gets a place now.
    fn next(&mut self) -> Option<Waiting> {
        if self.waiting.is_empty() || self.free == 0 {
            return None;
        }
        let may = |(_, one): &(usize, &Waiting)| self.may_take(one.who);
        let (at, _) = self.waiting.iter().enumerate().filter(may).min_by_key(|(at, one)| (self.held(one.who), *at))?;
        Some(self.waiting.remove(at))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.who);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    fn is_pending(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    async fn take(places: &Arc<Places>, who: u128, most: usize) -> Vec<Place> {
        let mut held = Vec::new();
        while held.len() < most
            && let Some(place) = places.take(Holder(who), NO_TIME).await
        {
            held.push(place);
        }
        held
    }

    #[tokio::test]
    async fn one_never_holds_all_and_somebody_new_finds_a_place() {
        for (most, alone) in [(1, 1), (2, 1), (4, 3), (100, 75), (1024, 768)] {
            let places = Places::new(most);
            let greedy = take(&places, 1, usize::MAX).await;
            assert_eq!(greedy.len(), alone, "of {most}");
            if most > 1 {
                assert_eq!(take(&places, 2, 1).await.len(), 1, "of {most}");
            }
        }
        let places = Places::new(70);
        let (first, second) = (take(&places, 1, 30).await, take(&places, 2, usize::MAX).await);
        assert_eq!((first.len(), second.len()), (30, 30));
        let many: Vec<_> = futures_util::future::join_all((3..13).map(|who| take(&places, who, 1))).await;
        assert!(many.iter().all(|held| held.len() == 1), "the last ones go to whoever holds none");
        assert_eq!(take(&places, 99, 1).await.len(), 0, "there is none");
        drop((first, second, many));
        let state = places.lock();
        assert!(state.held.is_empty() && state.free == 70);
    }

    #[tokio::test]
    async fn whoever_holds_the_least_is_next() {
        let places = Places::new(2);
        let (first, _second) = (take(&places, 1, 1).await, take(&places, 2, 1).await);
        let wait = |who| {
            let places = Arc::clone(&places);
            async move { places.take(Holder(who), Duration::from_secs(60)).await.map(|place| (who, place)) }
        };
        let (mut greedy, mut new) = (Box::pin(wait(2)), Box::pin(wait(3)));
        assert!(is_pending(greedy.as_mut()) && is_pending(new.as_mut()));
        drop(first);
        let (who, place) = new.await.unwrap();
        assert_eq!(who, 3, "although he came later");
        assert!(is_pending(greedy.as_mut()));
        drop(greedy);
        drop(place);
        let state = places.lock();
        assert_eq!((state.free, state.held.len()), (1, 1), "nothing is kept for one who has gone");
    }
}
