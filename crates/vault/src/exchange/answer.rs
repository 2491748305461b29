//! What an answer of a token endpoint means. Vendors refuse with any status, 200 included, so the body decides first.

use http::StatusCode;
use kernel::Secret;
use serde_json::{Map, Value};
use web::outbound::OutboundResponse;

use super::{Exchanged, Granted, Refusal};
use crate::providers::Provider;

/// Longest token that is believed, in bytes. HubSpot asks for 300 and more, Microsoft's have some thousands.
const MAX_TOKEN: usize = 16 * 1024;
/// Longest life that is believed: ten years.
const LONGEST: f64 = 315_360_000.0;
/// Longest text of a vendor's that is kept.
const MAX_SAID: usize = 300;
/// Largest kept member.
const MAX_KEPT: usize = 4096;

/// Reads an answer.
pub(super) fn read(provider: &Provider, reply: &OutboundResponse) -> Exchanged {
    let status = reply.status;
    let parsed = if reply.truncated { None } else { serde_json::from_slice::<Value>(&reply.body).ok().filter(Value::is_object) };
    let Some(value) = parsed else {
        let text = format!("the token endpoint answered {} without a readable body", status.as_u16());
        // With a 2xx the tokens were made, and are lost with the body; a page of maintenance has made nothing.
        return if status.is_success() { Exchanged::Lost(text) } else { unreadable(status, text) };
    };
    if let Some(refusal) = refusal(&value, status) {
        return judge(provider, refusal);
    }
    if !status.is_success() {
        let refusal = Refusal { code: format!("http_{}", status.as_u16()), description: said(&value["message"]), status: status.as_u16() };
        return judge(provider, refusal);
    }
    granted(provider, &value).map_or_else(
        || Exchanged::Lost("the token endpoint's answer has no usable access token".to_owned()),
        |one| Exchanged::Granted(Box::new(one)),
    )
}

fn unreadable(status: StatusCode, text: String) -> Exchanged {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Exchanged::Slow(Refusal { code: "http_429".to_owned(), description: String::new(), status: 429 });
    }
    Exchanged::Unavailable(text)
}

/// The three forms in which vendors refuse: `error` as a text (RFC 6749 §5.2; Slack and Zoho with status 200), `error` as an object, and
/// `error_code`.
fn refusal(value: &Value, status: StatusCode) -> Option<Refusal> {
    let status_code = status.as_u16();
    match &value["error"] {
        Value::String(code) => Some(Refusal {
            code: said_text(code),
            description: [&value["error_description"], &value["message"]]
                .into_iter()
                .map(said)
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
            status: status_code,
        }),
        Value::Object(error) => Some(Refusal {
            code: error.get("code").map(said).unwrap_or_default(),
            description: error.get("description").or_else(|| error.get("message")).map(said).unwrap_or_default(),
            status: status_code,
        }),
        _ if value["ok"] == false => Some(Refusal { code: "unknown".to_owned(), description: String::new(), status: status_code }),
        _ => None,
    }
}

fn judge(provider: &Provider, refusal: Refusal) -> Exchanged {
    let description = refusal.description.to_lowercase();
    let passes = provider.passing.iter().any(|part| description.contains(part.as_str()));
    let is_slow = refusal.status == 429 || provider.slow.contains(&refusal.code);
    if is_slow || passes {
        return Exchanged::Slow(refusal);
    }
    if refusal.status >= 500 {
        return Exchanged::Unavailable(refusal.text());
    }
    let is_dead = provider.dead.iter().any(|dead| match dead.split_once(": ") {
        Some((code, part)) => code == refusal.code && description.contains(part),
        None => *dead == refusal.code,
    });
    if is_dead { Exchanged::Dead(refusal) } else { Exchanged::Refused(refusal) }
}

fn granted(provider: &Provider, root: &Value) -> Option<Granted> {
    let below = provider.token_at.as_deref().and_then(|path| member(root, path));
    let at = if root["access_token"].is_string() { root } else { below? };
    let expires_in = seconds(&at["expires_in"]);
    let mut kept_members = kept(root, &provider.keep);
    // Where tokens stand below, so may their neighbours.
    if !std::ptr::eq(at, root) {
        for (name, value) in kept(at, &provider.keep) {
            kept_members.entry(name).or_insert(value);
        }
    }
    Some(Granted {
        access: token(&at["access_token"])?,
        refresh: token(&at["refresh_token"]),
        expires_in,
        scopes: scopes_of(&at["scope"]).or_else(|| scopes_of(&at["scopes"])),
        hidden: kept(root, &provider.keep_secret),
        account: provider.account.as_ref().and_then(|account| pointed(root, &account.members, account.last_segments)),
        metadata: kept_members,
    })
}

/// A token that a header can carry.
fn token(value: &Value) -> Option<Secret<String>> {
    let text = value.as_str()?;
    let plain = (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    plain.then(|| Secret::new(text.to_owned()))
}

/// Seconds, as a number or (Salesforce's neighbours do so) as a text. Nonsense is as if nothing were said.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of whole seconds")]
fn seconds(value: &Value) -> Option<u64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    number.is_finite().then(|| number.clamp(0.0, LONGEST) as u64)
}

/// Scopes as a list, or as a text with blanks or commas between them.
fn scopes_of(value: &Value) -> Option<Vec<String>> {
    let all: Vec<String> = match value {
        Value::String(text) => text.split([' ', ',']).map(str::to_owned).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    let fits = |scope: &String| !scope.is_empty() && scope.len() <= 300;
    Some(all.into_iter().filter(fits).take(500).collect())
}

/// The members that are kept, under their paths.
fn kept(value: &Value, paths: &[String]) -> Map<String, Value> {
    let found = paths.iter().filter_map(|path| Some((path.clone(), member(value, path)?.clone())));
    found.filter(|(_, value)| !value.is_null() && value.to_string().len() <= MAX_KEPT).collect()
}

fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |at, step| at.get(step))
}

/// The values at these pointers, joined by `:`; `None` if one is missing. Of addresses the last segments, if so many are wanted.
pub(crate) fn pointed(value: &Value, pointers: &[String], last_segments: usize) -> Option<String> {
    let one = |pointer: &String| match value.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let parts: Vec<String> = pointers.iter().map(one).collect::<Option<_>>()?;
    let whole = parts.join(":");
    let text = match last_segments {
        0 => whole,
        count => {
            let segments: Vec<&str> = whole.split('/').filter(|segment| !segment.is_empty()).collect();
            segments.get(segments.len().checked_sub(count)?..)?.join(":")
        }
    };
    (!text.is_empty() && text.len() <= 200).then_some(text)
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => said_text(text),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A vendor's text for people: one line, not long.
fn said_text(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line[..line.floor_char_boundary(MAX_SAID)].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::providers::find;

    fn reply(status: u16, body: impl Into<Bytes>) -> OutboundResponse {
        let status = StatusCode::from_u16(status).unwrap();
        let (headers, elapsed) = (HeaderMap::new(), Duration::ZERO);
        OutboundResponse { status, headers, body: body.into(), truncated: false, elapsed, remote: None }
    }

    fn meaning(provider: &str, status: u16, body: &Value) -> &'static str {
        match read(find(provider).unwrap(), &reply(status, body.to_string())) {
            Exchanged::Granted(_) => "granted",
            Exchanged::Dead(_) => "dead",
            Exchanged::Refused(_) => "refused",
            Exchanged::Slow(_) => "slow",
            Exchanged::Unavailable(_) => "unavailable",
            Exchanged::Lost(_) => "lost",
        }
    }

    #[test]
    fn each_vendor_refuses_in_its_way() {
        let grant = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
        assert_eq!(meaning("salesforce", 400, &grant), "dead");
        let rate = json!({"error": "invalid_grant", "error_description": "Login Rate Exceeded"});
        assert_eq!(meaning("salesforce", 400, &rate), "slow");
        assert_eq!(meaning("zoho", 200, &json!({"error": "invalid_code"})), "dead");
        assert_eq!(meaning("zoho", 200, &json!({"error": "invalid_client"})), "refused");
        assert_eq!(meaning("zoho", 400, &json!({"error": "Access Denied", "status": "failure"})), "slow");
        assert_eq!(meaning("slack", 200, &json!({"ok": false, "error": "invalid_refresh_token"})), "dead");
        assert_eq!(meaning("slack", 200, &json!({"ok": false, "error": "ratelimited"})), "slow");
        assert_eq!(meaning("slack", 200, &json!({"ok": false})), "refused");
        let razorpay = json!({"error": {"code": "BAD_REQUEST_ERROR", "description": "The Refresh token is expired"}});
        assert_eq!(meaning("razorpay", 400, &razorpay), "dead");
        assert_eq!(meaning("google", 401, &json!({"error": "invalid_client"})), "refused");
        assert_eq!(
            meaning("google", 503, &json!({"error": "invalid_grant"})),
            "unavailable",
            "a server that is down says nothing about grants"
        );
        assert_eq!(meaning("hubspot", 429, &json!({"message": "slow down"})), "slow");
        assert_eq!(meaning("hubspot", 404, &json!({"message": "gone"})), "refused");
    }

    #[test]
    fn a_body_that_cannot_be_read_is_lost_only_where_something_was_done() {
        let provider = find("hubspot").unwrap();
        assert!(matches!(read(provider, &reply(200, "<html>")), Exchanged::Lost(_)));
        assert!(matches!(read(provider, &reply(200, "{}")), Exchanged::Lost(_)));
        assert!(matches!(read(provider, &reply(503, "<html>")), Exchanged::Unavailable(_)));
        assert!(matches!(read(provider, &reply(429, "")), Exchanged::Slow(_)));
        let cut = OutboundResponse { truncated: true, ..reply(200, r#"{"access_token":"a"}"#) };
        assert!(matches!(read(provider, &cut), Exchanged::Lost(_)));
    }

    #[test]
    fn what_matters_is_taken_out() {
        let body = json!({
            "ok": true, "access_token": "xoxb-1", "scope": "chat:write,channels:read", "team": {"id": "T1", "name": "Acme"}, "bot_user_id": "U1",
            "incoming_webhook": {"url": "https://hooks.slack.example/secret", "channel": "#a"}, "authed_user": {"id": "U2"},
        });
        let Exchanged::Granted(granted) = read(find("slack").unwrap(), &reply(200, body.to_string())) else { panic!() };
        assert_eq!(granted.scopes.unwrap(), ["chat:write", "channels:read"]);
        assert_eq!((granted.expires_in, granted.refresh.is_none(), granted.account.as_deref()), (None, true, Some("T1:U1")));
        assert_eq!(granted.metadata["team.name"], "Acme");
        assert!(!granted.metadata.contains_key("incoming_webhook.url") && granted.hidden.contains_key("incoming_webhook.url"));
        let person = json!({"ok": true, "team": {"id": "T1"}, "authed_user": {"id": "U2", "access_token": "xoxp-1", "refresh_token": "xoxe-1",
            "expires_in": 43200, "scope": "search:read"}});
        let Exchanged::Granted(granted) = read(find("slack").unwrap(), &reply(200, person.to_string())) else { panic!() };
        assert_eq!((granted.access.reveal().as_str(), granted.expires_in), ("xoxp-1", Some(43200)));
        let org = json!({"access_token": "00D!x", "id": "https://login.salesforce.com/id/00Dxx/005xx", "instance_url": "https://a.my.salesforce.com"});
        let Exchanged::Granted(granted) = read(find("salesforce").unwrap(), &reply(200, org.to_string())) else { panic!() };
        assert_eq!(granted.account.as_deref(), Some("00Dxx:005xx"));
        assert!(!format!("{granted:?}").contains("00D!x"));
    }

    proptest! {
        /// Whatever a vendor sends ends in a meaning; a token that no header can carry is none.
        #[test]
        fn no_answer_is_too_strange(status in 100u16..600, body in "\\PC{0,200}", life in any::<f64>(), token in "\\PC{0,20}") {
            for provider in crate::providers::all() {
                let _ = read(provider, &reply(status, body.clone()));
                let odd = json!({"access_token": token, "expires_in": life, "scope": [body.clone()], "error": null});
                if let Exchanged::Granted(granted) = read(provider, &reply(200, odd.to_string())) {
                    prop_assert!(http::HeaderValue::from_str(granted.access.reveal()).is_ok());
                }
            }
        }
    }
}
