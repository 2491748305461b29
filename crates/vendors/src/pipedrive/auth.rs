//! OAuth as Pipedrive writes it: the app proves itself by Basic authentication, scopes belong to the app.

use serde_json::{Value, json};

use super::Pipedrive;
use super::failure::Failure;
use crate::oauth::{Fault, Refused};
use crate::stand::{Answer, Call};

pub(super) fn answer(at: &Pipedrive, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    let (form, ambient) = (call.form(), &at.stand.ambient);
    let mut account = at.account();
    match (call.method.as_str(), rest) {
        ("GET", ["authorize"]) => Ok(match account.grants.authorize(&form, ambient) {
            Ok(url) => Answer::redirect(url.as_str()),
            Err(Refused(why)) => Answer::raw(400, "text/html; charset=utf-8", format!("<html><body>{why}</body></html>")),
        }),
        ("POST", ["token"]) => Ok(match call.basic() {
            None => error(Fault::Client),
            basic => match account.grants.token(&form, basic, ambient) {
                Ok(issued) => {
                    let refresh = issued.refresh_token.as_deref().or_else(|| form.get("refresh_token"));
                    Answer::json(
                        200,
                        &json!({
                            "access_token": issued.access_token, "token_type": "Bearer", "refresh_token": refresh,
                            "scope": issued.scopes.join(" "), "expires_in": issued.expires_in, "api_domain": call.origin(),
                        }),
                    )
                }
                Err(fault) => error(fault),
            },
        }),
        ("POST", ["revoke"]) => {
            // Known or not, it is no good afterwards.
            account.grants.revoke(form.text("token"));
            Ok(Answer::json(200, &json!({"success": true})))
        }
        _ => Err(Failure::not_found("Unknown method .")),
    }
}

fn error(fault: Fault) -> Answer {
    let body = |error: &str, message: &str| -> Value { json!({"success": false, "error": error, "message": message}) };
    match fault {
        Fault::Client => Answer::json(401, &body("invalid_client", "Client authentication failed")),
        Fault::GrantType => Answer::json(400, &body("unsupported_grant_type", "Grant type is not supported")),
        Fault::Grant | Fault::RedirectUri | Fault::Verifier | Fault::TooMany => {
            Answer::json(400, &body("invalid_grant", "Invalid grant: the token is invalid or has expired"))
        }
    }
}
