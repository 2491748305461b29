//! Schemes without a signature: a password or a token proves the caller. They say nothing about the body and nothing about time, so they are
//! only as good as TLS.

use serde_json::Value;
use subtle::Choice;

use super::{Check, Meaning, Refusal, macs, text_at};

fn unless(matches: Choice) -> Result<(), Refusal> {
    if bool::from(matches) { Ok(()) } else { Err(Refusal::InvalidCredential) }
}

/// `Authorization: Basic …`. The user is `settings.username`; without it, that of a secret `user:password`; without either, anyone.
pub(super) fn verify_basic(check: &Check<'_>) -> Result<(), Refusal> {
    let (scheme, encoded) = check.header("authorization")?.split_once(' ').ok_or(Refusal::InvalidCredential)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::InvalidCredential);
    }
    let plain = macs::unbase64(encoded.trim()).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Refusal::InvalidCredential)?;
    let (user, password) = plain.split_once(':').ok_or(Refusal::InvalidCredential)?;
    let mut matches = Choice::from(0);
    for secret in check.secrets {
        matches |= match (&check.settings.username, secret.split_once(':')) {
            (Some(own), _) => macs::same(user, own) & macs::same(password, secret),
            (None, Some(_)) => macs::same(&plain, secret),
            (None, None) => macs::same(password, secret),
        };
    }
    unless(matches)
}

/// `Authorization: Bearer <token>`, or the token alone in the header that the settings name.
pub(super) fn verify_bearer(check: &Check<'_>) -> Result<(), Refusal> {
    let given = match &check.settings.header {
        Some(name) => {
            let text = check.header(name)?;
            check.settings.prefix.as_ref().map_or(Some(text), |prefix| text.strip_prefix(prefix.as_str()))
        }
        None => check
            .header("authorization")?
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token),
    };
    token(check, given.ok_or(Refusal::InvalidCredential)?.trim())
}

/// Zoho repeats the channel's token in the body.
pub(super) fn verify_zoho(check: &Check<'_>) -> Result<(), Refusal> {
    let body: Value = serde_json::from_slice(&check.call.body).map_err(|_| Refusal::MissingSignature)?;
    token(check, &text_at(&body, &["token"]).ok_or(Refusal::MissingSignature)?)
}

fn token(check: &Check<'_>, given: &str) -> Result<(), Refusal> {
    unless(check.secrets.iter().fold(Choice::from(0), |matches, secret| matches | macs::same(given, secret)))
}

/// `Leads` and `update` become `leads.update`; `ids` and the operation of one moment are one notification.
pub(super) fn zoho_meaning(value: &Value) -> Meaning {
    let (module, operation) = (text_at(value, &["module"]), text_at(value, &["operation"]));
    let event_type = match (module, operation) {
        (Some(module), Some(operation)) => Some(format!("{module}.{operation}")),
        (module, operation) => module.or(operation),
    };
    Meaning { event_type, id: None }
}

/// Version 2 has `meta.entity` and `meta.action`, version 1 `event: "updated.deal"`.
pub(super) fn pipedrive_meaning(value: &Value) -> Meaning {
    let event_type = match (text_at(value, &["meta", "entity"]), text_at(value, &["meta", "action"])) {
        (Some(entity), Some(action)) => Some(format!("{entity}.{action}")),
        _ => text_at(value, &["event"])
            .map(|event| event.split_once('.').map_or(event.clone(), |(action, thing)| format!("{thing}.{action}"))),
    };
    // Of version 1 `meta.id` is the changed thing's, not the notification's.
    let id = text_at(value, &["meta", "id"]).filter(|_| value["meta"]["version"].as_str().is_some_and(|version| version.starts_with('2')));
    Meaning { event_type, id }
}
