//! Pure: what a measure means for an alert.

use std::time::Duration;

use kernel::Timestamp;

use super::measure::Measure;
use crate::alerts::sql::Kept;
use crate::rules::{Direction, Settings};
use crate::{Rule, Severity};

/// A count is well again below this share of its threshold.
pub(super) const COLD: f64 = 0.8;
/// How much worse than the threshold is critical: so many times above it.
const CRITICAL: f64 = 5.0;
/// Days before an end that are critical.
const CRITICAL_DAYS: f64 = 2.0;
/// Least time between two updates that are told, unless the severity rises.
const TOLD_EVERY: Duration = Duration::from_hours(1);
/// An alert that stays as it is is told of again after so long.
const TOLD_AGAIN: Duration = Duration::from_hours(24);
/// A row whose value does not change is written so often nevertheless.
const SEEN_EVERY: Duration = Duration::from_mins(10);

/// How bad a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heat {
    /// Well.
    Cold,
    /// Neither: nothing opens, nothing closes.
    Warm,
    /// Bad.
    Hot,
}

/// From where on a rate is well, if `threshold` is where it is bad: a fifth of the way up to all.
pub(super) fn rate_is_well(threshold: f64) -> f64 {
    threshold + (100.0 - threshold) * (1.0 - COLD)
}

pub(super) fn heat(rule: Rule, settings: &Settings, measure: &Measure) -> Heat {
    let (value, threshold) = (measure.value, settings.threshold);
    let (is_bad, is_well) = match (rule, rule.facts().bad) {
        (Rule::Expiry, _) => (value <= threshold, value > threshold),
        (_, Direction::Above) => (value >= threshold, value < threshold * COLD),
        (_, Direction::Below) => (value < threshold, value >= rate_is_well(threshold)),
    };
    match (is_bad, is_well) {
        (_, true) => Heat::Cold,
        // Too little to begin with; enough to go on.
        (true, _) if measure.basis < settings.minimum => Heat::Warm,
        (true, _) => Heat::Hot,
        _ => Heat::Warm,
    }
}

/// As grave as the rule says; critical if it is much worse than the threshold.
pub(super) fn severity(rule: Rule, settings: &Settings, value: f64) -> Severity {
    let is_urgent = match (rule, rule.facts().bad) {
        (Rule::Expiry, _) => value <= CRITICAL_DAYS,
        (_, Direction::Above) => value >= settings.threshold * CRITICAL,
        (_, Direction::Below) => value < settings.threshold / 2.0,
    };
    if is_urgent { Severity::Critical } else { settings.severity }
}

/// Whether `value` is worse than `other`.
pub(super) fn is_worse(rule: Rule, value: f64, other: f64) -> bool {
    if rule.facts().bad == Direction::Above { value > other } else { value < other }
}

/// Whether a look at one that is open changes enough to be written.
pub(super) fn is_news(kept: &Kept, measure: &Measure, severity: Severity, now: Timestamp) -> bool {
    let alert = &kept.alert;
    let is_same = alert.value.to_bits() == measure.value.to_bits() && alert.severity == severity && kept.quiet_since.is_none();
    !is_same || now.since(alert.last_seen_at) >= SEEN_EVERY
}

/// Whether an update of one that is open is to be told: it got graver; it got worse, hourly; it is still there, daily; it was muted.
pub(super) fn is_told(kept: &Kept, value: f64, severity: Severity, now: Timestamp) -> bool {
    let alert = &kept.alert;
    if alert.muted_until.is_some_and(|until| now < until) {
        return false;
    }
    let since = now.since(kept.told_at);
    let was_muted = alert.muted_until.is_some_and(|until| until > kept.told_at);
    severity > alert.severity || was_muted || since >= TOLD_AGAIN || (since >= TOLD_EVERY && is_worse(alert.rule, value, kept.told_value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rule: Rule) -> Settings {
        Settings::of(rule, crate::rules::Overrides::default(), &crate::rules::Overrides::default())
    }

    fn heat_of(rule: Rule, value: f64, basis: u64) -> Heat {
        let measure = Measure { tenant: None, subject: String::new(), value, basis, summary: String::new() };
        heat(rule, &settings(rule), &measure)
    }

    #[test]
    fn between_bad_and_well_there_is_room() {
        for (rule, bad, warm, well) in [
            (Rule::FailedAuthentication, 20.0, 16.0, 15.0),
            (Rule::UnusualVolume, 3.0, 2.5, 2.0),
            (Rule::WebhookSuccessRate, 89.0, 91.0, 92.0),
        ] {
            assert_eq!([bad, warm, well].map(|value| heat_of(rule, value, 10_000)), [Heat::Hot, Heat::Warm, Heat::Cold], "{rule:?}");
        }
        assert_eq!([0.0, 14.0, 15.0].map(|days| heat_of(Rule::Expiry, days, 1)), [Heat::Hot, Heat::Hot, Heat::Cold]);
    }

    #[test]
    fn too_little_opens_nothing_and_closes_nothing() {
        assert_eq!(heat_of(Rule::WebhookSuccessRate, 0.0, 19), Heat::Warm);
        assert_eq!(heat_of(Rule::WebhookSuccessRate, 100.0, 19), Heat::Cold);
        assert_eq!(heat_of(Rule::UnusualVolume, 30.0, 499), Heat::Warm);
    }

    #[test]
    fn much_worse_is_critical() {
        let of = |rule, value| severity(rule, &settings(rule), value);
        assert_eq!((of(Rule::BruteForce, 499.0), of(Rule::BruteForce, 500.0)), (Severity::Warning, Severity::Critical));
        assert_eq!((of(Rule::WebhookSuccessRate, 45.0), of(Rule::WebhookSuccessRate, 44.0)), (Severity::Warning, Severity::Critical));
        assert_eq!((of(Rule::Expiry, 3.0), of(Rule::Expiry, 2.0)), (Severity::Warning, Severity::Critical));
    }
}
