//! Tokens for another token (RFC 8693): a backend that got a partner's or a person's token gets a narrower one of its own to call on with.
//!
//! What comes of it opens at most what the shown token opens, for the same tenant and person, ends no later and with its grant, and says who acts (`act`). Only
//! confidential clients that are set up for it may; only for tokens that were issued to themselves or open their own tenant.

use std::sync::Arc;

use access::{Principal, Standing};
use kernel::Result;
use serde_json::{Value, json};

use crate::clients::AuthMethod;
use crate::errors::{invalid_grant, invalid_request, unauthorized_client};
use crate::tokens::issue::Subject;
use crate::tokens::{TokenAnswer, TokenRequest};
use crate::{Oauth, resources, scope, system};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// How deep a chain of actors may become.
const MAX_ACTORS: usize = 5;

impl Oauth {
    pub(crate) async fn exchange_token(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        let TokenRequest { client, form, jkt, .. } = request;
        if !client.app.confidential || client.proves_by(AuthMethod::None) {
            return Err(unauthorized_client("Only a client that proves itself may exchange tokens."));
        }
        if form.need("subject_token_type")? != ACCESS_TOKEN && form.one("subject_token_type") != Some(JWT) {
            return Err(invalid_request("subject_token_type must be an access token of this server."));
        }
        if form.one("actor_token").is_some() || form.one("actor_token_type").is_some() {
            return Err(invalid_request("Actor tokens are not read: the client that asks is the actor."));
        }
        if form.one("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
            return Err(invalid_request("Only access tokens are issued here."));
        }
        if form.one("audience").is_some() {
            return Err(invalid_request("Name what the token is for by resource."));
        }
        let text = form.need("subject_token")?.to_owned();
        let examined = self.access.examine(&text, None).await?;
        let shown = examined.filter(|found| found.standing == Standing::Good).ok_or_else(refused)?.principal;
        let facts = shown.token.clone().ok_or_else(refused)?;
        let tenant = shown.tenant.ok_or_else(refused)?;
        if shown.client != Some(client.app.id) && tenant != client.app.tenant {
            return Err(refused());
        }
        // Whoever holds a bound token without its key has found it somewhere.
        if facts.jkt.is_some() && facts.jkt != jkt {
            return Err(invalid_grant("The subject token is bound to a key that the request did not prove."));
        }
        let scope = narrowed(self, &shown, &client.app.scopes, form.one("scope"), &facts.scope)?;
        let asked = resources::resolve(&self.config.issuer, form.all("resource"))?;
        let granted = (!facts.resource.is_empty()).then(|| facts.resource.join(" "));
        let resource = resources::narrow(granted.as_deref(), asked)?;
        let actor = actor(&client.app.id.to_string(), shown.client.map(|id| id.to_string()).as_deref(), facts.actor.as_deref())?;
        let subject = Subject {
            client,
            tenant,
            user: facts.user,
            grant: facts.grant,
            scope,
            resource,
            jkt,
            actor: Some(actor.to_string()),
            sign_in: None,
            refresh_token: None,
        };
        let oauth = Arc::clone(self);
        let mut answer = self.store.write(system(), move |tx| oauth.issue_until(tx, subject, shown.expires_at)).await?;
        answer.more.insert("issued_token_type".to_owned(), json!(ACCESS_TOKEN));
        Ok(answer)
    }
}

/// What is asked for of what the shown token has and the client may; without a wish, all of that. Identity is not passed on.
fn narrowed(oauth: &Oauth, shown: &Principal, ceiling: &[String], asked: Option<&str>, granted: &str) -> Result<String> {
    let may = |name: &String| shown.scopes.contains(name) && ceiling.contains(name);
    match asked {
        None => Ok(scope::split(granted).into_iter().filter(may).collect::<Vec<_>>().join(" ")),
        Some(asked) => {
            let scopes = scope::resolve(&oauth.blueprint, Some(asked), ceiling, false)?;
            if let Some(beyond) = scopes.iter().find(|name| !may(name)) {
                return Err(crate::errors::invalid_scope(format!("The subject token does not have the scope {beyond}.")));
            }
            Ok(scopes.join(" "))
        }
    }
}

/// The client that acts, with those before it within (RFC 8693 §4.1).
fn actor(client: &str, before: Option<&str>, chain: Option<&str>) -> Result<Value> {
    let mut actor = json!({"sub": client});
    let earlier: Option<Value> = match chain {
        Some(text) => serde_json::from_str(text).ok(),
        None => before.filter(|before| *before != client).map(|before| json!({"sub": before})),
    };
    if let Some(earlier) = earlier {
        let depth = std::iter::successors(Some(&earlier), |one| one.get("act")).count();
        if depth >= MAX_ACTORS {
            return Err(invalid_request("Too many clients have passed this token on."));
        }
        actor["act"] = earlier;
    }
    Ok(actor)
}

fn refused() -> kernel::Error {
    invalid_grant("The subject token is not good, or not for this client to exchange.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_actors_is_told_and_bounded() {
        assert_eq!(actor("b", Some("a"), None).unwrap(), json!({"sub": "b", "act": {"sub": "a"}}));
        assert_eq!(actor("a", Some("a"), None).unwrap(), json!({"sub": "a"}));
        let mut chain = json!({"sub": "c0"});
        for n in 1..MAX_ACTORS {
            chain = actor(&format!("c{n}"), Some("x"), Some(&chain.to_string())).unwrap();
        }
        assert_eq!(actor("z", Some("x"), Some(&chain.to_string())).unwrap_err().code(), "invalid_request");
    }
}
