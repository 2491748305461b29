//! `/portal/security`: how somebody signs in, and where they are signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use people::SessionInfo;
use web::Query;

use super::Asked;
use crate::view::{Account, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/security";

#[derive(Template)]
#[template(path = "security.html")]
struct Page<'a> {
    v: &'a View,
    email: &'a str,
    done: Option<&'a str>,
    has_password: bool,
    has_totp: bool,
    codes_left: u64,
    sessions: Vec<Row>,
}

/// A session as it is shown.
struct Row {
    id: String,
    agent: String,
    ip: String,
    methods: Vec<&'static str>,
    seen: kernel::Timestamp,
    is_current: bool,
}

/// What may be said to have been done: the keys under `done` in the messages.
const DONE: [&str; 4] = ["password", "totp_off", "session", "sessions"];

/// Back to the page, which says what was done.
pub(super) fn after(what: &'static str) -> Response {
    debug_assert!(DONE.contains(&what), "{what} has no message");
    answer::to(&format!("{PATH}?done={what}"))
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Account, Query(asked): Query<Asked>) -> web::Result<Response> {
    let (v, caller) = (&*person.view, person.caller()?);
    let (security, sessions) = (portal.people.security(&caller).await?, portal.people.list_sessions(&caller).await?);
    Ok(answer::ok(&Page {
        v,
        email: &person.signed.email,
        done: asked.done.as_deref().filter(|done| DONE.contains(done)),
        has_password: security.has_password,
        has_totp: security.totp_since.is_some(),
        codes_left: security.recovery_codes_left.into(),
        sessions: sessions.iter().map(|session| row(v, session)).collect(),
    }))
}

fn row(v: &View, session: &SessionInfo) -> Row {
    Row {
        id: session.id.to_string(),
        agent: agent(v, session.user_agent.as_deref().unwrap_or_default()),
        ip: session.ip.clone().unwrap_or_default(),
        methods: session.methods.iter().map(|method| method.as_str()).collect(),
        seen: session.last_seen_at,
        is_current: session.is_current,
    }
}

/// "Firefox on Linux". Browsers name several others after themselves, so the order matters.
fn agent(v: &View, text: &str) -> String {
    let first = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => v.lang.with("sessions.browser_on", &[("browser", &browser), ("system", &system)]),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => v.t("sessions.unknown").to_owned(),
    }
}
