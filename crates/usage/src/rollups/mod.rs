//! Calls counted by hour and by day: of a tenant, a client or a key; in all, by endpoint, by status, and by what stands below.
//!
//! A call adds to a handful of rows, in the transaction that writes it to the log. A question about a month reads thirty rows a part, however
//! many calls there were: whole days from `usage_days`, the hours at its ends from `usage_hours`.

mod add;
mod leaf;
mod read;
mod unusual;

use std::fmt;

use kernel::histogram::Microseconds;
use kernel::{ClientId, Histogram, KeyId, Timestamp};

pub(crate) use add::{Counts, write};
pub(crate) use leaf::{Leaf, Leaves};
pub use read::{Part, by_part, by_time};
pub use unusual::{Hours, unusual};

use crate::days::DAY_MS;

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// What calls came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Calls.
    pub requests: u64,
    /// Those that were answered with a status below 400.
    pub succeeded: u64,
    /// What they cost.
    pub units: u64,
    /// How long they took in all, in microseconds.
    pub duration_us: u64,
    /// Bytes that came.
    pub request_bytes: u64,
    /// Bytes that were answered.
    pub response_bytes: u64,
    /// How long they took.
    pub durations: Histogram<Microseconds>,
}

impl Counted {
    /// Takes others in.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.succeeded += other.succeeded;
        self.units += other.units;
        self.duration_us += other.duration_us;
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
        self.durations.merge(&other.durations);
    }
}

/// Whose calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All of the tenant's, also those that service keys made for it.
    Tenant,
    /// A client's.
    Client(ClientId),
    /// Those of a key and its predecessors.
    Keys(Vec<KeyId>),
}

impl Subject {
    fn ids(&self) -> Vec<String> {
        match self {
            Self::Tenant => vec![String::new()],
            Self::Client(client) => vec![client.to_string()],
            Self::Keys(keys) => keys.iter().map(KeyId::to_string).collect(),
        }
    }
}

/// Into what they are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Not at all.
    Total,
    /// By endpoint and method; the part is `/api/v1/leads GET`.
    Endpoint,
    /// By status and error code; the part is `200`, or `404 not_found`.
    Status,
    /// By the client (of a tenant) or the key (of a client) below; the part is its id.
    Child,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Total => "t",
            Self::Endpoint => "e",
            Self::Status => "s",
            Self::Child => "c",
        }
    }
}

/// How fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// By hour.
    Hour,
    /// By day (UTC).
    Day,
}

impl Grain {
    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// The beginning of the hour or day of `at`.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.millis().div_euclid(self.millis()) * self.millis())
    }

    fn table(self) -> &'static str {
        match self {
            Self::Hour => "usage_hours",
            Self::Day => "usage_days",
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hour => "hour",
            Self::Day => "day",
        })
    }
}

/// A time, from `from` until before `to`; whole hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Period {
    /// The whole hours around this time.
    pub fn around(from: Timestamp, to: Timestamp) -> Self {
        let end = Grain::Hour.floor(Timestamp::from_millis(to.millis() + HOUR_MS - 1));
        Self { from: Grain::Hour.floor(from), to: end }
    }

    /// The tables to read, and of which time each: whole days in the middle, hours at the ends.
    fn split(self) -> Vec<(Grain, Self)> {
        let first = Grain::Day.floor(Timestamp::from_millis(self.from.millis() + DAY_MS - 1));
        let last = Grain::Day.floor(self.to);
        if first >= last {
            return vec![(Grain::Hour, self)];
        }
        let parts = [
            (Grain::Hour, Self { from: self.from, to: first }),
            (Grain::Day, Self { from: first, to: last }),
            (Grain::Hour, Self { from: last, to: self.to }),
        ];
        parts.into_iter().filter(|(_, part)| part.from < part.to).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_period_is_whole_days_and_the_hours_at_its_ends() {
        let period = Period::around(at("2026-03-01T10:30:00Z"), at("2026-03-04T02:00:00Z"));
        let hours = |from: &str, to: &str| (Grain::Hour, Period { from: at(from), to: at(to) });
        assert_eq!(
            period.split(),
            [
                hours("2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z"),
                (Grain::Day, Period { from: at("2026-03-02T00:00:00Z"), to: at("2026-03-04T00:00:00Z") }),
                hours("2026-03-04T00:00:00Z", "2026-03-04T02:00:00Z"),
            ]
        );
        let within = Period::around(at("2026-03-01T10:30:00Z"), at("2026-03-01T11:00:00.001Z"));
        assert_eq!(within.split(), [hours("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z")]);
        let whole = Period::around(at("2026-03-01T00:00:00Z"), at("2026-03-31T00:00:00Z"));
        assert_eq!(whole.split(), [(Grain::Day, whole)]);
    }
}
