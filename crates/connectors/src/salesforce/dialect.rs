//! What Salesforce's answers mean. Errors are arrays: `[{"errorCode", "message", "fields"}]`; a limit is a 403; what is left of the day stands
//! in `Sforce-Limit-Info`.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use kernel::Timestamp;
use serde_json::Value;

use crate::driver::{Answer, Dialect, bounded, by_status, retry_after};
use crate::{BudgetNews, Fault};

/// How long a run is parked when the day's calls are used up. They come back as the last 24 hours move on, not at a fixed time.
const PARKED: Duration = Duration::from_hours(1);

/// The REST API's.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestDialect;

/// One of Salesforce's errors, wherever it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// `REQUIRED_FIELD_MISSING`.
    pub(super) code: String,
    /// For people; bounded.
    pub(super) message: String,
    /// The fields that are meant.
    pub(super) fields: Vec<String>,
}

impl Said {
    /// The first error of an answer: of an array, of one object, of OAuth's form. Codes are named in two ways.
    pub(super) fn of(json: &Value) -> Option<Self> {
        let one = json.get(0).unwrap_or(json);
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let code = text("errorCode").or_else(|| text("statusCode")).or_else(|| text("error"))?;
        let message = text("message").or_else(|| text("error_description")).unwrap_or_default();
        let fields = one.get("fields").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        Some(Self { code: bounded(code), message: bounded(message), fields: fields.map(bounded).collect() })
    }

    /// As a refusal that no further try changes.
    pub(super) fn refused(self) -> Fault {
        Fault::Refused { code: self.code, message: self.message, field: self.fields.into_iter().next() }
    }
}

impl Dialect for RestDialect {
    fn refusal(&self, answer: &Answer, repeatable: bool) -> Option<Fault> {
        let status = answer.status;
        if status.is_success() {
            return None;
        }
        // Too long an address, or with its headers; Salesforce's own edge answers these, not always in JSON.
        if matches!(status, StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) {
            return Some(refused("URI_TOO_LONG", "the address is longer than Salesforce takes"));
        }
        if status == StatusCode::MULTIPLE_CHOICES {
            return Some(refused("MULTIPLE_CHOICES", "several records have this external id"));
        }
        let said = Said::of(&answer.json)?;
        Some(meaning(said, answer, repeatable))
    }

    fn budgets(&self, headers: &HeaderMap, _: Timestamp) -> Vec<BudgetNews> {
        headers.get("sforce-limit-info").and_then(|value| usage(value.to_str().ok()?)).into_iter().collect()
    }
}

fn refused(code: &str, message: &str) -> Fault {
    Fault::Refused { code: code.to_owned(), message: message.to_owned(), field: None }
}

fn meaning(said: Said, answer: &Answer, repeatable: bool) -> Fault {
    let Said { code, message, .. } = &said;
    match code.as_str() {
        "REQUEST_LIMIT_EXCEEDED" if message.contains("TotalRequests") => Fault::Exhausted { until: answer.at.plus(PARKED) },
        // Too many long calls at once.
        "REQUEST_LIMIT_EXCEEDED" => Fault::RateLimited { after: retry_after(&answer.headers, answer.at) },
        // Nothing was done: the lock was waited for and not had.
        "UNABLE_TO_LOCK_ROW" => Fault::RateLimited { after: None },
        "QUERY_TIMEOUT" | "SERVER_UNAVAILABLE" => Fault::Unavailable { message: message.clone() },
        "INVALID_QUERY_LOCATOR" => Fault::Stale { message: message.clone() },
        "INVALID_SESSION_ID" | "Bad_OAuth_Token" | "INVALID_AUTH_HEADER" => Fault::Unauthorized { message: message.clone() },
        _ => match by_status(answer, repeatable, Some(code), Some(message)) {
            Fault::Refused { .. } => said.refused(),
            Fault::Forbidden { message } => Fault::Forbidden { message: format!("{code}: {message}") },
            fault => fault,
        },
    }
}

/// `api-usage=123/15000`, of which other members may follow: `api-usage=18/5000; per-app-api-usage=17/250(appName=x)`.
fn usage(text: &str) -> Option<BudgetNews> {
    let pair = text.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, limit) = pair.trim().split_once('/')?;
    let (used, limit): (u64, u64) = (used.trim().parse().ok()?, limit.trim().parse().ok()?);
    Some(BudgetNews { window: "daily", limit: Some(limit), remaining: Some(limit.saturating_sub(used)), resets: None })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fault(status: u16, json: Value) -> Fault {
        let status = StatusCode::from_u16(status).unwrap();
        let at = Timestamp::from_millis(0);
        let answer = Answer { status, headers: HeaderMap::new(), body: bytes::Bytes::from(json.to_string()), json, at };
        RestDialect.refusal(&answer, true).unwrap()
    }

    fn one(status: u16, code: &str, message: &str) -> Fault {
        fault(status, json!([{"errorCode": code, "message": message}]))
    }

    #[test]
    fn errors_say_what_to_do() {
        let hour = Timestamp::from_millis(3_600_000);
        assert_eq!(one(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), Fault::Exhausted { until: hour });
        let busy = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        for status in [403, 429, 503] {
            assert_eq!(one(status, "REQUEST_LIMIT_EXCEEDED", busy), Fault::RateLimited { after: None });
        }
        assert_eq!(one(500, "UNABLE_TO_LOCK_ROW", "unable"), Fault::RateLimited { after: None });
        assert_eq!(one(401, "INVALID_SESSION_ID", "over"), Fault::Unauthorized { message: "over".into() });
        assert_eq!(one(403, "Bad_OAuth_Token", "x"), Fault::Unauthorized { message: "x".into() });
        let message = "INSUFFICIENT_ACCESS: no".to_owned();
        assert_eq!(one(403, "INSUFFICIENT_ACCESS", "no"), Fault::Forbidden { message });
        assert_eq!(one(404, "ENTITY_IS_DELETED", "gone"), Fault::NotFound { message: "gone".into() });
        assert_eq!(one(400, "INVALID_QUERY_LOCATOR", "old"), Fault::Stale { message: "old".into() });
        assert_eq!(one(500, "UNKNOWN_EXCEPTION", "odd"), Fault::Unavailable { message: "odd".into() });
        let missing = json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Company]",
            "fields": ["Company"]}]);
        let expected = Fault::Refused {
            code: "REQUIRED_FIELD_MISSING".into(),
            message: "Required fields are missing: [Company]".into(),
            field: Some("Company".into()),
        };
        assert_eq!(fault(400, missing), expected);
        assert_eq!(
            fault(400, json!({"error": "invalid_grant", "error_description": "expired"})),
            Fault::Refused { code: "invalid_grant".into(), message: "expired".into(), field: None }
        );
        for status in [414, 431] {
            assert!(matches!(fault(status, Value::Null), Fault::Refused { code, .. } if code == "URI_TOO_LONG"));
        }
    }

    #[test]
    fn usage_is_read_beside_other_members() {
        let expected = BudgetNews { window: "daily", limit: Some(5000), remaining: Some(4982), resets: None };
        for text in ["api-usage=18/5000", "api-usage=18/5000; per-app-api-usage=17/250(appName=sample)", " api-usage= 18 / 5000 ,x=1"] {
            assert_eq!(usage(text), Some(expected.clone()), "{text}");
        }
        assert_eq!(usage("api-usage=5001/5000").unwrap().remaining, Some(0));
        assert_eq!([usage(""), usage("per-app-api-usage=1/2"), usage("api-usage=x/2")], [None, None, None]);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_not(text in "\\PC{0,60}") {
            let _ = usage(&text);
        }
    }
}
