//! The harmless call.

use super::dialect::Speech;
use super::settings::Settings;
use crate::driver::{self, bounded};
use crate::{Call, Fault, Session};

pub(super) async fn test(session: &Session) -> Result<String, Fault> {
    let settings = Settings::of(session)?;
    let answer = driver::ask(session, &Speech, Call::get(settings.path(&["org"])?)).await?;
    let name = answer
        .text("/org/0/company_name")
        .map(bounded)
        .ok_or_else(|| Fault::Unavailable { message: "Zoho does not say which organisation it is.".to_owned() })?;
    let zone = answer.text("/org/0/time_zone").map_or_else(|| "an unknown time zone".to_owned(), bounded);
    Ok(format!("Zoho organisation {name} ({zone})"))
}
