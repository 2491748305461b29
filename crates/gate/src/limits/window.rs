//! The arithmetic of one window and of the bucket. Pure functions of counters and the time in milliseconds.

/// A sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// `minute`, `hour`, `day`, or `custom`.
    pub name: &'static str,
    /// Requests in the window, at least 1.
    pub quota: u64,
    /// Its length, at least 1 ms.
    pub millis: u64,
}

/// Two cells of a window: the present one and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells {
    index: u64,
    present: u64,
    before: u64,
}

impl Cells {
    /// As another counter tells them.
    pub(crate) fn new(index: u64, present: u64, before: u64) -> Self {
        Self { index, present, before }
    }

    /// Number of the present cell, what is counted in it, and in the one before.
    pub(crate) fn parts(self) -> [u64; 3] {
        [self.index, self.present, self.before]
    }

    /// Takes `count` out again that was counted lately.
    pub(crate) fn give_back(&mut self, count: u64) {
        self.present = self.present.saturating_sub(count);
    }

    /// Counts `cost` in the cell of `now`, whether it fits or not.
    pub(crate) fn add(&mut self, window: Window, now: u64, cost: u64) {
        self.advance(window, now);
        self.count(cost);
    }

    /// Moves on to the cell of `now`.
    fn advance(&mut self, window: Window, now: u64) {
        let index = now / window.millis;
        if index == self.index.saturating_add(1) {
            *self = Self { index, present: 0, before: self.present };
        } else if index > self.index {
            *self = Self { index, present: 0, before: 0 };
        }
        // A clock that went back keeps the later cell: time that was counted stays counted.
    }

    /// How many requests the window of `now` holds.
    fn used(self, window: Window, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.index.saturating_mul(window.millis)).min(window.millis);
        self.present.saturating_add(weigh(self.before, window.millis - elapsed, window.millis))
    }

    /// What is left at `now`, and in how many ms the present cell ends.
    pub(crate) fn left(&mut self, window: Window, now: u64) -> (u64, u64) {
        self.advance(window, now);
        let end = (self.index + 1).saturating_mul(window.millis);
        (window.quota.saturating_sub(self.used(window, now)), end.saturating_sub(now))
    }

    /// The share of the quota that both cells make up, at most: nothing has slid out yet.
    #[allow(clippy::cast_precision_loss, reason = "shares are compared roughly")]
    pub(crate) fn share(self, window: Window) -> f32 {
        self.present.saturating_add(self.before) as f32 / window.quota.max(1) as f32
    }

    /// Whether `cost` more fit at `now`; if not, in how many ms they will.
    pub(crate) fn room(&mut self, window: Window, now: u64, cost: u64) -> Result<(), u64> {
        self.advance(window, now);
        if self.used(window, now).saturating_add(cost) <= window.quota {
            return Ok(());
        }
        Err(self.wait(window, now, cost))
    }

    /// Counts `cost`.
    pub(crate) fn count(&mut self, cost: u64) {
        self.present = self.present.saturating_add(cost);
    }

    fn wait(self, window: Window, now: u64, cost: u64) -> u64 {
        let elapsed = now.saturating_sub(self.index.saturating_mul(window.millis)).min(window.millis);
        let Some(room) = window.quota.checked_sub(cost) else { return window.millis };
        if self.present <= room {
            // In this cell, once enough of the cell before has slid out.
            return fade(self.before, room - self.present, window.millis).saturating_sub(elapsed).max(1);
        }
        // In the next cell, once enough of this one has slid out.
        (window.millis - elapsed) + fade(self.present, room, window.millis)
    }
}

/// `count · share / whole`, rounded down, without overflow.
fn weigh(count: u64, share: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(count) * u128::from(share) / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}

/// How far into a cell one must be for the `count` of the cell before to weigh no more than `room`.
fn fade(count: u64, room: u64, millis: u64) -> u64 {
    if count <= room {
        return 0;
    }
    // The least e with count · (millis − e) / millis < room + 1.
    let keep = u128::from(room + 1) * u128::from(millis);
    let largest = (keep - 1) / u128::from(count);
    millis.saturating_sub(u64::try_from(largest).unwrap_or(u64::MAX))
}

/// A GCRA bucket: `size` requests at once, refilled at the pace of `refill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// How many it holds, at least 1.
    pub size: u64,
    /// Whose pace refills it.
    pub refill: Window,
}

impl Bucket {
    /// Nanoseconds for one request to refill.
    pub(crate) fn interval(self) -> u64 {
        (self.refill.millis.saturating_mul(1_000_000) / self.refill.quota.max(1)).max(1)
    }

    /// The theoretical arrival time after `cost` more at `now`; or in how many ms there is room.
    pub fn room(self, arrival: u64, now: u64, cost: u64) -> Result<u64, u64> {
        let now = now.saturating_mul(1_000_000);
        let next = arrival.max(now).saturating_add(self.interval().saturating_mul(cost));
        let latest = now.saturating_add(self.interval().saturating_mul(self.size));
        if next <= latest { Ok(next) } else { Err((next - latest).div_ceil(1_000_000)) }
    }

    /// Milliseconds in which an empty bucket fills.
    pub fn fills_in(self) -> u64 {
        self.interval().saturating_mul(self.size).div_ceil(1_000_000)
    }

    /// Milliseconds until it is whole again.
    pub fn full_in(self, arrival: u64, now: u64) -> u64 {
        arrival.saturating_sub(now.saturating_mul(1_000_000)).div_ceil(1_000_000)
    }

    /// How many fit at `now`.
    pub fn left(self, arrival: u64, now: u64) -> u64 {
        let now = now.saturating_mul(1_000_000);
        self.size.saturating_sub(arrival.saturating_sub(now).div_ceil(self.interval()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Window = Window { name: "minute", quota: 60, millis: 60_000 };

    #[test]
    fn a_whole_quota_fits_and_one_more_does_not() {
        let mut cells = Cells::default();
        let now = 1_000 * 60_000 + 5_000;
        for _ in 0..60 {
            cells.room(MINUTE, now, 1).unwrap();
            cells.count(1);
        }
        let wait = cells.room(MINUTE, now, 1).unwrap_err();
        assert!(cells.room(MINUTE, now + wait - 1, 1).is_err());
        assert!(cells.room(MINUTE, now + wait, 1).is_ok());
    }

    #[test]
    fn a_bucket_refills_evenly() {
        let bucket = Bucket { size: 10, refill: MINUTE };
        let mut arrival = 0;
        for left in (0..10).rev() {
            arrival = bucket.room(arrival, 50_000, 1).unwrap();
            assert_eq!(bucket.left(arrival, 50_000), left);
        }
        assert_eq!(bucket.room(arrival, 50_000, 1), Err(1000));
        assert!(bucket.room(arrival, 51_000, 1).is_ok());
    }

    proptest! {
        /// Against an exact log: never more than the quota in any window of the past that is aligned with a cell, and never more than
        /// twice the quota in any window at all.
        #[test]
        fn never_admits_more_than_a_cell_holds(quota in 1u64..50, steps in proptest::collection::vec(0u64..400, 1..400)) {
            let window = Window { name: "w", quota, millis: 1000 };
            let mut cells = Cells::default();
            let mut now = 10_000_000;
            let mut admitted: Vec<u64> = Vec::new();
            for step in steps {
                now += step;
                if cells.room(window, now, 1).is_ok() {
                    cells.count(1);
                    admitted.push(now);
                }
                let in_cell = admitted.iter().filter(|at| **at / 1000 == now / 1000).count() as u64;
                prop_assert!(in_cell <= quota);
                let in_window = admitted.iter().filter(|at| **at + 1000 > now).count() as u64;
                prop_assert!(in_window <= 2 * quota);
            }
        }

        /// The wait that a refusal announces is exact: too early by one millisecond is refused, and on time is admitted.
        #[test]
        fn announces_the_right_wait(quota in 1u64..40, steps in proptest::collection::vec(0u64..90, 1..200)) {
            let window = Window { name: "w", quota, millis: 1000 };
            let mut cells = Cells::default();
            let mut now = 77_777;
            for step in steps {
                now += step;
                match cells.room(window, now, 1) {
                    Ok(()) => cells.count(1),
                    Err(wait) => {
                        prop_assert!(wait >= 1);
                        prop_assert!(cells.clone().room(window, now + wait, 1).is_ok());
                        if wait > 1 {
                            prop_assert!(cells.clone().room(window, now + wait - 1, 1).is_err());
                        }
                    }
                }
            }
        }

        #[test]
        fn never_panics_at_the_edges(before: u64, present: u64, index in 0u64..1 << 40, now: u64, quota: u64, millis in 1u64..1 << 40, cost: u64) {
            let window = Window { name: "w", quota, millis };
            let mut cells = Cells { index, present, before };
            let _ = cells.room(window, now.min(u64::MAX / 2), cost);
            let bucket = Bucket { size: quota, refill: window };
            let _ = bucket.room(present, now, cost);
        }
    }
}
