//! Functions that take too much again and again are not run for a while: a run that is stopped costs as much as thousands that are not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::fault::{Fault, FaultKind};
use crate::limits::{PENALTY, STRIKES};

/// Most functions that are remembered.
const MAX: usize = 4096;

/// What is known against functions.
#[derive(Default)]
pub(crate) struct Offences(Mutex<HashMap<[u8; 16], Offence>>);

#[derive(Clone, Copy)]
struct Offence {
    /// Runs in a row that took too much.
    strikes: u32,
    /// Refused until then.
    until: Instant,
}

impl Offences {
    /// Refuses a function whose penalty is not over.
    pub(crate) fn check(&self, key: [u8; 16], now: Instant) -> Result<(), Fault> {
        match self.lock().get(&key) {
            Some(offence) if offence.until > now => {
                Err(Fault::new(FaultKind::Time, "the function took too much several times and is not run again for some seconds"))
            }
            _ => Ok(()),
        }
    }

    /// Notes how a run ended.
    pub(crate) fn note<T>(&self, key: [u8; 16], outcome: &Result<T, Fault>, now: Instant) {
        let took_too_much = outcome.as_ref().is_err_and(|fault| matches!(fault.kind, FaultKind::Time | FaultKind::Memory));
        if !took_too_much {
            self.lock().remove(&key);
            return;
        }
        self.add(key, now, |strikes| {
            let beyond = strikes.checked_sub(STRIKES)?;
            Some(Duration::from_secs(1 << beyond.min(10)).min(PENALTY))
        });
    }

    /// The function had to be ended with its worker.
    pub(crate) fn worst(&self, key: [u8; 16], now: Instant) {
        self.add(key, now, |_| Some(PENALTY));
    }

    fn add(&self, key: [u8; 16], now: Instant, penalty: impl Fn(u32) -> Option<Duration>) {
        let mut known = self.lock();
        if known.len() >= MAX {
            known.retain(|_, offence| offence.until > now);
        }
        if known.len() < MAX {
            let offence = known.entry(key).or_insert(Offence { strikes: 0, until: now });
            offence.strikes = offence.strikes.saturating_add(1);
            offence.until = penalty(offence.strikes).map_or(now, |penalty| now + penalty);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 16], Offence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_grow_and_are_forgiven() {
        let (offences, key, start) = (Offences::default(), [1; 16], Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let slow = Err::<(), _>(Fault::time());
        for _ in 0..STRIKES - 1 {
            offences.note(key, &slow, start);
            assert!(offences.check(key, start).is_ok(), "not yet");
        }
        offences.note(key, &slow, start);
        assert!(offences.check(key, at(999)).is_err() && offences.check(key, at(1000)).is_ok());
        assert!(offences.check([2; 16], start).is_ok(), "another function is not concerned");
        offences.note(key, &slow, at(1000));
        assert!(offences.check(key, at(2999)).is_err() && offences.check(key, at(3000)).is_ok(), "twice as long");
        for _ in 0..40 {
            offences.note(key, &slow, at(3000));
        }
        assert!(offences.check(key, at(3000) + PENALTY).is_ok(), "never longer than that");
        offences.note(key, &Err::<(), _>(Fault::new(FaultKind::Thrown, "no")), at(3000));
        offences.note(key, &slow, at(3000));
        assert!(offences.check(key, at(3000)).is_ok(), "a run within its bounds forgives");
        offences.worst(key, at(3000));
        assert!(offences.check(key, at(3001)).is_err());
    }
}
