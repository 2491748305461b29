//! The random source, and the pair of clock and random source that most code needs.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;

use uuid::Uuid;
use zeroize::Zeroize as _;

use crate::id::{EventId, TypedId};
use crate::time::{Clock, SystemClock, Timestamp};

/// Where randomness comes from.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator, asked for a page at a time on each thread: a request needs several small ids, and a system call for
/// each would cost more than all the rest of making them. What was given out is wiped from the page.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

/// Random bytes that were fetched and not yet given out: those from `next` on.
struct Reserve {
    bytes: [u8; 1024],
    next: usize,
}

thread_local! {
    static RESERVE: RefCell<Reserve> = const { RefCell::new(Reserve { bytes: [0; 1024], next: 1024 }) };
}

fn ask(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system's random generator answers");
}

impl Reserve {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() > self.bytes.len() {
            return ask(bytes);
        }
        if self.bytes.len() - self.next < bytes.len() {
            ask(&mut self.bytes);
            self.next = 0;
        }
        let given = &mut self.bytes[self.next..self.next + bytes.len()];
        bytes.copy_from_slice(given);
        given.zeroize();
        self.next += bytes.len();
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        RESERVE.with_borrow_mut(|reserve| reserve.fill(bytes));
    }
}

/// A reproducible stream (SplitMix64) for tests and the simulator. Never for secrets of a real system.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// The stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no holder of this lock panics");
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// What the world provides: the time and chance. Cheap to clone; passed to whoever needs either.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// From a clock and a random source.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The machine's own.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.entropy.fill(&mut out);
        out
    }

    /// A number in `0..bound`, or 0 when `bound` is 0. The bias is below 2⁻³² for the bounds in use.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()).checked_rem(bound).unwrap_or(0)
    }

    /// A new id of kind `I`.
    pub fn id<I: TypedId>(&self) -> I {
        I::from_uuid(self.uuid())
    }

    /// A new event id (`evt_…`).
    pub fn event_id(&self) -> EventId {
        EventId::from_uuid(self.uuid())
    }

    /// A UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits.
    fn uuid(&self) -> Uuid {
        let ms = u64::try_from(self.now().millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &self.bytes()).into_uuid()
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ambient")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_out_twice_whatever_the_sizes() {
        let mut seen = HashSet::new();
        for n in 0..5000_usize {
            let mut bytes = vec![0; 16 + n % 1500];
            SystemEntropy.fill(&mut bytes);
            assert!(seen.insert(bytes[..16].to_vec()), "{n}");
            assert!(bytes[bytes.len() - 16..].iter().any(|b| *b != 0), "the end is filled too");
        }
    }
}
