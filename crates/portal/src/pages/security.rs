//! `/portal/security`: how somebody signs in, and where they are signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result};
use people::SessionInfo;
use people::external::ProviderInfo;
use people::identities::Identity;
use people::passkeys::Passkey;
use web::Query;

use super::{Asked, fault};
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
    offers_passkeys: bool,
    passkeys: Vec<Passkey>,
    ties: Vec<Tie>,
    sessions: Vec<Row>,
    fault: Option<String>,
}

/// Another provider, and the account that the person has there.
struct Tie {
    slug: String,
    name: String,
    is_tied: bool,
    email: String,
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
const DONE: [&str; 8] = ["password", "totp_off", "session", "sessions", "passkey", "passkey_removed", "identity", "identity_removed"];

/// Back to the page, which says what was done.
pub(super) fn after(what: &'static str) -> Response {
    debug_assert!(DONE.contains(&what), "{what} has no message");
    answer::to(&format!("{PATH}?done={what}"))
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Account, Query(asked): Query<Asked>) -> web::Result<Response> {
    Ok(page(&portal, &person, asked.done.as_deref(), None).await?)
}

/// The page again, with why something was not done.
pub(super) async fn failed(portal: &Portal, person: &Account, error: &Error) -> Result<Response> {
    page(portal, person, None, Some(error)).await
}

async fn page(portal: &Portal, person: &Account, done: Option<&str>, error: Option<&Error>) -> Result<Response> {
    let (v, caller) = (&*person.view, person.caller()?);
    let (security, sessions) = (portal.people.security(&caller).await?, portal.people.list_sessions(&caller).await?);
    let template = Page {
        v,
        email: &person.signed.email,
        done: done.filter(|done| DONE.contains(done)),
        has_password: security.has_password,
        has_totp: security.totp_since.is_some(),
        codes_left: security.recovery_codes_left.into(),
        offers_passkeys: portal.people.offers_passkeys(),
        passkeys: portal.people.list_passkeys(&caller).await?,
        ties: ties(portal, &portal.people.list_identities(&caller).await?),
        sessions: sessions.iter().map(|session| row(v, session)).collect(),
        fault: error.map(|error| fault::text(v, error)),
    };
    Ok(answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &template))
}

fn ties(portal: &Portal, known: &[Identity]) -> Vec<Tie> {
    let tie = |provider: ProviderInfo| {
        let own = known.iter().find(|identity| identity.issuer == provider.issuer);
        let email = own.and_then(|identity| identity.email.clone()).unwrap_or_default();
        Tie { slug: provider.slug, name: provider.name, is_tied: own.is_some(), email }
    };
    portal.people.providers().into_iter().map(tie).collect()
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
