//! Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`; or the same under Svix's older names.

use web::signature::WebhookSecret;

use super::{Check, Refusal};
use crate::calls::Call;

pub(super) const TIMESTAMP: &str = "webhook-timestamp";

/// A header under its own name or under the older one.
fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.header(name).or_else(|| call.header(&name.replace("webhook-", "svix-")))
}

pub(super) fn id(call: &Call) -> Option<&str> {
    header(call, "webhook-id")
}

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let get = |name: &str| header(check.call, name).ok_or(Refusal::MissingSignature);
    let (id, timestamp, signatures) = (get("webhook-id")?, get(TIMESTAMP)?, get("webhook-signature")?);
    let secrets: Vec<WebhookSecret> = check.secrets.iter().filter_map(|secret| WebhookSecret::parse(secret).ok()).collect();
    let tolerance = i64::try_from(check.tolerance().as_secs()).unwrap_or(i64::MAX);
    web::signature::verify_standard(&secrets, id, timestamp, signatures, &check.call.body, check.now.seconds(), tolerance).map_err(
        |error| {
            if error.code() == "stale_timestamp" { Refusal::StaleTimestamp } else { Refusal::InvalidSignature }
        },
    )
}
