//! The verdict on one delivery.

use http::HeaderMap;
use kernel::Timestamp;
use web::signature::{DEFAULT_TOLERANCE, WebhookSecret, verify_legacy, verify_standard};

/// What the signatures of a delivery say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every signature that is asked for is there and good.
    Genuine,
    /// One is missing or wrong; why, for people.
    Forged(String),
    /// No secret is known yet, so nothing can be said.
    NoSecret,
}

/// Judges a delivery that arrived at `now`.
pub(super) fn verdict(secrets: &[WebhookSecret], legacy: Option<&str>, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Verdict {
    if secrets.is_empty() {
        return Verdict::NoSecret;
    }
    match standard(secrets, headers, body, now).and_then(|()| legacy.map_or(Ok(()), |name| older(secrets, name, headers, body, now))) {
        Ok(()) => Verdict::Genuine,
        Err(why) => Verdict::Forged(why),
    }
}

fn standard(secrets: &[WebhookSecret], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), String> {
    let (id, timestamp) = (header(headers, "webhook-id")?, header(headers, "webhook-timestamp")?);
    let signatures = header(headers, "webhook-signature")?;
    verify_standard(secrets, id, timestamp, signatures, body, now.seconds(), DEFAULT_TOLERANCE)
        .map_err(|error| format!("webhook-signature: {error}"))
}

fn older(secrets: &[WebhookSecret], name: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), String> {
    let signature = header(headers, name)?;
    let mut why = String::new();
    for secret in secrets {
        match verify_legacy(secret.text().reveal(), signature, body, now.seconds(), DEFAULT_TOLERANCE) {
            Ok(()) => return Ok(()),
            Err(error) => why = format!("{name}: {error}"),
        }
    }
    Err(why)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, String> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| format!("there is no header {name}"))
}
