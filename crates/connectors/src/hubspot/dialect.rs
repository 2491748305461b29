//! How HubSpot refuses, and what it says about its limits.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::tz::TimeZone;
use kernel::Timestamp;
use serde_json::Value;

use super::settings::Settings;
use crate::driver::{Answer, Dialect, bounded, by_status, retry_after};
use crate::{BudgetNews, Fault};

/// A pause inside of HubSpot's rolling ten seconds, where it names none: the driver's three pauses then span the window.
const ROLLING: Duration = Duration::from_secs(3);
/// The same for searches, which are limited by the second.
const SECONDLY: Duration = Duration::from_secs(1);
/// A record that a bulk operation of HubSpot's holds (423).
const LOCKED: Duration = Duration::from_secs(2);
/// The account moves between data centres (477).
const MIGRATING: Duration = Duration::from_mins(10);

/// HubSpot's way of speaking to one account.
#[derive(Clone, Debug)]
pub(super) struct Speech {
    zone: Option<TimeZone>,
}

impl Speech {
    pub(super) fn of(settings: &Settings<'_>) -> Self {
        Self { zone: settings.zone.clone() }
    }

    /// When the daily limit begins anew: at midnight in the account's time zone. Where that is not known, at the next full hour, when it may be
    /// midnight there: one call an hour finds out.
    fn next_day(&self, now: Timestamp) -> Timestamp {
        let hour = Timestamp::from_millis(now.millis().div_euclid(3_600_000).saturating_add(1).saturating_mul(3_600_000));
        let Some(zone) = &self.zone else { return hour };
        let midnight = || {
            let here = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(zone.clone());
            Some(here.tomorrow().ok()?.start_of_day().ok()?.timestamp().as_millisecond())
        };
        midnight().map_or(hour, Timestamp::from_millis)
    }

    fn limited(&self, answer: &Answer) -> Fault {
        let wait = retry_after(&answer.headers, answer.at);
        match answer.text("/policyName") {
            Some("DAILY") => Fault::Exhausted { until: self.next_day(answer.at) },
            Some("SECONDLY") => Fault::RateLimited { after: wait.or(Some(SECONDLY)) },
            _ => Fault::RateLimited { after: wait.or(Some(ROLLING)) },
        }
    }
}

impl Dialect for Speech {
    fn refusal(&self, answer: &Answer, repeatable: bool) -> Option<Fault> {
        let said = &answer.json;
        match answer.status.as_u16() {
            200..=299 if said["status"] == "error" => Some(inside(said, repeatable)),
            200..=299 => None,
            429 => Some(self.limited(answer)),
            // Limits have been seen with 403, too.
            403 if said["policyName"].is_string() => Some(self.limited(answer)),
            403 => Some(Fault::Forbidden { message: message(said).unwrap_or_else(|| "HubSpot does not allow it.".to_owned()) }),
            423 => Some(Fault::RateLimited { after: retry_after(&answer.headers, answer.at).or(Some(LOCKED)) }),
            477 => Some(Fault::RateLimited { after: retry_after(&answer.headers, answer.at).or(Some(MIGRATING)) }),
            400 | 405 | 409 | 422 if said.is_object() => Some(refused(said)),
            _ if answer.status == StatusCode::UNAUTHORIZED => None,
            _ => Some(by_status(answer, repeatable, category(said), message(said).as_deref())),
        }
    }

    fn budgets(&self, headers: &HeaderMap, now: Timestamp) -> Vec<BudgetNews> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let mut news = Vec::new();
        if let Some(remaining) = number("x-hubspot-ratelimit-remaining") {
            let resets = number("x-hubspot-ratelimit-interval-milliseconds").map(|ms| now.plus(Duration::from_millis(ms)));
            news.push(BudgetNews { window: "burst", limit: number("x-hubspot-ratelimit-max"), remaining: Some(remaining), resets });
        }
        if let Some(remaining) = number("x-hubspot-ratelimit-daily-remaining") {
            let resets = self.zone.as_ref().map(|_| self.next_day(now));
            news.push(BudgetNews { window: "daily", limit: number("x-hubspot-ratelimit-daily"), remaining: Some(remaining), resets });
        }
        news
    }
}

fn category(said: &Value) -> Option<&str> {
    said["category"].as_str()
}

/// An error under a good status, or one of a batch.
pub(super) fn inside(said: &Value, repeatable: bool) -> Fault {
    let text = message(said).unwrap_or_else(|| "HubSpot says no more than that it failed.".to_owned());
    match category(said) {
        Some("RATE_LIMITS") => Fault::RateLimited { after: None },
        Some("OBJECT_NOT_FOUND") => Fault::NotFound { message: text },
        Some("MISSING_SCOPES" | "BANNED") => Fault::Forbidden { message: text },
        Some("SERVER_ERROR" | "INTERNAL_ERROR" | "TIMEOUT") | None if repeatable => Fault::Unavailable { message: text },
        Some("SERVER_ERROR" | "INTERNAL_ERROR" | "TIMEOUT") | None => Fault::Lost { message: text },
        Some(_) => refused(said),
    }
}

/// An error by which HubSpot refuses what it was asked for.
pub(super) fn refused(said: &Value) -> Fault {
    let first = &said["errors"][0];
    let code = first["code"].as_str().or_else(|| category(said)).unwrap_or("VALIDATION_ERROR");
    let whole = said["message"].as_str().unwrap_or_default();
    let field = first["context"]["propertyName"][0].as_str().or_else(|| between(whole, "propertyName=", &[',', '}']));
    let text = message(said).unwrap_or_else(|| "HubSpot refuses it without a word.".to_owned());
    Fault::Refused { code: bounded(code), message: text, field: field.map(bounded) }
}

/// What is said, for people: the first error's words where there are some, since the whole's repeat the input.
fn message(said: &Value) -> Option<String> {
    let first = &said["errors"][0];
    let mut text = first["message"].as_str().or_else(|| said["message"].as_str()).map(bounded).filter(|text| !text.is_empty())?;
    let scopes: Vec<_> = first["context"]["requiredGranularScopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !scopes.is_empty() {
        text = bounded(&format!("{text} {}", scopes.join(", ")));
    }
    Some(text)
}

/// What stands in a text after `start`, up to the first of `ends`.
pub(super) fn between<'t>(text: &'t str, start: &str, ends: &[char]) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split(ends).next().unwrap_or_default()).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spent_day_ends_at_midnight_of_the_account() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let now = at("2026-03-28T22:30:00Z");
        let in_zone = |name: &str| Speech { zone: Some(TimeZone::get(name).unwrap()) }.next_day(now);
        assert_eq!(in_zone("UTC"), at("2026-03-29T00:00:00Z"));
        assert_eq!(in_zone("Europe/Berlin"), at("2026-03-28T23:00:00Z"));
        assert_eq!(in_zone("America/New_York"), at("2026-03-29T04:00:00Z"));
        // The day on which the clocks change is 23 hours long.
        let later = Speech { zone: Some(TimeZone::get("Europe/Berlin").unwrap()) }.next_day(at("2026-03-29T10:00:00Z"));
        assert_eq!(later, at("2026-03-29T22:00:00Z"));
        assert_eq!(Speech { zone: None }.next_day(now), at("2026-03-28T23:00:00Z"));
    }

    #[test]
    fn a_refusal_names_code_words_and_field() {
        let said = json!({"status": "error", "category": "VALIDATION_ERROR", "message": "Property values were not valid: [{…}]", "errors": [
            {"message": "x was not a valid number.", "code": "INVALID_LONG", "context": {"propertyName": ["score"]}}]});
        let expected =
            Fault::Refused { code: "INVALID_LONG".into(), message: "x was not a valid number.".into(), field: Some("score".into()) };
        assert_eq!(refused(&said), expected);
        let said = json!({"category": "CONFLICT", "message": "Cannot set PropertyValueCoordinates{propertyName=vat, value=1} on 5. 5 already has that value."});
        assert!(matches!(refused(&said), Fault::Refused { code, field: Some(field), .. } if code == "CONFLICT" && field == "vat"));
        assert!(matches!(refused(&json!({})), Fault::Refused { field: None, .. }));
    }

    #[test]
    fn an_error_under_a_good_status_is_one() {
        let server = json!({"status": "error", "category": "SERVER_ERROR", "message": "internal error"});
        assert!(matches!(inside(&server, true), Fault::Unavailable { .. }));
        assert!(matches!(inside(&server, false), Fault::Lost { .. }));
        assert!(matches!(inside(&json!({"category": "OBJECT_NOT_FOUND"}), true), Fault::NotFound { .. }));
        assert!(matches!(inside(&json!({"category": "VALIDATION_ERROR"}), false), Fault::Refused { .. }));
    }
}
