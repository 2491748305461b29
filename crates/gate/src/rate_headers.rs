//! Rate limit fields: `X-RateLimit-*` of the window nearest to its end of quota, and the IETF fields of all windows and quotas
//! (draft-ietf-httpapi-ratelimit-headers). A month's quota never stands in `X-RateLimit-*` where a window binds: clients wait for these.

use blueprint::model::ResetFormat;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::limits::{BURST, Charge};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const FIELD: HeaderName = HeaderName::from_static("ratelimit");

/// Adds the fields to an answer.
pub(crate) fn add(headers: &mut HeaderMap, charge: &Charge, form: ResetFormat) {
    let nearest = charge.nearest();
    let millis = nearest.resets_at.millis();
    headers.insert(LIMIT, nearest.limit.into());
    headers.insert(REMAINING, nearest.remaining.into());
    match form {
        ResetFormat::UnixSeconds => {
            let seconds = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
            headers.insert(RESET, seconds.into());
        }
        ResetFormat::Iso8601 => insert(headers, RESET, nearest.resets_at.to_string()),
    }
    headers.insert(POLICY, charge.resolved.policy.clone());
    insert(headers, FIELD, field(charge));
}

/// `"minute";r=59;t=60, …`: what is left of each policy, and in how many seconds it is whole again.
fn field(charge: &Charge) -> String {
    let decision = &charge.decision;
    let windows = charge.resolved.limits.as_ref().map(|limits| limits.windows.as_slice()).unwrap_or_default();
    let burst = decision.burst.map(|left| (BURST, left));
    let windows = windows.iter().map(|window| window.name).zip(decision.left);
    let quotas = charge.resolved.quotas.iter().zip(decision.quotas).filter_map(|(quota, left)| left.map(|left| (quota.name, left)));
    // Of every answer, so without the formatting machinery.
    let (mut field, mut digits) = (String::with_capacity(128), itoa::Buffer::new());
    for (name, (left, reset_in)) in burst.into_iter().chain(windows).chain(quotas) {
        field.push_str(if field.is_empty() { "\"" } else { ", \"" });
        field.push_str(name);
        field.push_str("\";r=");
        field.push_str(digits.format(left));
        field.push_str(";t=");
        field.push_str(digits.format(reset_in.div_ceil(1000)));
    }
    field
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
        headers.insert(name, value);
    }
}
