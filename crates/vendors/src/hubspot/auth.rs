//! OAuth as HubSpot writes it: under `v1` and under dated versions.

use serde_json::{Value, json};

use super::HubSpot;
use super::failure::Failure;
use super::portal::Portal;
use crate::oauth::{Fault, Grant, Issued, Refused};
use crate::stand::{Answer, Call, Form};

pub(super) fn answer(at: &HubSpot, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    let (form, ambient, now) = (call.form(), &at.stand.ambient, at.stand.now());
    let mut portal = at.portal();
    match (call.method.as_str(), rest) {
        ("GET", ["authorize"] | [_, "authorize"]) => {
            if form.get("scope").is_none() {
                return Ok(Answer::raw(
                    400,
                    "text/html; charset=utf-8",
                    "<html><body>Authorization failed because the scope is missing</body></html>",
                ));
            }
            Ok(match portal.grants.authorize(&form, ambient) {
                Ok(url) => Answer::redirect(url.as_str()),
                Err(Refused(why)) => {
                    Answer::raw(400, "text/html; charset=utf-8", format!("<html><body>Authorization failed: {why}</body></html>"))
                }
            })
        }
        ("POST", [version, "token"]) => {
            if call.param("grant_type").is_some() && *version != "v1" {
                return Ok(error("invalid_request", "BAD_REQUEST", "parameters belong into the body"));
            }
            Ok(match portal.grants.token(&form, call.basic(), ambient) {
                Ok(issued) => Answer::json(200, &tokens(&portal, &issued, &form, version)),
                Err(fault) => refused(fault),
            })
        }
        ("POST", [_, "token", "introspect"]) => Ok(introspect(&portal, &form, now)),
        ("POST", [_, "token", "revoke"]) => {
            portal.grants.forget_refresh(form.text("token"));
            Ok(Answer::empty(200))
        }
        ("GET", ["v1", kind @ ("access-tokens" | "refresh-tokens"), token]) => told(&portal, kind, token, now),
        ("DELETE", ["v1", "refresh-tokens", token]) => {
            let known = portal.grants.forget_refresh(token);
            if known { Ok(Answer::empty(204)) } else { Err(Failure::not_found()) }
        }
        _ => Err(Failure::not_found()),
    }
}

/// What the older paths tell of a token.
fn told(portal: &Portal, kind: &str, token: &str, now: i64) -> Result<Answer, Failure> {
    let unknown = || Failure::new(404, "OBJECT_NOT_FOUND", "the token is expired or unknown");
    if kind == "refresh-tokens" {
        let grant = portal.grants.check_refresh(token, now).ok_or_else(unknown)?;
        return Ok(Answer::json(200, &information(portal, grant, token, 0, "refresh")));
    }
    let grant = portal.grants.check(token, now).ok_or_else(unknown)?;
    let expires_at = portal.grants.expiry(token).flatten().unwrap_or(now);
    Ok(Answer::json(200, &information(portal, grant, token, (expires_at - now) / 1000, "access")))
}

fn tokens(portal: &Portal, issued: &Issued, form: &Form, version: &str) -> Value {
    // A refresh token stays: a refresh gives the same one again.
    let refresh = issued.refresh_token.as_deref().or_else(|| form.get("refresh_token"));
    let mut value = json!({"token_type": "bearer", "access_token": issued.access_token, "expires_in": issued.expires_in});
    if let Some(refresh) = refresh {
        value["refresh_token"] = json!(refresh);
    }
    if version != "v1" {
        value["token_use"] = json!("access_token");
        value["hub_id"] = json!(portal.portal_id);
        value["user_id"] = json!(issued.user);
        value["scopes"] = json!(issued.scopes);
    }
    value
}

fn error(code: &str, status: &str, message: &str) -> Answer {
    Answer::json(400, &json!({"error": code, "error_description": message, "status": status, "message": message}))
}

fn refused(fault: Fault) -> Answer {
    match fault {
        Fault::Client => error("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id, or a wrong secret"),
        Fault::Grant => error("invalid_grant", "BAD_REFRESH_TOKEN", "missing or invalid refresh token or auth code"),
        Fault::RedirectUri => error("invalid_grant", "BAD_REDIRECT_URI", "missing or unknown redirect uri"),
        Fault::Verifier => error("invalid_grant", "BAD_AUTH_CODE", "code verifier does not match"),
        Fault::GrantType => error("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type"),
        Fault::TooMany => error("invalid_request", "RATE_LIMIT", "too many refreshes"),
    }
}

fn information(portal: &Portal, grant: &Grant, token: &str, expires_in: i64, kind: &str) -> Value {
    json!({
        "token": token, "user": "ada@double.invalid", "hub_domain": "double.invalid", "scopes": grant.scopes, "hub_id": portal.portal_id,
        "app_id": portal.app_id, "client_id": grant.client_id, "expires_in": expires_in, "user_id": grant.user, "token_type": kind,
        "scope_to_scope_group_pks": [], "trial_scopes": [], "trial_scope_to_scope_group_pks": [], "signed_access_token": {
            "expiresAt": 0, "scopes": "", "hubId": portal.portal_id, "userId": grant.user, "appId": portal.app_id, "signature": "",
            "scopeToScopeGroupPks": "", "newSignature": "", "hublet": "na1", "trialScopes": "", "trialScopeToScopeGroupPks": "",
                "isUserLevel": false,
        }, "is_private_distribution": false,
    })
}

fn introspect(portal: &Portal, form: &Form, now: i64) -> Answer {
    let token = form.text("token");
    let is_app =
        portal.grants.apps.iter().any(|app| app.client_id == form.text("client_id") && app.client_secret == form.text("client_secret"));
    let found = portal.grants.check(token, now).map(|grant| (grant, "access_token"));
    match found.or_else(|| portal.grants.check_refresh(token, now).map(|grant| (grant, "refresh_token"))).filter(|_| is_app) {
        None => Answer::json(200, &json!({"active": false, "token_use": "unknown", "token_type": "bearer"})),
        Some((grant, kind)) => Answer::json(
            200,
            &json!({
                "active": true, "token_use": kind, "token_type": "bearer", "client_id": grant.client_id, "hub_id": portal.portal_id,
                "user_id": grant.user, "scopes": grant.scopes, "app_id": portal.app_id, "user": "ada@double.invalid",
                    "hub_domain": "double.invalid",
                "expires_in": portal.grants.expiry(token).flatten().map_or(0, |at| (at - now) / 1000),
            }),
        ),
    }
}
