//! What a source is made and changed with, and the checks on it.

use events::{Filter, Pattern};
use kernel::{Error, Result, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::Patch;

use super::{Row, SourceSettings};
use crate::providers::Provider;

/// Most entries of `events`.
const MAX_PATTERNS: usize = 100;
/// Largest body of an answer.
const MAX_ANSWER: usize = 16 * 1024;

/// A source, as POST makes it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceInput {
    /// Who calls, or which scheme.
    pub provider: Provider,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What the provider signs with; by default one is made (except SendGrid's, which is its public key).
    #[serde(default)]
    pub secret: Option<String>,
    /// Which calls become events: types (`push`), words with `.*`, or `*`; with or without `inbound.<provider>.` in front. Default: all.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// Which of these: a filter over the event, as webhooks have it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
    /// How it is verified and read, where the provider leaves a choice.
    #[serde(default)]
    pub settings: Option<SourceSettings>,
    /// How good calls are answered.
    #[serde(default)]
    pub response: Option<ResponseForm>,
    /// Whether it takes calls. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A change: what is absent stays, `null` empties.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SourcePatch {
    /// A name for people.
    pub name: Patch<String>,
    /// What it is for.
    pub description: Patch<String>,
    /// Replaces every secret at once; rotate-secret leaves the old one valid for a while.
    pub secret: Option<String>,
    /// Which calls become events.
    pub events: Patch<Vec<String>>,
    /// Which of these.
    #[schema(value_type = Option<Object>)]
    pub filter: Patch<Value>,
    /// Replaces all settings.
    pub settings: Patch<SourceSettings>,
    /// How good calls are answered.
    pub response: Patch<ResponseForm>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
}

/// How good calls are answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseForm {
    /// 200 to 299; default 200.
    #[serde(default = "ok")]
    pub status: u16,
    /// Default `text/plain; charset=utf-8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// At most 16 KiB; default empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

fn ok() -> u16 {
    200
}

impl ResponseForm {
    fn check(&self) -> Result<()> {
        if !(200..=299).contains(&self.status) {
            return Err(Error::field("/response/status", "must be 200 to 299: anything else tells the vendor that the call failed"));
        }
        let body = self.body.as_deref().unwrap_or_default();
        if body.len() > MAX_ANSWER {
            return Err(Error::field("/response/body", format!("must have at most {MAX_ANSWER} bytes")));
        }
        if matches!(self.status, 204 | 205) && !body.is_empty() {
            return Err(Error::field("/response/body", format!("must be empty with status {}", self.status)));
        }
        if let Some(content_type) = &self.content_type {
            text::line("/response/contentType", content_type, 1, 200)?;
            if !content_type.contains('/') || http::HeaderValue::from_str(content_type).is_err() {
                return Err(Error::field("/response/contentType", "must be a media type, such as text/xml"));
            }
        }
        Ok(())
    }
}

/// Everything about a row that can be wrong. Errors: 422 `validation_failed`.
pub(crate) fn check(row: &Row) -> Result<()> {
    if let Some(name) = &row.name {
        text::line("/name", name, 1, text::MAX_NAME)?;
    }
    if let Some(description) = &row.description {
        text::prose("/description", description, text::MAX_TEXT)?;
    }
    if row.events.len() > MAX_PATTERNS {
        return Err(Error::field("/events", format!("must have at most {MAX_PATTERNS} items")));
    }
    for (n, entry) in row.events.iter().enumerate() {
        if Pattern::parse(entry).is_none() {
            return Err(Error::field(format!("/events/{n}"), "must be an event type, or words and .*, or *"));
        }
    }
    if let Some(filter) = &row.filter {
        Filter::parse(filter)?;
    }
    if let Some(response) = &row.response {
        response.check()?;
    }
    row.settings.check(row.provider)
}
