//! What an exchange with streamed bodies came to: known only when the last byte has passed, long after the answer's head.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Last = Box<dyn FnOnce(&Tally) + Send>;

/// Counts of one exchange. Whoever streams the bodies fills it in and puts it into the answer's extensions as `Arc<Tally>`; the gate takes
/// it from there and writes its log row when the exchange has ended, or was given up.
#[derive(Default)]
pub struct Tally {
    request: AtomicU64,
    response: AtomicU64,
    fault: OnceLock<&'static str>,
    ended: AtomicBool,
    last: Mutex<Option<Last>>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// More bytes of the request's body have passed.
    pub fn add_request(&self, bytes: u64) {
        self.request.fetch_add(bytes, Ordering::Relaxed);
    }

    /// More bytes of the answer's body have passed.
    pub fn add_response(&self, bytes: u64) {
        self.response.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of the request's body so far.
    pub fn request(&self) -> u64 {
        self.request.load(Ordering::Relaxed)
    }

    /// Bytes of the answer's body so far.
    pub fn response(&self) -> u64 {
        self.response.load(Ordering::Relaxed)
    }

    /// Something went wrong after the answer's head; the first code stays.
    pub fn set_fault(&self, code: &'static str) {
        let _ = self.fault.set(code);
    }

    /// What went wrong, if something did.
    pub fn fault(&self) -> Option<&'static str> {
        self.fault.get().copied()
    }

    /// Calls `last` when the exchange has ended; at once if it has. Only the last of several is called.
    pub fn on_end(&self, last: impl FnOnce(&Self) + Send + 'static) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(last));
        if self.ended.load(Ordering::SeqCst) {
            self.tell();
        }
    }

    /// The exchange has ended. Further calls do nothing.
    pub fn end(&self) {
        if !self.ended.swap(true, Ordering::SeqCst) {
            self.tell();
        }
    }

    fn tell(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(last) = last {
            last(self);
        }
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("request", &self.request()).field("response", &self.response()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn the_end_is_told_once_however_it_comes() {
        let told = Arc::new(AtomicU64::new(0));
        for ended_before in [false, true] {
            let tally = Tally::new();
            tally.add_response(7);
            tally.set_fault("first");
            tally.set_fault("second");
            if ended_before {
                tally.end();
            }
            let count = Arc::clone(&told);
            tally.on_end(move |tally| {
                assert_eq!((tally.response(), tally.fault()), (7, Some("first")));
                count.fetch_add(1, Ordering::SeqCst);
            });
            tally.end();
            tally.end();
        }
        assert_eq!(told.load(Ordering::SeqCst), 2);
    }
}
