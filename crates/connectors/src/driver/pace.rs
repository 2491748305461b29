//! How often, and how long in between.

use std::time::Duration;

use kernel::Ambient;

use crate::Fault;

/// One call is sent at most this often, a renewal of its credential apart.
const TRIES: u32 = 5;
/// Longest that one call waits in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause where the vendor names none; the next ones double.
const FIRST: Duration = Duration::from_millis(300);

/// The pauses of one call.
#[derive(Debug, Default)]
pub(super) struct Pace {
    tries: u32,
    waited: Duration,
}

impl Pace {
    /// How long to wait before the next try; `None`: the fault stands. What may have been done is tried again only if that does no harm.
    pub(super) fn next(&mut self, fault: &Fault, repeatable: bool, ambient: &Ambient) -> Option<Duration> {
        let named = match fault {
            Fault::RateLimited { after } => *after,
            Fault::Unavailable { .. } => None,
            Fault::Lost { .. } if repeatable => None,
            _ => return None,
        };
        self.tries += 1;
        if self.tries >= TRIES {
            return None;
        }
        let pause = named.unwrap_or_else(|| {
            // Full jitter over the upper half: nodes that were refused together do not come again together.
            let whole = FIRST * 2_u32.pow(self.tries - 1);
            let half = u64::try_from(whole.as_millis() / 2).unwrap_or(0);
            Duration::from_millis(half + ambient.below(half + 1))
        });
        self.waited = self.waited.saturating_add(pause);
        (self.waited <= PATIENCE).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::chance::SeededEntropy;
    use kernel::time::ManualClock;

    use super::*;

    fn pauses(fault: &Fault, repeatable: bool) -> Vec<Duration> {
        let ambient = Ambient::new(Arc::new(ManualClock::new(kernel::Timestamp::from_millis(0))), Arc::new(SeededEntropy::new(3)));
        let mut pace = Pace::default();
        std::iter::from_fn(|| pace.next(fault, repeatable, &ambient)).take(50).collect()
    }

    #[test]
    fn a_named_pause_is_kept_and_the_whole_is_bounded() {
        let limited = |seconds| Fault::RateLimited { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(pauses(&limited(2), false), [Duration::from_secs(2); 4]);
        assert_eq!(pauses(&limited(6), false), [Duration::from_secs(6)]);
        assert_eq!(pauses(&limited(11), false), []);
        assert_eq!(pauses(&Fault::RateLimited { after: Some(Duration::MAX) }, true), []);
    }

    #[test]
    fn pauses_without_a_name_grow() {
        let pauses = pauses(&Fault::RateLimited { after: None }, false);
        assert_eq!(pauses.len(), 4);
        for (pause, whole) in pauses.iter().zip([300, 600, 1200, 2400]) {
            assert!((whole / 2..=whole).contains(&pause.as_millis()), "{pause:?} of {whole}");
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_asked_for_again() {
        let lost = Fault::Lost { message: String::new() };
        assert_eq!(pauses(&lost, false), []);
        assert_eq!(pauses(&lost, true).len(), 4);
        for fault in [
            Fault::Exhausted { until: kernel::Timestamp::from_millis(1) },
            Fault::NotFound { message: String::new() },
            Fault::Unauthorized { message: String::new() },
        ] {
            assert_eq!(pauses(&fault, true), [], "{fault:?}");
        }
    }
}
