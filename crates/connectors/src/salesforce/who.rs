//! One harmless look: that the account can be used, with this version, and who we are there.

use http::Method;
use serde_json::Value;

use super::dialect::RestDialect;
use super::ids;
use super::settings::Settings;
use crate::{Call, Fault, Session, Target, driver};

/// Who we are at the organisation, for people.
///
/// Errors: [`Fault::Refused`] `UNSUPPORTED_API_VERSION` with those that are; as the vendor says.
pub(super) async fn test(session: &Session) -> Result<String, Fault> {
    let settings = Settings::of(session)?;
    let resources = match driver::ask(session, &RestDialect, settings.call(Method::GET, &[])?).await {
        Err(Fault::NotFound { .. }) => return Err(unsupported(session, &settings).await),
        other => other?,
    };
    // The scope `api` is enough to get here; names need `openid` or `id`, which an app need not have.
    let call = Call::get(Target::Path("/services/oauth2/userinfo".to_owned()));
    if let Ok(answer) = driver::ask(session, &RestDialect, call).await {
        let name = answer.text("/preferred_username").or_else(|| answer.text("/name"));
        if let (Some(name), Some(org)) = (name, answer.text("/organization_id")) {
            return Ok(format!("{} at the organisation {}", driver::bounded(name), driver::bounded(org)));
        }
    }
    let identity = resources.text("/identity").unwrap_or_default();
    let mut parts = identity.rsplit('/').map(ids::full);
    Ok(match (parts.next().flatten(), parts.next().flatten()) {
        (Some(user), Some(org)) => format!("user {user} at the organisation {org}"),
        _ => "signed in".to_owned(),
    })
}

async fn unsupported(session: &Session, settings: &Settings) -> Fault {
    let call = Call::get(Target::Path("/services/data".to_owned()));
    let offered: Vec<String> = match driver::ask(session, &RestDialect, call).await {
        Ok(answer) => answer.json.as_array().into_iter().flatten().filter_map(|one| one["version"].as_str().map(driver::bounded)).collect(),
        Err(fault) => return fault,
    };
    let of = |end: Option<&String>| end.map_or_else(|| Value::from("?").to_string(), |version| format!("v{version}"));
    let message = format!(
        "The organisation does not serve version {} of the API; it serves {} to {}. Set `apiVersion` to one of them.",
        settings.version,
        of(offered.first()),
        of(offered.last())
    );
    Fault::Refused { code: "UNSUPPORTED_API_VERSION".to_owned(), message, field: Some("apiVersion".to_owned()) }
}
