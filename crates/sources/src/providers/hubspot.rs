//! HubSpot, three versions:
//!
//! * v1: `X-HubSpot-Signature` = hex SHA-256 of secret + body;
//! * v2: the same of secret + method + address + body, with `X-HubSpot-Signature-Version: v2`;
//! * v3: `X-HubSpot-Signature-v3` = base64 HMAC-SHA256 of method + address + body + `X-HubSpot-Request-Timestamp` (ms), some escapes of the
//!   address undone.
//!
//! Calls carry v3 and one of the others; v3 is checked where it is there. `settings.signatureVersion` admits one version only.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Check, Meaning, Refusal, macs, refusal, text_at};

pub(super) const TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// A version of HubSpot's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureVersion {
    /// Secret and body.
    V1,
    /// And method and address.
    V2,
    /// An HMAC, with the time.
    V3,
}

/// The escapes that HubSpot undoes before it signs.
const UNDONE: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let wanted = check.settings.signature_version;
    let third = check.call.header("x-hubspot-signature-v3");
    match (wanted, third) {
        (Some(SignatureVersion::V3) | None, Some(signature)) => verify_third(check, signature),
        (Some(SignatureVersion::V3), None) => Err(Refusal::MissingSignature),
        _ => verify_older(check),
    }
}

fn verify_older(check: &Check<'_>) -> Result<(), Refusal> {
    let given = macs::unhex(check.header("x-hubspot-signature")?).ok_or(Refusal::InvalidSignature)?;
    let named = match check.call.header("x-hubspot-signature-version") {
        None | Some("v1") => SignatureVersion::V1,
        Some("v2") => SignatureVersion::V2,
        Some(_) => return Err(Refusal::InvalidSignature),
    };
    if check.settings.signature_version.is_some_and(|wanted| wanted != named) {
        return Err(Refusal::InvalidSignature);
    }
    let address = check.whole_url();
    let hash = |secret: &&str| match named {
        SignatureVersion::V1 => macs::sha256(&[secret.as_bytes(), &check.call.body]),
        _ => macs::sha256(&[secret.as_bytes(), check.call.method.as_str().as_bytes(), address.as_bytes(), &check.call.body]),
    };
    let expected: Vec<Vec<u8>> = check.secrets.iter().map(hash).collect();
    refusal::unless(macs::any_equal(&[given], &expected))
}

fn verify_third(check: &Check<'_>, signature: &str) -> Result<(), Refusal> {
    let timestamp = check.header(TIMESTAMP)?;
    check.is_fresh(timestamp)?;
    let given = macs::unbase64(signature);
    let address = UNDONE.iter().fold(check.whole_url(), |text, (escape, plain)| text.replace(escape, plain));
    let parts: [&[u8]; 4] = [check.call.method.as_str().as_bytes(), address.as_bytes(), &check.call.body, timestamp.as_bytes()];
    check.by_mac(super::Algorithm::Sha256, given, &parts)
}

/// `eventId` alone is not promised to be unique; `attemptNumber` changes from one try to the next.
pub(super) fn meaning(value: &Value) -> Meaning {
    let part = |name: &str| text_at(value, &[name]).unwrap_or_default();
    let names = ["portalId", "subscriptionId", "eventId", "objectId", "occurredAt", "propertyName"];
    let id = value.get("eventId").map(|_| names.map(part).join("-"));
    Meaning { event_type: text_at(value, &["subscriptionType"]), id }
}
