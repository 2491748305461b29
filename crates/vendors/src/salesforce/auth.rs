//! OAuth as Salesforce writes it. Refresh tokens of partners' apps rotate; access tokens do not say when they end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Salesforce;
use super::failure::Failure;
use super::ids;
use super::org::{ORG_ID, Org};
use crate::oauth::{Fault, Issued, Refused};
use crate::stand::{Answer, Call, Stand, text};

pub(super) fn answer(at: &Salesforce, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
    let (stand, form) = (&at.stand, call.form());
    match (call.method.as_str(), rest) {
        ("GET" | "POST", ["authorize"]) => Ok(match at.org().grants.authorize(&form, &stand.ambient) {
            Ok(url) => Answer::redirect(url.as_str()),
            Err(Refused(why)) => Answer::raw(400, "text/html; charset=utf-8", format!("<html><body>error={why}</body></html>")),
        }),
        ("POST", ["token"]) => {
            let basic = call.basic();
            let mut org = at.org();
            let secret = org.grants.apps[0].client_secret.clone();
            Ok(match org.grants.token(&form, basic, &stand.ambient) {
                Ok(issued) => Answer::json(200, &tokens(&issued, call, stand, &secret)),
                Err(fault) => refused(fault),
            })
        }
        ("GET" | "POST", ["revoke"]) => {
            let known = at.org().grants.revoke(form.text("token"));
            Ok(if known { Answer::empty(200) } else { error(400, "unsupported_token_type", "this token type is not supported") })
        }
        ("POST", ["introspect"]) => Ok(introspect(&at.org(), &form, stand.now())),
        ("GET" | "POST", ["userinfo"]) => at.counted(call, |org, user| identity(org, call, &user_id(user))),
        _ => Err(Failure::not_found("The requested resource does not exist")),
    }
}

/// A user's id.
pub(super) fn user_id(user: u64) -> String {
    ids::id("005", user)
}

fn tokens(issued: &Issued, call: &Call, stand: &Stand, secret: &str) -> Value {
    let (id, issued_at) = (format!("{}/id/{ORG_ID}/{}", call.origin(), user_id(issued.user)), stand.now().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{id}{issued_at}").as_bytes());
    let mut value = json!({
        "access_token": issued.access_token, "signature": STANDARD.encode(mac.finalize().into_bytes()), "scope": issued.scopes.join(" "),
        "instance_url": call.origin(), "id": id, "token_type": "Bearer", "issued_at": issued_at,
    });
    if let Some(token) = &issued.refresh_token {
        value["refresh_token"] = json!(token);
    }
    value
}

fn error(status: u16, code: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": code, "error_description": description}))
}

fn refused(fault: Fault) -> Answer {
    match fault {
        Fault::Client => error(400, "invalid_client_id", "client identifier invalid"),
        Fault::Grant => error(400, "invalid_grant", "expired access/refresh token"),
        Fault::RedirectUri => error(400, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        Fault::Verifier => error(400, "invalid_grant", "invalid code verifier"),
        Fault::GrantType => error(400, "unsupported_grant_type", "grant type not supported"),
        Fault::TooMany => error(400, "invalid_grant", "login rate exceeded"),
    }
}

fn introspect(org: &Org, form: &crate::stand::Form, now: i64) -> Answer {
    let token = form.text("token");
    let Some(grant) = org.grants.check(token, now).or_else(|| org.grants.check_refresh(token, now)) else {
        return Answer::json(200, &json!({"active": false}));
    };
    let mut value = json!({
        "active": true, "scope": grant.scopes.join(" "), "client_id": grant.client_id, "sub": user_id(grant.user),
        "token_type": if org.grants.check(token, now).is_some() { "access_token" } else { "refresh_token" },
    });
    if let Some(Some(at)) = org.grants.expiry(token) {
        value["exp"] = json!(at / 1000);
    }
    Answer::json(200, &value)
}

/// Who the session's user is.
pub(super) fn identity(org: &Org, call: &Call, user: &str) -> Result<Answer, Failure> {
    let known = org.grants.alive().any(|grant| user_id(grant.user) == user);
    if !known {
        return Err(Failure::new(403, "Bad_OAuth_Token", "Bad_OAuth_Token"));
    }
    let origin = call.origin();
    Ok(Answer::json(
        200,
        &json!({
            "id": format!("{origin}/id/{ORG_ID}/{user}"), "asserted_user": true, "user_id": user, "organization_id": ORG_ID,
            "sub": format!("{origin}/id/{ORG_ID}/{user}"), "username": "ada@double.invalid", "preferred_username": "ada@double.invalid",
            "display_name": "Ada Double", "name": "Ada Double", "email": "ada@double.invalid", "email_verified": true, "active": true,
            "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": 0, "is_app_installed": true,
            "urls": {"rest": format!("{origin}/services/data/v{{version}}/"),
                "query": format!("{origin}/services/data/v{{version}}/query/")},
            "last_modified_date": text::seconds(0, "Z"),
        }),
    ))
}
