//! The authorization request (RFC 6749 §4.1.1): whoever comes is signed in already and agrees.

use kernel::Ambient;
use url::Url;

use super::{App, Code, Grants, Pkce};
use crate::stand::{Form, text};

/// A code is good for so many milliseconds.
const CODE_LIFE_MS: i64 = 600_000;

/// Why there is no redirect: the caller cannot be trusted with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl Grants {
    /// The URL to which the user's browser is sent: with a code, or with an error that the app may know.
    ///
    /// Errors: app or redirect URI are not known, which only the user may see.
    pub fn authorize(&mut self, form: &Form, ambient: &Ambient) -> Result<Url, Refused> {
        let app = self.app(form.text("client_id")).ok_or(Refused("invalid_client_id: there is no such app"))?.clone();
        let mut back = redirect(&app, form.text("redirect_uri"))?;
        let outcome = self.agree(&app, form, ambient);
        {
            let mut query = back.query_pairs_mut();
            match &outcome {
                Ok(code) => query.append_pair("code", code),
                Err((error, why)) => query.append_pair("error", error).append_pair("error_description", why),
            };
            if let Some(state) = form.get("state") {
                query.append_pair("state", state);
            }
        }
        Ok(back)
    }

    pub(super) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    fn agree(&mut self, app: &App, form: &Form, ambient: &Ambient) -> Result<String, (&'static str, &'static str)> {
        if form.text("response_type") != "code" && form.get("response_type").is_some() {
            return Err(("unsupported_response_type", "response type must be code"));
        }
        let challenge = challenge(form, self.policy.pkce)?;
        let scopes = asked(app, form).ok_or(("invalid_scope", "the app may not ask for this scope"))?;
        if std::mem::take(&mut self.deny) {
            return Err(("access_denied", "end-user denied authorization"));
        }
        let withheld = std::mem::take(&mut self.withheld);
        let scopes = scopes.into_iter().filter(|scope| !withheld.contains(scope)).collect();
        let offline = !self.policy.needs_offline || form.text("access_type") == "offline";
        let grant = self.grant(app.client_id.clone(), scopes, offline);
        let code = text::hex(&ambient.bytes::<24>());
        let expires_at = ambient.now().millis() + CODE_LIFE_MS;
        let redirect_uri = form.text("redirect_uri").to_owned();
        self.codes.insert(code.clone(), Code { grant, redirect_uri, challenge, expires_at });
        Ok(code)
    }
}

fn redirect(app: &App, uri: &str) -> Result<Url, Refused> {
    let url = Url::parse(uri).map_err(|_| Refused("redirect_uri_mismatch: redirect_uri is no URL"))?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let known = if app.redirect_uris.is_empty() { is_local } else { app.redirect_uris.iter().any(|one| one == uri) };
    if known { Ok(url) } else { Err(Refused("redirect_uri_mismatch: redirect_uri must match configuration")) }
}

fn challenge(form: &Form, pkce: Pkce) -> Result<Option<String>, (&'static str, &'static str)> {
    match (form.get("code_challenge"), form.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(Some(challenge.to_owned())),
        (Some(_), _) => Err(("invalid_request", "code_challenge_method must be S256")),
        (None, _) if pkce == Pkce::Required => Err(("invalid_request", "missing required code challenge")),
        (None, _) => Ok(None),
    }
}

/// The scopes that are asked for, separated by blanks or commas; `None` if one is not the app's.
fn asked(app: &App, form: &Form) -> Option<Vec<String>> {
    let asked = form.text("scope").split([' ', ',']).filter(|scope| !scope.is_empty());
    let optional = form.text("optional_scope").split([' ', ',']).filter(|scope| app.scopes.iter().any(|one| one == scope));
    let mut scopes = Vec::new();
    for scope in asked {
        app.scopes.iter().find(|one| *one == scope)?;
        scopes.push(scope.to_owned());
    }
    scopes.extend(optional.map(str::to_owned));
    Some(if scopes.is_empty() { app.scopes.clone() } else { scopes })
}
