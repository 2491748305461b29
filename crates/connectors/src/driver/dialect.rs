//! What an answer means.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use kernel::Timestamp;

use super::{Answer, bounded, retry_after};
use crate::{BudgetNews, Fault};

/// How a vendor speaks of what it refuses and of what is left.
pub trait Dialect: Send + Sync {
    /// What this answer refuses; `None`: it is good, or its status says all there is ([`by_status`] speaks then). Asked for every answer,
    /// since some hide a refusal in a 200. `repeatable` as the call has it: what may have been done by a call that is not is
    /// [`Fault::Lost`].
    fn refusal(&self, answer: &Answer, repeatable: bool) -> Option<Fault>;

    /// What the headers say about the account's budgets. Most vendors tell with every answer.
    fn budgets(&self, headers: &HeaderMap, now: Timestamp) -> Vec<BudgetNews> {
        let _ = (headers, now);
        Vec::new()
    }
}

/// A vendor of whom nothing is known: statuses as RFC 9110 means them, messages where most have them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Dialect for Plain {
    fn refusal(&self, _: &Answer, _: bool) -> Option<Fault> {
        None
    }
}

/// Where messages stand with most vendors.
const MESSAGES: &[&str] =
    &["/message", "/error/message", "/error_description", "/detail", "/error", "/title", "/errors/0/message", "/0/message"];

/// The judgement of the status and the form, after the dialect had nothing to say.
pub(super) fn plain(answer: &Answer, repeatable: bool, wants_json: bool) -> Result<(), Fault> {
    if !answer.status.is_success() {
        let said = MESSAGES.iter().find_map(|pointer| answer.text(pointer));
        return Err(by_status(answer, repeatable, None, said));
    }
    if wants_json && answer.is_garbled() {
        let message = format!("the answer is no whole JSON: {}", answer.kind());
        return Err(if repeatable { Fault::Unavailable { message } } else { Fault::Lost { message } });
    }
    Ok(())
}

/// A fault by the answer's status, with the vendor's code and message where they were found. A dialect calls it for what its own list does not
/// have; it is meant for statuses from 300 on.
pub fn by_status(answer: &Answer, repeatable: bool, code: Option<&str>, said: Option<&str>) -> Fault {
    let status = answer.status;
    let message = said.map(bounded).filter(|text| !text.is_empty()).unwrap_or_else(|| answer.kind());
    let wait = retry_after(&answer.headers, answer.at);
    match status {
        StatusCode::UNAUTHORIZED => Fault::Unauthorized { message },
        StatusCode::FORBIDDEN => Fault::Forbidden { message },
        StatusCode::NOT_FOUND | StatusCode::GONE => Fault::NotFound { message },
        StatusCode::TOO_MANY_REQUESTS => Fault::RateLimited { after: wait },
        StatusCode::SERVICE_UNAVAILABLE => {
            wait.map_or(Fault::Unavailable { message }, |wait: Duration| Fault::RateLimited { after: Some(wait) })
        }
        _ if status.is_redirection() => Fault::Refused {
            code: "redirect".to_owned(),
            message: format!("the vendor answers HTTP {} and sends us to another address; redirects are not followed", status.as_u16()),
            field: None,
        },
        // It may have been done before the vendor broke down; only a call that does no harm twice can be sure of the next try.
        _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            if repeatable {
                Fault::Unavailable { message }
            } else {
                Fault::Lost { message }
            }
        }
        _ => Fault::Refused { code: code.map_or_else(|| format!("http_{}", status.as_u16()), bounded), message, field: None },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;
    use crate::Reply;

    fn answer(status: u16, body: &'static str) -> Answer {
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))]);
        let reply =
            Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from_static(body.as_bytes()), generation: 1 };
        Answer::new(reply, Timestamp::from_millis(0), true)
    }

    #[test]
    fn a_status_says_what_to_do() {
        let code = |status: u16, repeatable: bool| plain(&answer(status, ""), repeatable, true).map_err(|fault| fault.code());
        for (status, expected) in [
            (301, "vendor_refused"),
            (400, "vendor_refused"),
            (401, "vendor_unauthorized"),
            (403, "vendor_forbidden"),
            (404, "vendor_not_found"),
            (410, "vendor_not_found"),
            (429, "vendor_rate_limited"),
            (503, "vendor_unavailable"),
        ] {
            assert_eq!([code(status, true), code(status, false)], [Err(expected); 2], "{status}");
        }
        for status in [408, 500, 502, 504, 522] {
            assert_eq!([code(status, true), code(status, false)], [Err("vendor_unavailable"), Err("vendor_answer_lost")], "{status}");
        }
        assert_eq!([code(200, true), code(204, false)], [Ok(()); 2]);
    }

    #[test]
    fn a_page_and_a_cut_answer_are_no_answer() {
        for body in ["<html>We'll be right back</html>", "{\"data\": [1, 2", "\u{feff}"] {
            assert!(matches!(plain(&answer(200, body), true, true), Err(Fault::Unavailable { .. })), "{body}");
            assert!(matches!(plain(&answer(200, body), false, true), Err(Fault::Lost { .. })), "{body}");
            assert_eq!(plain(&answer(200, body), true, false), Ok(()), "{body}");
        }
        let Err(Fault::Unavailable { message }) = plain(&answer(503, "<html>secret</html>"), true, true) else { panic!() };
        assert_eq!(message, "HTTP 503 with 19 bytes of text/html");
    }

    #[test]
    fn a_message_is_found_where_vendors_put_it() {
        for body in [r#"{"message":"no"}"#, r#"{"error":{"message":"no"}}"#, r#"{"error":"no"}"#, r#"[{"message":"no"}]"#] {
            let expected = Fault::Refused { code: "http_400".to_owned(), message: "no".to_owned(), field: None };
            assert_eq!(plain(&answer(400, body), true, true), Err(expected), "{body}");
        }
    }
}
