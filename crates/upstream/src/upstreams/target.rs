//! One target, and what is known of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use kernel::Timestamp;
use web::outbound::backend::Backend;

use super::Settings;

/// An ejection lasts at most so many times as long as the first.
const LONGEST: u32 = 10;

/// See the module.
pub(crate) struct Target {
    pub(crate) backend: Backend,
    /// Failures in a row.
    failures: AtomicU32,
    /// Ejections since the last success.
    ejections: AtomicU32,
    /// Until when it gets no calls, Unix milliseconds; 0: it gets some.
    ejected_until: AtomicI64,
    /// The health check found it unwell.
    down: AtomicBool,
}

impl Target {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            backend,
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicI64::new(0),
            down: AtomicBool::new(false),
        }
    }

    /// Whether it gets calls.
    pub(crate) fn is_available(&self, now: Timestamp) -> bool {
        !self.down.load(Ordering::Relaxed) && self.ejected_until.load(Ordering::Relaxed) <= now.millis()
    }

    /// How long until it may get calls again.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        let left = self.ejected_until.load(Ordering::Relaxed).saturating_sub(now.millis());
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// It answered a call.
    pub(crate) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.ejections.store(0, Ordering::Relaxed);
        }
    }

    /// It failed a call. If that was one too many, for how long it is ejected.
    pub(super) fn failed(&self, settings: &Settings, now: Timestamp) -> Option<Duration> {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if settings.eject_after == 0 || failures < settings.eject_after || !self.is_available(now) {
            return None;
        }
        // The first failure after the while ejects it anew.
        self.failures.store(settings.eject_after - 1, Ordering::Relaxed);
        let times = self.ejections.fetch_add(1, Ordering::Relaxed).saturating_add(1).min(LONGEST);
        let time = Duration::from_millis(settings.eject_ms.saturating_mul(u64::from(times)));
        self.ejected_until.store(now.plus(time).millis(), Ordering::Relaxed);
        Some(time)
    }

    /// What the health check says of it; whether that is news. One that is well again gets calls at once.
    pub(super) fn set_down(&self, down: bool) -> bool {
        if !down {
            self.ejected_until.store(0, Ordering::Relaxed);
        }
        self.down.swap(down, Ordering::Relaxed) != down
    }
}
