//! OAuth as Zoho writes it: data centres, and errors inside status 200.

use serde_json::json;

use super::Zoho;
use super::failure::Failure;
use crate::oauth::{Fault, Refused};
use crate::stand::{Answer, Call};

pub(super) fn answer(at: &Zoho, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    let (form, ambient) = (call.form(), &at.stand.ambient);
    let mut org = at.org();
    match (call.method.as_str(), rest) {
        ("GET", ["v2", "auth"]) => {
            if let Some(elsewhere) = &org.elsewhere {
                return Ok(Answer::redirect(&format!("{elsewhere}{}", call.target)));
            }
            Ok(match org.grants.authorize(&form, ambient) {
                Ok(mut url) => {
                    if url.query_pairs().any(|(name, _)| name == "code") {
                        url.query_pairs_mut().append_pair("location", &org.location).append_pair("accounts-server", &call.origin());
                    }
                    Answer::redirect(url.as_str())
                }
                Err(Refused(why)) => Answer::raw(400, "text/html; charset=utf-8", format!("<html><body>ERROR_{why}</body></html>")),
            })
        }
        ("POST", ["v2", "token"]) => Ok(match org.grants.token(&form, None, ambient) {
            Ok(issued) => {
                let mut value = json!({
                    "access_token": issued.access_token, "api_domain": call.origin(), "token_type": "Bearer",
                        "expires_in": issued.expires_in,
                    "scope": issued.scopes.join(" "),
                });
                if let Some(token) = issued.refresh_token {
                    value["refresh_token"] = json!(token);
                }
                Answer::json(200, &value)
            }
            Err(fault) => error(fault),
        }),
        ("POST", ["v2", "token", "revoke"]) => {
            let known = org.grants.revoke(form.text("token"));
            let status = if known { json!({"status": "success"}) } else { json!({"error": "invalid_code"}) };
            Ok(Answer::json(if known { 200 } else { 400 }, &status))
        }
        _ => Err(Failure::no_url()),
    }
}

fn error(fault: Fault) -> Answer {
    let inside = |code: &str| Answer::json(200, &json!({"error": code}));
    match fault {
        Fault::Client => inside("invalid_client"),
        Fault::Grant | Fault::Verifier => inside("invalid_code"),
        Fault::RedirectUri => inside("invalid_redirect_uri"),
        Fault::GrantType => inside("unsupported_grant_type"),
        Fault::TooMany => {
            let why = "You have made too many requests continuously. Please try again after some time.";
            Answer::json(400, &json!({"error_description": why, "error": "Access Denied", "status": "failure"}))
        }
    }
}
