//! The language and the colours that somebody chose, kept in their browser; the language also in their account, for mails.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header;
use people::me::UpdateProfile;
use web::Patch;

use crate::view::{Form, Shared, Theme, cookies};
use crate::words::Lang;
use crate::{Portal, answer};

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, form: Form) -> web::Result<Response> {
    let mut response = answer::to(answer::own_path(form.get("next")).unwrap_or(answer::HOME));
    let mut keep = |name: &str, value: &str| {
        let cookie = cookies::set(name, value, Some(cookies::A_YEAR), portal.is_https());
        response.headers_mut().append(header::SET_COOKIE, cookie);
    };
    if let Some(theme) = Theme::of_name(form.get("theme")) {
        keep(cookies::THEME, theme.name());
    }
    if let Some(lang) = form.given("language").and_then(Lang::of_tag) {
        keep(cookies::LANGUAGE, lang.tag());
        if let Some(signed) = v.signed.as_ref().filter(|signed| signed.bound_tenant.is_none()) {
            let caller = signed.caller(None, Arc::clone(&v.info))?;
            portal.people.update_profile(&caller, UpdateProfile { name: None, language: Patch::Value(lang.tag().to_owned()) }).await?;
        }
    }
    Ok(response)
}
