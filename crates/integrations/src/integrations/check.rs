//! Everything about an integration that can be wrong.

use connectors::{Connector, Fault, Setting};
use kernel::{Error, Result, text};
use serde_json::{Map, Value};
use web::outbound::Client;

use super::Row;

/// Where a vendor is reached instead of its usual address.
pub(crate) const BASE_URL: &str = "baseUrl";
/// Most members of a configuration, and the longest of them, in bytes.
const MAX_MEMBERS: usize = 50;
const MAX_MEMBER: usize = 2000;
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];

/// Errors: 422 `validation_failed`, `url_…`.
pub(super) async fn check(row: &Row, connector: Option<&dyn Connector>, outbound: &Client) -> Result<()> {
    text::line("/name", &row.name, 1, text::MAX_NAME)?;
    if let Some(notes) = &row.notes {
        text::prose("/notes", notes, text::MAX_TEXT)?;
    }
    if !ENVIRONMENTS.contains(&row.environment.as_str()) {
        return Err(Error::field("/environment", format!("must be one of {}", ENVIRONMENTS.join(", "))));
    }
    config(&row.config, connector.map_or(&[][..], Connector::settings))?;
    if let Some(Err(Fault::Refused { message, field, .. })) = connector.map(|connector| connector.check(&row.config)) {
        return Err(Error::field(format!("/config/{}", field.unwrap_or_default()), message));
    }
    if let Some(base) = base_url(&row.config)? {
        if base.contains(['?', '#']) {
            return Err(Error::field("/config/baseUrl", "has neither a query nor a fragment: paths are put behind it"));
        }
        match outbound.verdict(base).await {
            // A name that is not known yet may be later.
            Err(refusal) if !refusal.is_unresolvable() => return Err(refusal.into_error("/config/baseUrl")),
            _ => {}
        }
    }
    Ok(())
}

/// The override, if there is one. Error: 422, if it is no text.
pub(crate) fn base_url(config: &Map<String, Value>) -> Result<Option<&str>> {
    match config.get(BASE_URL) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(base)) => Ok(Some(base)),
        Some(_) => Err(Error::field("/config/baseUrl", "must be an absolute URL")),
    }
}

fn config(config: &Map<String, Value>, settings: &[Setting]) -> Result<()> {
    if config.len() > MAX_MEMBERS {
        return Err(Error::field("/config", format!("must have at most {MAX_MEMBERS} members")));
    }
    for (name, value) in config {
        let at = format!("/config/{name}");
        if value.to_string().len() > MAX_MEMBER {
            return Err(Error::field(at, format!("must have at most {MAX_MEMBER} bytes")));
        }
        if name == BASE_URL {
            continue;
        }
        let Some(setting) = settings.iter().find(|setting| setting.name == *name) else {
            let known: Vec<&str> = settings.iter().map(|setting| setting.name.as_str()).chain([BASE_URL]).collect();
            return Err(Error::field(at, format!("is not a setting of this connector; it has {}", known.join(", "))));
        };
        let said = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err(Error::field(at, "must be a text, a number, true or false")),
        };
        if !setting.options.is_empty() && !setting.options.contains(&said) {
            return Err(Error::field(at, format!("must be one of {}", setting.options.join(", "))));
        }
    }
    for setting in settings.iter().filter(|setting| setting.required && setting.default.is_none()) {
        if config.get(&setting.name).is_none_or(|value| value.is_null() || value == "") {
            return Err(Error::field(format!("/config/{}", setting.name), format!("is required: {}", setting.description)));
        }
    }
    Ok(())
}
