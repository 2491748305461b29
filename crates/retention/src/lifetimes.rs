//! How long things are kept.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};
use serde_json::Value;

/// How long something is kept: `90d`, `12h`, or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Lifetime(Option<Duration>);

impl Lifetime {
    /// For ever.
    pub const FOREVER: Self = Self(None);

    /// So many days.
    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self(Some(Duration::from_hours(24 * days)))
    }

    /// The shorter one.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (a, b) => Self(a.or(b)),
        }
    }

    /// What was made before this is older than the lifetime. None: nothing ever is.
    #[must_use]
    pub fn cutoff(self, now: Timestamp) -> Option<Timestamp> {
        self.0.map(|kept| now.minus(kept))
    }
}

impl TryFrom<String> for Lifetime {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl std::str::FromStr for Lifetime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused =
            || Error::invalid("invalid_lifetime", format!("{text:?} is no lifetime. Write 90d, 12h or forever; at least an hour."));
        if text == "forever" {
            return Ok(Self::FOREVER);
        }
        let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (_, Some(hours)) => (hours, 1),
            _ => return Err(refused()),
        };
        let number: u64 = number.parse().map_err(|_| refused())?;
        let hours = number.checked_mul(hours).filter(|hours| (1..=24 * 36_500).contains(hours)).ok_or_else(refused)?;
        Ok(Self(Some(Duration::from_hours(hours))))
    }
}

/// How long each kind of data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// The `data` of events. Then it is erased; what is known about the event stays.
    pub payloads: Lifetime,
    /// What receivers answered, and the headers of attempts. Then they are erased; the attempt stays.
    pub answers: Lifetime,
    /// Attempts.
    pub attempts: Lifetime,
    /// Events and deliveries themselves.
    pub metadata: Lifetime,
    /// Request logs, and the counts of calls by hour.
    pub request_logs: Lifetime,
    /// Counts of calls by day, and lines for billing.
    pub usage: Lifetime,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            payloads: Lifetime::days(90),
            answers: Lifetime::days(30),
            attempts: Lifetime::days(90),
            metadata: Lifetime::days(365),
            request_logs: Lifetime::days(90),
            usage: Lifetime::days(400),
        }
    }
}

impl Lifetimes {
    /// For ever.
    pub const FOREVER: Self = Self {
        payloads: Lifetime::FOREVER,
        answers: Lifetime::FOREVER,
        attempts: Lifetime::FOREVER,
        metadata: Lifetime::FOREVER,
        request_logs: Lifetime::FOREVER,
        usage: Lifetime::FOREVER,
    };

    /// A tenant's: `settings.retention` with `payloads`, `answers`, `attempts`, `metadata` and `requestLogs` can only shorten. What cannot be
    /// read is left out, and said in the log.
    #[must_use]
    pub fn of_tenant(self, settings: &Value) -> Self {
        let asked = |name: &str, usual: Lifetime| {
            let Some(value) = settings.get("retention").and_then(|retention| retention.get(name)) else { return usual };
            let read = value.as_str().and_then(|text| text.parse::<Lifetime>().ok());
            if read.is_none() {
                tracing::warn!(name, %value, "a tenant's settings.retention cannot be read");
            }
            read.map_or(usual, |asked| asked.min(usual))
        };
        Self {
            payloads: asked("payloads", self.payloads),
            answers: asked("answers", self.answers),
            attempts: asked("attempts", self.attempts),
            metadata: asked("metadata", self.metadata),
            request_logs: asked("requestLogs", self.request_logs),
            // What was counted says nothing about anybody, and is what bills are made of.
            usage: self.usage,
        }
    }

    /// After this time the first thing of an event or a delivery goes.
    pub(crate) fn soonest(&self) -> Lifetime {
        self.payloads.min(self.answers).min(self.metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lifetimes_are_read_and_refused() {
        assert_eq!("90d".parse::<Lifetime>().unwrap(), Lifetime::days(90));
        assert_eq!("48h".parse::<Lifetime>().unwrap(), Lifetime::days(2));
        assert_eq!("forever".parse::<Lifetime>().unwrap(), Lifetime::FOREVER);
        for text in ["", "0d", "-1d", "90", "d", "9999999999999999999d", "99999999999999d", "1w", "90 d"] {
            assert_eq!(text.parse::<Lifetime>().unwrap_err().code(), "invalid_lifetime", "{text}");
        }
    }

    #[test]
    fn a_tenant_can_only_shorten() {
        let usual = Lifetimes::default();
        let shorter = usual.of_tenant(&json!({"retention": {"payloads": "7d", "metadata": "9999d", "answers": "forever", "attempts": 5}}));
        assert_eq!(shorter, Lifetimes { payloads: Lifetime::days(7), ..usual });
        assert_eq!(usual.of_tenant(&json!({})), usual);
        assert_eq!(Lifetimes::FOREVER.of_tenant(&json!({"retention": {"requestLogs": "1d"}})).request_logs, Lifetime::days(1));
        assert_eq!(Lifetime::FOREVER.cutoff(Timestamp::from_millis(5)), None);
    }
}
