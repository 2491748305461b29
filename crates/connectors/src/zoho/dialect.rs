//! How Zoho refuses: by a code, under any status, 200 among them.

use std::time::Duration;

use http::HeaderMap;
use kernel::Timestamp;
use serde_json::Value;

use crate::driver::{Answer, Dialect, bounded, by_status, retry_after};
use crate::{BudgetNews, Fault};

/// Credits are counted over the last 24 hours and come back bit by bit: when there are enough again is not told, so it is tried every hour.
const PROBE: Duration = Duration::from_hours(1);
/// What a [`Fault::NotFound`] says when nothing was changed since (304).
pub(super) const UNCHANGED: &str = "nothing was changed since";

/// Zoho's way of speaking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speech;

impl Dialect for Speech {
    fn refusal(&self, answer: &Answer, repeatable: bool) -> Option<Fault> {
        let said = &answer.json;
        if answer.status.as_u16() == 304 {
            return Some(Fault::NotFound { message: UNCHANGED.to_owned() });
        }
        let good = answer.status.is_success();
        // An error of the whole has its code at the top; one of a row in `data`, which only a failed status makes the whole's.
        let error = if said["code"].is_string() { said } else { &said["data"][0] };
        if good && (!said["code"].is_string() || said["status"] == "success") {
            return None;
        }
        if answer.status.as_u16() == 429 || matches!(code(error), Some("TOO_MANY_REQUESTS" | "API_LIMIT_EXCEEDED")) {
            return Some(limited(answer));
        }
        if code(error).is_none() {
            return Some(by_status(answer, repeatable, None, None));
        }
        Some(inside(error, repeatable))
    }

    fn budgets(&self, headers: &HeaderMap, _: Timestamp) -> Vec<BudgetNews> {
        let news = |remaining| BudgetNews { window: "daily", limit: None, remaining: Some(remaining), resets: None };
        credits(headers).map(news).into_iter().collect()
    }
}

fn credits(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-api-credits-remaining")?.to_str().ok()?.trim().parse().ok()
}

fn limited(answer: &Answer) -> Fault {
    if credits(&answer.headers) == Some(0) {
        return Fault::Exhausted { until: answer.at.plus(PROBE) };
    }
    Fault::RateLimited { after: retry_after(&answer.headers, answer.at) }
}

fn code(error: &Value) -> Option<&str> {
    error["code"].as_str()
}

/// An error with a code, of a whole call or of one row.
pub(super) fn inside(error: &Value, repeatable: bool) -> Fault {
    let code = code(error).unwrap_or("UNKNOWN");
    let said = error["message"].as_str().map(bounded).filter(|text| !text.is_empty());
    let message = said.unwrap_or_else(|| format!("Zoho says no more than {}.", bounded(code)));
    match code {
        "INVALID_TOKEN" | "AUTHENTICATION_FAILURE" | "INVALID_OAUTHTOKEN" => Fault::Unauthorized { message },
        "OAUTH_SCOPE_MISMATCH" | "NO_PERMISSION" | "PERMISSION_DENIED" | "LICENSE_ERROR" => Fault::Forbidden { message },
        "TOO_MANY_REQUESTS" | "API_LIMIT_EXCEEDED" => Fault::RateLimited { after: None },
        "INVALID_MODULE" | "INVALID_URL_PATTERN" => Fault::NotFound { message },
        "INTERNAL_ERROR" | "INTERNAL_SERVER_ERROR" if repeatable => Fault::Unavailable { message },
        "INTERNAL_ERROR" | "INTERNAL_SERVER_ERROR" => Fault::Lost { message },
        _ => {
            let details = &error["details"];
            let field = ["api_name", "column_name", "param_name"].iter().find_map(|name| details[*name].as_str()).map(bounded);
            Fault::Refused { code: bounded(code), message, field }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};
    use serde_json::json;

    use super::*;

    fn judged(status: u16, body: Value, credits: Option<&'static str>) -> Option<Fault> {
        let headers = credits.map(|left| (http::HeaderName::from_static("x-api-credits-remaining"), HeaderValue::from_static(left)));
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.into_iter().collect(),
            body: Bytes::from(body.to_string()),
            json: body,
            at: Timestamp::from_millis(1000),
        };
        Speech.refusal(&answer, true)
    }

    fn error(code: &str) -> Value {
        json!({"code": code, "status": "error", "message": "no", "details": {"api_name": "Email"}})
    }

    #[test]
    fn a_code_says_more_than_a_status() {
        for status in [200, 400, 401, 500] {
            assert!(matches!(judged(status, error("INTERNAL_ERROR"), None), Some(Fault::Unavailable { .. })), "{status}");
            assert!(matches!(judged(status, error("INVALID_TOKEN"), None), Some(Fault::Unauthorized { .. })), "{status}");
            assert!(matches!(judged(status, error("OAUTH_SCOPE_MISMATCH"), None), Some(Fault::Forbidden { .. })), "{status}");
            let refused = Fault::Refused { code: "INVALID_DATA".into(), message: "no".into(), field: Some("Email".into()) };
            assert_eq!(judged(status, error("INVALID_DATA"), None), Some(refused), "{status}");
        }
        assert!(matches!(judged(400, json!({"data": [error("INVALID_DATA")]}), None), Some(Fault::Refused { .. })));
        assert_eq!(judged(207, json!({"data": [error("INVALID_DATA")]}), None), None, "rows speak for themselves");
        assert_eq!(judged(200, json!({"code": "SUCCESS", "status": "success"}), None), None);
        assert_eq!(judged(200, json!({"data": []}), None), None);
        assert!(matches!(judged(304, Value::Null, None), Some(Fault::NotFound { .. })));
        assert!(matches!(judged(503, Value::Null, None), Some(Fault::Unavailable { .. })));
    }

    #[test]
    fn no_credits_is_not_too_fast() {
        for status in [200, 429] {
            assert_eq!(judged(status, error("TOO_MANY_REQUESTS"), Some("12")), Some(Fault::RateLimited { after: None }));
            let until = Timestamp::from_millis(3_601_000);
            assert_eq!(judged(status, error("TOO_MANY_REQUESTS"), Some("0")), Some(Fault::Exhausted { until }));
        }
    }
}
