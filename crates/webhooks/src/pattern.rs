//! Which types of event a webhook listens to: `lead.created`, `lead.*`, `*`.

use blueprint::Blueprint;
use events::Pattern;
use kernel::{Error, Result, TenantId};
use store::Tx;

/// Most entries of `events`.
const MAX_PATTERNS: usize = 100;

/// The texts with names in the places of aliases, each once.
pub(crate) fn named(texts: Vec<String>, blueprint: &Blueprint) -> Vec<String> {
    let mut named: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        let name = blueprint.event_name(&text);
        // What was written twice is told as before; an alias beside its name is no fault.
        if name == text || !named.iter().any(|known| known == name) {
            named.push(name.to_owned());
        }
    }
    named
}

/// Reads `events`: at least one, each once, exact names declared (or `inbound.…`).
///
/// Errors: 422 `unknown_event_type`, 422 `validation_failed`.
pub(crate) fn parse_all(texts: &[String], blueprint: &Blueprint) -> Result<Vec<Pattern>> {
    if texts.is_empty() || texts.len() > MAX_PATTERNS {
        return Err(Error::field("/events", format!("must have 1 to {MAX_PATTERNS} items, has {}", texts.len())));
    }
    let mut patterns = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        let at = format!("/events/{n}");
        let pattern = Pattern::parse(text).ok_or_else(|| Error::field(&at, "must be an event type, or words and .*, or *"))?;
        if let Pattern::Exact(name) = &pattern
            && blueprint.event(name.as_str()).is_none()
            && !name.as_str().starts_with("inbound.")
            && !events::is_operational(name.as_str())
        {
            return Err(unknown(n, name.as_str()));
        }
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

/// An exact type that is not for everybody is only for tenants that have its feature; to others it does not exist. What the webhook
/// listens to already (`before`) is left alone.
///
/// Error: 422 `unknown_event_type`.
pub(crate) fn visible(tx: &mut Tx<'_>, tenant: TenantId, blueprint: &Blueprint, texts: &[String], before: &[String]) -> Result<()> {
    let flag = |text: &String| blueprint.event(text)?.feature.clone();
    let restricted: Vec<(usize, String)> =
        texts.iter().enumerate().filter(|(_, text)| !before.contains(text)).filter_map(|(n, text)| Some((n, flag(text)?))).collect();
    if restricted.is_empty() {
        return Ok(());
    }
    let features = access::tenants::features(tx, tenant)?;
    match restricted.into_iter().find(|(_, flag)| !features.contains(flag)) {
        Some((n, _)) => Err(unknown(n, &texts[n])),
        None => Ok(()),
    }
}

fn unknown(n: usize, name: &str) -> Error {
    Error::invalid("unknown_event_type", "There is no such event type; see errors.")
        .at(format!("/events/{n}"), format!("{name} is not a declared event type; GET /api/v1/webhook-events lists them"))
}
