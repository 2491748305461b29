//! What a job is made of, and the checks on it.

use std::time::Duration;

use kernel::{ClientId, Error, IdRef, Result, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Largest result in bytes: what an event may carry, with room for what stands around it.
pub const MAX_RESULT: usize = 512 * 1024;
/// Largest input in bytes.
pub(crate) const MAX_INPUT: usize = 1024 * 1024;
/// Furthest `runAt`: a year.
const MAX_DELAY: Duration = Duration::from_hours(24 * 366);
/// Highest priority; the lowest is its negative.
pub(crate) const MAX_PRIORITY: i64 = 100;

/// A job as it is asked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewJob {
    /// A type that the blueprint declares.
    #[serde(rename = "type")]
    #[schema(example = "call.analyze")]
    pub kind: String,
    /// What it works on; it must satisfy the type's schema.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
    /// -100 to 100, the highest first; by default the type's. A point outweighs a minute of waiting.
    #[serde(default)]
    pub priority: Option<i64>,
    /// Not to begin before; at most a year ahead.
    #[serde(default)]
    pub run_at: Option<Timestamp>,
    /// To have ended by; by default as the type says, from the moment at which it may begin.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    /// Where its end is told, beside the webhooks that subscribe to its event.
    #[serde(default)]
    pub webhook_url: Option<String>,
    /// The secret that signs there (`whsec_…`); by default one is made for the address, and is in the first answer only.
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// The tenant, for a service key that is bound to none.
    #[serde(default)]
    pub tenant_id: Option<TenantId>,
    /// The client for which a service key starts it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub client_id: Option<ClientRef>,
}

/// A client's id, or `ext:` and the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRef(pub IdRef<ClientId>);

impl<'de> Deserialize<'de> for ClientRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl NewJob {
    /// What needs no look-up. Errors: 422 `validation_failed`; 413 `job_too_large`.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        priority(self.priority)?;
        if self.run_at.is_some_and(|at| at > now.plus(MAX_DELAY)) {
            return Err(Error::field("/runAt", "must be at most a year ahead"));
        }
        let begins = self.run_at.unwrap_or(now).max(now);
        if self.deadline.is_some_and(|deadline| deadline <= begins) {
            return Err(Error::field("/deadline", "must be after now, and after runAt"));
        }
        if self.deadline.is_some_and(|deadline| deadline > begins.plus(MAX_DELAY)) {
            return Err(Error::field("/deadline", "must be at most a year ahead"));
        }
        if self.webhook_secret.is_some() && self.webhook_url.is_none() {
            return Err(Error::field("/webhookSecret", "belongs to webhookUrl"));
        }
        Ok(())
    }
}

/// Error: 422, at `/priority`.
pub(crate) fn priority(priority: Option<i64>) -> Result<()> {
    let fits = priority.is_none_or(|priority| (-MAX_PRIORITY..=MAX_PRIORITY).contains(&priority));
    if fits { Ok(()) } else { Err(Error::field("/priority", format!("must be -{MAX_PRIORITY} to {MAX_PRIORITY}"))) }
}

/// An input as it is stored. Error: 413 `job_too_large`.
pub(crate) fn written(input: &Map<String, Value>) -> Result<String> {
    let text = serde_json::to_string(input).map_err(Error::internal)?;
    if text.len() > MAX_INPUT {
        let detail = format!("The input of a job has at most {MAX_INPUT} bytes. Send the address of what is larger.");
        return Err(Error::new(kernel::Kind::TooLarge, "job_too_large", detail));
    }
    Ok(text)
}
