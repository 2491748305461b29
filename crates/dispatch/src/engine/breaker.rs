//! A circuit breaker: after some failures in a row nothing is attempted for a while, then one probe decides.

use std::time::Duration;

use kernel::Timestamp;

/// Closed until it has seen enough failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Timestamp,
    backoff: Duration,
}

/// What a breaker allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    Free,
    /// One attempt, to see.
    Probe,
    /// Nothing before then.
    Shut(Timestamp),
}

impl Breaker {
    pub(crate) fn passage(&self, now: Timestamp) -> Passage {
        match &self.open {
            None => Passage::Free,
            Some(open) if open.until <= now => Passage::Probe,
            Some(open) => Passage::Shut(open.until),
        }
    }

    /// The next attempt is the probe, whatever time it is.
    pub(crate) fn allow_probe(&mut self, now: Timestamp) {
        if let Some(open) = &mut self.open {
            open.until = open.until.min(now);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Closes; true if it was open.
    pub(crate) fn succeeded(&mut self) -> bool {
        self.failures = 0;
        self.open.take().is_some()
    }

    /// Counts a failure; true if it is open now and was shut anew. Failures of attempts that began before it opened are not counted again.
    pub(crate) fn failed(&mut self, now: Timestamp, after: u32, first: Duration, longest: Duration) -> bool {
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            None if self.failures < after => false,
            None => {
                self.open = Some(Open { until: now.plus(first), backoff: first });
                true
            }
            Some(open) if open.until > now => false,
            Some(open) => {
                open.backoff = (open.backoff * 2).min(longest);
                open.until = now.plus(open.backoff);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(5);
    const LONGEST: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn opens_probes_and_closes() {
        let mut breaker = Breaker::default();
        assert!(!breaker.failed(at(0), 3, FIRST, LONGEST));
        assert!(!breaker.failed(at(0), 3, FIRST, LONGEST));
        assert_eq!(breaker.passage(at(0)), Passage::Free);
        assert!(breaker.failed(at(0), 3, FIRST, LONGEST));
        assert_eq!(breaker.passage(at(4)), Passage::Shut(at(5)));
        // A straggler neither prolongs nor reopens.
        assert!(!breaker.failed(at(4), 3, FIRST, LONGEST));
        assert_eq!(breaker.passage(at(5)), Passage::Probe);
        assert!(breaker.failed(at(5), 3, FIRST, LONGEST));
        assert_eq!(breaker.passage(at(14)), Passage::Shut(at(15)));
        for _ in 0..10 {
            breaker.failed(at(1000), 3, FIRST, LONGEST);
        }
        assert!(matches!(breaker.passage(at(1000)), Passage::Shut(until) if until <= at(1060)));
        assert!(breaker.succeeded());
        assert_eq!(breaker.passage(at(1000)), Passage::Free);
        assert!(!breaker.succeeded());
    }
}
