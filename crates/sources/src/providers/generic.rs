//! A generic HMAC, described by the source's settings: which header, hash, encoding and prefix, and what is signed.
//!
//! Without settings: HMAC-SHA256 of the body, in hexadecimal or base64, with or without `sha256=`, in one of the usual headers. Being lenient
//! about the spelling gives nothing away: it is the same MAC.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::Part;
use super::{Check, Meaning, Refusal, macs, refusal, text_at};
use crate::calls::Call;
use crate::sources::SourceSettings;

/// Where a signature is looked for when the settings do not say.
const HEADERS: [&str; 3] = ["x-signature", "x-webhook-signature", "x-hub-signature-256"];
/// Most signatures in one header.
const MAX_SIGNATURES: usize = 10;

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal, either case.
    Hex,
    /// Base64 in either alphabet, padded or not.
    Base64,
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => macs::unhex(text),
            Self::Base64 => macs::unbase64(text),
        }
    }
}

/// How a secret's text becomes the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// Its bytes as they are.
    #[default]
    Text,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// The key that a secret's text stands for.
pub(super) fn key(secret: &str, settings: &SourceSettings) -> Option<Vec<u8>> {
    match settings.secret_encoding.unwrap_or_default() {
        SecretEncoding::Text => Some(secret.as_bytes().to_vec()),
        SecretEncoding::Hex => macs::unhex(secret),
        SecretEncoding::Base64 => macs::unbase64(secret),
    }
}

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let settings = check.settings;
    let text = match &settings.header {
        Some(name) => check.header(name)?,
        None => HEADERS.iter().find_map(|name| check.call.header(name)).ok_or(Refusal::MissingSignature)?,
    };
    let timestamp = match &settings.timestamp_header {
        Some(name) => {
            let text = check.call.header(name).ok_or(Refusal::InvalidTimestamp)?;
            check.is_fresh(text)?;
            text
        }
        None => "",
    };
    let message = message(check, timestamp);
    let algorithm = settings.algorithm.unwrap_or_default();
    let keys = check.secrets.iter().filter_map(|secret| key(secret, settings));
    let expected: Vec<Vec<u8>> = keys.map(|key| macs::mac(algorithm, &key, &[&message])).collect();
    refusal::unless(macs::any_equal(&candidates(settings, text), &expected))
}

/// The signatures in a header: one, or several between commas or spaces, in every encoding that they may have.
fn candidates(settings: &SourceSettings, text: &str) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let entries = text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
    for entry in entries.take(MAX_SIGNATURES) {
        let bare = match &settings.prefix {
            Some(prefix) => entry.strip_prefix(prefix.as_str()),
            None => Some(entry.strip_prefix("sha256=").unwrap_or(entry)),
        };
        let Some(bare) = bare else { continue };
        match settings.encoding {
            Some(encoding) => out.extend(encoding.decode(bare)),
            None => out.extend([Encoding::Hex, Encoding::Base64].into_iter().filter_map(|encoding| encoding.decode(bare))),
        }
    }
    out
}

/// What is signed.
fn message(check: &Check<'_>, timestamp: &str) -> Vec<u8> {
    let (call, settings) = (check.call, check.settings);
    let Some(template) = check.template else {
        // A time that is not signed would prove nothing, so it is signed unless the settings say how.
        let separator: &[u8] = if settings.timestamp_header.is_some() { b"." } else { b"" };
        return [timestamp.as_bytes(), separator, &call.body].concat();
    };
    let mut out = Vec::with_capacity(call.body.len() + 64);
    for part in template.parts() {
        match part {
            Part::Text(text) => out.extend_from_slice(text.as_bytes()),
            Part::Body => out.extend_from_slice(&call.body),
            Part::Timestamp => out.extend_from_slice(timestamp.as_bytes()),
            Part::Id => {
                let id = settings.id_header.as_deref().and_then(|name| call.header(name)).unwrap_or_default();
                out.extend_from_slice(id.as_bytes());
            }
            Part::Method => out.extend_from_slice(call.method.as_str().as_bytes()),
            Part::Url => out.extend_from_slice(check.whole_url().as_bytes()),
            Part::Path => {
                let after_host = check.url.split_once("://").map_or("", |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
                out.extend_from_slice(after_host.as_bytes());
            }
        }
    }
    out
}

/// Where type and id usually stand. What the settings name instead is looked at before this.
pub(super) fn meaning(call: &Call, value: &Value) -> Meaning {
    let header = |name: &str| call.header(name).map(str::to_owned);
    let in_body = || ["type", "event", "eventType", "event_type"].iter().find_map(|name| text_at(value, &[name]));
    Meaning {
        event_type: header("x-event-type").or_else(in_body),
        // Never a member `id` of the body: it is as often the id of the thing that changed.
        id: header("webhook-id").or_else(|| header("idempotency-key")),
    }
}
