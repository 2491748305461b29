//! How often an account may call.

use std::collections::VecDeque;

/// At most so many in any span of this length.
#[derive(Clone, Debug)]
pub struct Window {
    max: usize,
    span_ms: i64,
    hits: VecDeque<i64>,
}

impl Window {
    /// `max` within `span_ms`.
    pub fn new(max: usize, span_ms: i64) -> Self {
        Self { max, span_ms, hits: VecDeque::new() }
    }

    /// Counts one, if it may be. `Err`: milliseconds until the next may.
    pub fn take(&mut self, now: i64) -> Result<(), i64> {
        while self.hits.front().is_some_and(|at| *at <= now - self.span_ms) {
            self.hits.pop_front();
        }
        if self.hits.len() >= self.max {
            return Err(self.hits.front().map_or(self.span_ms, |at| at + self.span_ms - now));
        }
        self.hits.push_back(now);
        Ok(())
    }

    /// How many more may be now.
    pub fn remaining(&self) -> usize {
        self.max.saturating_sub(self.hits.len())
    }

    /// The bound.
    pub fn max(&self) -> usize {
        self.max
    }

    /// The span, in milliseconds.
    pub fn span_ms(&self) -> i64 {
        self.span_ms
    }
}

/// At most so much within a day of UTC.
#[derive(Clone, Debug)]
pub struct Day {
    max: u64,
    day: i64,
    used: u64,
}

impl Day {
    /// `max` a day.
    pub fn new(max: u64) -> Self {
        Self { max, day: 0, used: 0 }
    }

    /// Counts `cost`, if that much is left; whether it was.
    pub fn take(&mut self, now: i64, cost: u64) -> bool {
        let day = now.div_euclid(86_400_000);
        if day != self.day {
            (self.day, self.used) = (day, 0);
        }
        let fits = self.used + cost <= self.max;
        self.used += if fits { cost } else { 0 };
        fits
    }

    /// What was used today.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The bound.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// What is left today.
    pub fn remaining(&self) -> u64 {
        self.max - self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_rolls_and_a_day_begins_anew() {
        let mut window = Window::new(2, 1000);
        assert_eq!([window.take(0), window.take(400), window.take(900), window.take(1000)], [Ok(()), Ok(()), Err(100), Ok(())]);
        let mut day = Day::new(10);
        assert_eq!([day.take(0, 8), day.take(1, 3), day.take(2, 2)], [true, false, true]);
        assert_eq!((day.remaining(), day.take(86_400_000, 10)), (0, true));
    }
}
