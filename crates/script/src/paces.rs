//! How much processor time functions take: measured, since nobody can tell from a source.

use std::collections::HashMap;
use std::time::Duration;

use crate::limits::{QUICK, TIME_LIMIT};

/// Most functions in one generation.
const MAX: usize = 4096;

/// What a run of a function will probably be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It ends soon.
    Quick,
    /// It takes a while, or it was never run.
    Slow,
}

/// The functions that ran lately. Bounded: of two generations the older one is forgotten when the younger is full, so that what runs often
/// stays.
#[derive(Default)]
pub(crate) struct Paces {
    young: HashMap<[u8; 16], Duration>,
    old: HashMap<[u8; 16], Duration>,
}

impl Paces {
    /// What a run of this function will take.
    pub(crate) fn expected(&self, key: [u8; 16]) -> Option<Duration> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    /// What its next run is taken for. One that was never run has not shown that it is quick.
    pub(crate) fn of(&self, key: [u8; 16]) -> Pace {
        if self.expected(key).is_some_and(|time| time <= QUICK) { Pace::Quick } else { Pace::Slow }
    }

    /// Notes a run. One long run makes a function slow at once; it takes many short ones to be quick again.
    pub(crate) fn note(&mut self, key: [u8; 16], took: Duration) {
        let took = took.min(TIME_LIMIT * 20);
        let known = self.expected(key).filter(|known| *known > took);
        let time = known.map_or(took, |known| known - (known - took) / 8);
        if self.young.len() >= MAX && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quickness_is_shown_and_soon_lost() {
        let (mut paces, key) = (Paces::default(), [1; 16]);
        assert_eq!(paces.of(key), Pace::Slow, "nothing is known");
        paces.note(key, Duration::from_millis(1));
        assert_eq!(paces.of(key), Pace::Quick);
        paces.note(key, Duration::from_millis(100));
        let runs = std::iter::repeat_with(|| paces.note(key, Duration::from_millis(1)));
        let until_quick = runs.take(100).count();
        assert_eq!((until_quick, paces.of(key)), (100, Pace::Quick));
        paces.note(key, Duration::from_millis(100));
        for _ in 0..10 {
            paces.note(key, Duration::from_millis(1));
        }
        assert_eq!(paces.of(key), Pace::Slow, "ten short runs do not make up for one long one");
    }

    #[test]
    fn memory_is_bounded_and_what_runs_often_stays() {
        let (mut paces, often) = (Paces::default(), [0xff; 16]);
        for n in 0..5 * MAX as u128 {
            paces.note(n.to_le_bytes(), Duration::from_millis(50));
            if n % 1000 == 0 {
                paces.note(often, Duration::from_millis(2));
            }
        }
        assert_eq!(paces.of(often), Pace::Quick);
        assert!(paces.young.len() + paces.old.len() <= 2 * MAX);
    }
}
