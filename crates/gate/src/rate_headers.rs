//! Rate limit fields: `X-RateLimit-*` of the window nearest to its end of quota, and the IETF fields of all windows
//! (draft-ietf-httpapi-ratelimit-headers).

use std::fmt::Write as _;

use blueprint::model::ResetFormat;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::Timestamp;

use crate::limits::{BURST, Decision, Limits};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const FIELD: HeaderName = HeaderName::from_static("ratelimit");

/// Adds the fields to an answer.
pub(crate) fn add(headers: &mut HeaderMap, limits: &Limits, decision: &Decision, now: Timestamp, form: ResetFormat) {
    let nearest = (0..limits.windows.len())
        // The least share of the quota that is left; of equals, the longest window.
        .min_by_key(|&n| (u128::from(decision.left[n].0) * 1_000_000 / u128::from(limits.windows[n].quota.max(1)), std::cmp::Reverse(n)))
        .unwrap_or(0);
    let (left, reset_in) = decision.left[nearest];
    let reset = now.plus(std::time::Duration::from_millis(reset_in));
    let reset = match form {
        ResetFormat::UnixSeconds => (reset.millis().div_euclid(1000) + i64::from(reset.millis() % 1000 > 0)).to_string(),
        ResetFormat::Iso8601 => reset.to_string(),
    };
    headers.insert(LIMIT, limits.windows[nearest].quota.into());
    headers.insert(REMAINING, left.into());
    insert(headers, RESET, reset);
    insert(headers, POLICY, limits.policy.clone());
    let mut field = String::with_capacity(128);
    let burst = decision.burst.map(|left| (BURST, left));
    for (name, (left, reset_in)) in burst.into_iter().chain(limits.windows.iter().map(|window| window.name).zip(decision.left)) {
        let separator = if field.is_empty() { "" } else { ", " };
        let _ = write!(field, "{separator}\"{name}\";r={left};t={}", reset_in.div_ceil(1000));
    }
    insert(headers, FIELD, field);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
        headers.insert(name, value);
    }
}
