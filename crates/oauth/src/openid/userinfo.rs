//! `GET POST /oauth/userinfo` (OpenID Connect Core §5.3): what the person allowed to be told about them.

use std::sync::Arc;

use access::people;
use axum::extract::State;
use http::{HeaderMap, header};
use kernel::{Caller, Credential, Error, Result};
use serde::Serialize;

use crate::{Oauth, system};

/// What is told of a person.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UserInfo {
    /// Who it is: for good, and the same for every application.
    sub: String,
    /// With the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// With the scope `profile`: the language, as a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// With the scope `profile`: when that was last changed, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    /// With the scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// With the scope `email`: whether somebody has proven to read what is sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl Oauth {
    async fn user_info(&self, caller: &Caller, token: &str) -> Result<UserInfo> {
        let Credential::OAuthToken { user: Some(user), .. } = *caller.credential() else { return Err(lacking()) };
        // It was found good at the door: this finds it in memory again, with the scopes that open nothing there.
        let principal = self.access.authenticate(token, None).await?;
        let facts = principal.token.as_ref().ok_or_else(lacking)?;
        let has = |scope: &str| facts.scope.split(' ').any(|held| held == scope);
        if !has("openid") {
            return Err(lacking());
        }
        let person = self.store.read(system(), move |tx| people::user(tx, user)).await?.ok_or_else(lacking)?;
        let (profile, email) = (has("profile"), has("email"));
        Ok(UserInfo {
            sub: user.to_string(),
            name: (profile && !person.name.is_empty()).then_some(person.name),
            locale: person.language.filter(|_| profile),
            updated_at: profile.then(|| person.updated_at.seconds()),
            email: email.then_some(person.email),
            email_verified: email.then_some(person.email_verified),
        })
    }
}

fn lacking() -> Error {
    Error::forbidden("insufficient_scope", "This needs an access token of a person who allowed the scope openid.")
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
) -> web::Result<web::Json<UserInfo>> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let token = shown.map(|(_, token)| token.trim()).ok_or_else(lacking)?;
    Ok(web::Json(oauth.user_info(&caller, token).await?))
}
