//! Errors, in words: beside the form that they are about, or as a page.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use kernel::{Error, FieldError, Kind};

use crate::answer;
use crate::view::View;
use crate::words::Lang;

/// A short page that says one thing, and leads on.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub(crate) v: &'a View,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) request: Option<String>,
    pub(crate) link: Option<(&'a str, &'a str)>,
}

/// The page for an error.
pub(crate) fn page(v: &View, error: &Error) -> Response {
    let title = match error.kind() {
        Kind::NotFound => v.t("error.not_found"),
        Kind::Forbidden => v.t("error.forbidden"),
        Kind::RateLimited => v.t("error.too_many"),
        Kind::Internal | Kind::Unavailable => v.t("error.internal"),
        _ => v.t("error.title"),
    };
    let (text, home) = (text(v, error), v.t("error.home"));
    let request = Some(v.info.id.to_string());
    let message = Message { v, title, text: &text, request, link: Some((answer::HOME, home)) };
    let mut response = answer::page(web::status(error.kind()), &message);
    if let Some(wait) = error.wait() {
        response.headers_mut().insert(http::header::RETRY_AFTER, wait.as_secs().max(1).into());
    }
    response
}

/// The page for a link that leads nowhere any more.
pub(crate) fn link_over(v: &View, how: &str, next: (&str, &str)) -> Response {
    answer::page(http::StatusCode::NOT_FOUND, &Message { v, title: v.t("link.over"), text: how, request: None, link: Some(next) })
}

/// What an error says to a person: our text for its code, else its own, and the faults of the fields that it names.
pub(crate) fn text(v: &View, error: &Error) -> String {
    let wait = error.wait().map(|wait| duration(v, wait)).unwrap_or_default();
    if let Some(known) = v.lang.known(&format!("fault.{}", error.code())) {
        return crate::words::filled(known, &[("wait", &wait)]);
    }
    match error.fields() {
        [] => error.detail().to_owned(),
        fields => fields.iter().map(|fault| of_place(v, fault)).collect::<Vec<_>>().join(" "),
    }
}

/// What is wrong with a field. Operations say it in English, to the point; other languages have one text for each field.
fn of_place(v: &View, fault: &FieldError) -> String {
    let name = fault.pointer.trim_start_matches('/');
    match v.lang.known(&format!("fault_at.{name}")).filter(|_| v.lang != Lang::English) {
        Some(text) => text.to_owned(),
        None => sentence(&fault.detail),
    }
}

/// What is wrong with one field, if the error says so.
pub(crate) fn of_field(v: &View, error: Option<&Error>, pointer: &str) -> Option<String> {
    Some(of_place(v, error?.fields().iter().find(|fault| fault.pointer == pointer)?))
}

/// The error as the line above a form: nothing, if the fields say it themselves.
pub(crate) fn of_form(v: &View, error: Option<&Error>, shown: &[&str]) -> Option<String> {
    let error = error?;
    let told = !error.fields().is_empty() && error.fields().iter().all(|fault| shown.contains(&fault.pointer.as_str()));
    (!told).then(|| text(v, error))
}

/// Whether the error is one that the person can mend in the form, which is then shown again.
pub(crate) fn is_persons(error: &Error) -> bool {
    !matches!(error.kind(), Kind::Internal | Kind::Unavailable | Kind::NotFound)
}

/// "must be short" → "Must be short."
fn sentence(detail: &str) -> String {
    let mut chars = detail.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}{}", chars.as_str(), if detail.ends_with('.') { "" } else { "." })
}

fn duration(v: &View, wait: Duration) -> String {
    let seconds = wait.as_secs().max(1);
    if seconds < 60 { v.count("time.seconds", &seconds) } else { v.count("time.minutes", &seconds.div_ceil(60)) }
}
