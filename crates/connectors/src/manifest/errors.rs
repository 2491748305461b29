//! A manifest's error map, and what its headers say.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use kernel::Timestamp;
use serde_json::Value;

use super::check::window;
use super::form::{Budget, Meaning, Reset, Rule, Until, Window};
use super::model::Model;
use super::record::scalar;
use crate::driver::{Answer, Dialect, bounded, by_status, retry_after};
use crate::{BudgetNews, Fault};

/// The code of a refusal that says that the record is there.
pub(super) const DUPLICATE: &str = "duplicate";
/// So much of a body is looked through for `contains`.
const LOOKED_THROUGH: usize = 64 * 1024;

/// Reads the refusals of one call, or of a few.
pub(super) struct Judge<'a> {
    model: &'a Model,
    /// The id of the record that is there, which a refusal named.
    existing: Mutex<Option<String>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, existing: Mutex::default() }
    }

    /// The id that the last refusal as a duplicate named.
    pub(super) fn take_existing(&self) -> Option<String> {
        self.existing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn said(&self, answer: &Answer, pointers: &[String]) -> Option<String> {
        pointers.iter().find_map(|pointer| scalar(answer.json.pointer(pointer)?))
    }

    fn fault(&self, rule: &Rule, answer: &Answer, code: Option<String>, message: String, field: Option<String>) -> Fault {
        match rule.means {
            Meaning::Unauthorized => Fault::Unauthorized { message },
            Meaning::Forbidden => Fault::Forbidden { message },
            Meaning::RateLimited => {
                let said = || answer.header(rule.after_header.as_deref()?)?.trim().parse().ok();
                let after = retry_after(&answer.headers, answer.at).or_else(|| said().or(rule.after_seconds).map(Duration::from_secs));
                Fault::RateLimited { after }
            }
            Meaning::Exhausted => Fault::Exhausted { until: until(rule.until.unwrap_or(Until::UtcDay), answer) },
            Meaning::NotFound => Fault::NotFound { message },
            Meaning::Refused => Fault::Refused { code: code.unwrap_or_else(|| format!("http_{}", answer.status.as_u16())), message, field },
            Meaning::Duplicate => {
                let id = rule.id.as_ref().and_then(|pointer| scalar(answer.json.pointer(pointer)?));
                *self.existing.lock().unwrap_or_else(PoisonError::into_inner) = id;
                Fault::Refused { code: DUPLICATE.to_owned(), message, field }
            }
            Meaning::Stale => Fault::Stale { message },
            Meaning::Unavailable => Fault::Unavailable { message },
            Meaning::Lost => Fault::Lost { message },
        }
    }
}

impl Dialect for Judge<'_> {
    fn refusal(&self, answer: &Answer, repeatable: bool) -> Option<Fault> {
        let errors = &self.model.errors;
        let code = self.said(answer, &errors.code).map(|code| bounded(&code));
        let message = self.said(answer, &errors.message).map(|message| bounded(&message));
        let field = self.said(answer, &errors.field).map(|field| bounded(&field));
        let rule = errors.rules.iter().find(|rule| holds(rule, answer, code.as_deref(), message.as_deref()));
        if let Some(rule) = rule {
            let message = message.unwrap_or_else(|| format!("the vendor answers HTTP {}", answer.status.as_u16()));
            return Some(self.fault(rule, answer, code, message, field));
        }
        if answer.status.is_success() || (code.is_none() && message.is_none()) {
            return None;
        }
        Some(match by_status(answer, repeatable, code.as_deref(), message.as_deref()) {
            Fault::Refused { code, message, .. } => Fault::Refused { code, message, field },
            other => other,
        })
    }

    fn budgets(&self, headers: &HeaderMap, now: Timestamp) -> Vec<BudgetNews> {
        self.model.budgets.iter().filter_map(|budget| news(budget, headers, now)).collect()
    }
}

fn holds(rule: &Rule, answer: &Answer, code: Option<&str>, message: Option<&str>) -> bool {
    let contains = |part: &String| {
        let part = part.to_lowercase();
        let body = || String::from_utf8_lossy(&answer.body[..answer.body.len().min(LOOKED_THROUGH)]).to_lowercase();
        message.is_some_and(|message| message.to_lowercase().contains(&part)) || body().contains(&part)
    };
    (rule.status.is_empty() || rule.status.contains(&answer.status.as_u16()))
        && (rule.code.is_empty() || code.is_some_and(|code| rule.code.iter().any(|one| one == code)))
        && rule.when.as_ref().is_none_or(|when| answer.json.pointer(&when.pointer) == Some(&when.equals))
        && rule.header.as_ref().is_none_or(|header| {
            let number = answer.header(&header.name).and_then(|text| text.trim().parse::<u64>().ok());
            number.is_some_and(|number| number < header.below)
        })
        && rule.contains.as_ref().is_none_or(contains)
}

/// When there is something again.
fn until(until: Until, answer: &Answer) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    if let Some(wait) = retry_after(&answer.headers, answer.at) {
        return answer.at.plus(wait);
    }
    let now = answer.at.millis();
    match until {
        Until::Hour => Timestamp::from_millis((now.div_euclid(HOUR) + 1) * HOUR),
        Until::UtcDay => next_day(answer.at),
        Until::Month => {
            let today = jiff::Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
            let first =
                today.first_of_month().and_then(|day| day.checked_add(jiff::Span::new().months(1))).and_then(|day| day.start_of_day());
            first.map_or(next_day(answer.at), |day| Timestamp::from_millis(day.timestamp().as_millisecond()))
        }
    }
}

pub(super) fn next_day(now: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000;
    Timestamp::from_millis((now.millis().div_euclid(DAY) + 1) * DAY)
}

fn news(budget: &Budget, headers: &HeaderMap, now: Timestamp) -> Option<BudgetNews> {
    let number = |name: &Option<String>| headers.get(name.as_deref()?)?.to_str().ok()?.trim().parse::<u64>().ok();
    let (limit, remaining) = (number(&budget.limit_header), number(&budget.remaining_header));
    if limit.is_none() && remaining.is_none() {
        return None;
    }
    let said = number(&budget.reset_header);
    let at = |ms: u64| Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let resets = match (budget.reset, said) {
        (Reset::Seconds, Some(seconds)) => Some(now.plus(Duration::from_secs(seconds.min(86_400 * 31)))),
        (Reset::Unix, Some(seconds)) => Some(at(seconds.saturating_mul(1000))),
        (Reset::UnixMs, Some(ms)) => Some(at(ms)),
        (Reset::UtcDay, _) => Some(next_day(now)),
        (_, None) => (budget.window == Window::Daily).then(|| next_day(now)),
    };
    Some(BudgetNews { window: window(budget.window), limit, remaining, resets })
}

/// For rules that look at values: whether a member has this value.
pub(super) fn is(json: &Value, condition: Option<&super::form::Condition>) -> bool {
    condition.is_some_and(|condition| json.pointer(&condition.pointer) == Some(&condition.equals))
}
