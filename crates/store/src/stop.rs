//! What stops a read that runs: its time is up, or nobody waits for it any longer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Error, Result};

/// Whether whoever asked has gone.
pub(crate) type Gone = Arc<AtomicBool>;

/// Says so when it is dropped before the answer came.
pub(crate) struct Asking(pub(crate) Gone);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// When to stop.
#[derive(Clone)]
pub(crate) struct Stop {
    gone: Gone,
    /// When its time is up, and how much it was.
    until: Option<(Instant, Duration)>,
}

impl Stop {
    /// From now on, with the time that it may take.
    #[allow(clippy::disallowed_methods, reason = "bounds how long a thread works, by the machine's own clock")]
    pub(crate) fn new(gone: Gone, limit: Option<Duration>) -> Self {
        Self { gone, until: limit.map(|limit| (Instant::now() + limit, limit)) }
    }

    /// The time that it may take in all.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.until.map(|(_, limit)| limit)
    }

    #[allow(clippy::disallowed_methods, reason = "bounds how long a thread works, by the machine's own clock")]
    fn is_due(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.until.is_some_and(|(until, _)| Instant::now() >= until)
    }
}

/// The stop of what a connection does at the moment.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<Stop>>>);

impl Watch {
    pub(crate) fn set(&self, stop: Option<Stop>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    /// Whether to stop now.
    pub(crate) fn is_due(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(Stop::is_due)
    }

    /// Before a statement. Error: 422 `query_too_slow`.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_due() { Err(too_slow("the time was up between two statements")) } else { Ok(()) }
    }
}

/// A read that was stopped.
pub(crate) fn too_slow(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let detail = "This question takes longer than a question may, and was stopped. Ask for less: fewer conditions in a filter, a shorter period, \
                  a sort order that is indexed, no total.";
    Error::invalid("query_too_slow", detail).caused_by(source)
}
