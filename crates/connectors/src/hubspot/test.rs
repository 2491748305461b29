//! The harmless call.

use super::dialect::Speech;
use super::settings::Settings;
use crate::driver;
use crate::{Call, Fault, Session};

pub(super) async fn test(session: &Session) -> Result<String, Fault> {
    let settings = Settings::of(session)?;
    let call = Call::get(driver::path(&["account-info", "v3", "details"])?);
    let answer = driver::ask(session, &Speech::of(&settings), call).await?;
    let portal = answer.json["portalId"]
        .as_u64()
        .ok_or_else(|| Fault::Unavailable { message: "HubSpot does not say which account it is.".to_owned() })?;
    let zone = answer.text("/timeZone").map_or_else(|| "an unknown time zone".to_owned(), driver::bounded);
    Ok(format!("HubSpot account {portal} ({zone})"))
}
