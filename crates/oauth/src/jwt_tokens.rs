//! Access tokens in the form of JWTs (RFC 9068), where a client or the server is set up for them.

use access::access_tokens::NewToken;
use access::jose::Signer;
use kernel::{Result, Timestamp};
use serde_json::{Map, Value, json};

use crate::grants::SignIn;

/// Signs one. `jti` comes first, since that is how tokens of ours are found. Error: internal.
pub(crate) fn sign(signer: &Signer, issuer: &str, jti: &str, token: &NewToken, sign_in: Option<&SignIn>, now: Timestamp) -> Result<String> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    put("jti", json!(jti));
    put("iss", json!(issuer));
    put("sub", token.user.map_or_else(|| json!(token.client), |user| json!(user)));
    let resources: Vec<&str> = token.resource.as_deref().unwrap_or(issuer).split(' ').collect();
    put("aud", if resources.len() == 1 { json!(resources[0]) } else { json!(resources) });
    put("client_id", json!(token.client));
    put("iat", json!(now.seconds()));
    put("exp", json!(token.expires_at.seconds()));
    put("scope", json!(token.scope));
    put("tenant_id", json!(token.tenant));
    if let Some(sign_in) = sign_in {
        put("auth_time", json!(sign_in.at.seconds()));
        if !sign_in.methods.is_empty() {
            put("amr", json!(sign_in.methods));
        }
    }
    if let Some(jkt) = &token.jkt {
        put("cnf", json!({"jkt": jkt}));
    }
    if let Some(actor) = token.actor.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        put("act", actor);
    }
    signer.sign("at+jwt", &claims)
}
