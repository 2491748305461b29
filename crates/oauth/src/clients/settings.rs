//! What a client says about OAuth, and its rules.

use kernel::{ClientId, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuthMethod, OAuthClient};
use crate::grant_types::GrantType;
use crate::{Oauth, TokenFormat};

const ACCESS_SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;
const REFRESH_SECONDS: std::ops::RangeInclusive<u32> = 3_600..=31_536_000;

/// Whose people may allow an application something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Those of any tenant, each for that tenant's data.
    #[default]
    Any,
    /// Those of the client's own tenant only.
    Own,
}

/// How a client may use OAuth. What is absent is as usual.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsInput {
    /// The ways to tokens. Usual: codes and refresh tokens, and for a confidential client its own credentials.
    pub grant_types: Option<Vec<GrantType>>,
    /// How it proves itself. Usual: a confidential client by its secret, in the header or the body; a public one not at all.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// How its access tokens look. Usual: the server's setting.
    pub token_format: Option<TokenFormat>,
    /// Whose people may allow it something. Usual: any tenant's.
    pub audience: Option<Audience>,
    /// Whether its tokens are bound to a key that it must prove (RFC 9449).
    #[serde(default)]
    pub require_dpop: bool,
    /// Whether its authorization requests must be pushed first (RFC 9126).
    #[serde(default)]
    pub require_par: bool,
    /// Its public keys (RFC 7517).
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    /// How long its access tokens are good: 60 to 86,400 seconds.
    pub access_token_seconds: Option<u32>,
    /// How long its refresh tokens are good without being used: an hour to a year, in seconds.
    pub refresh_token_seconds: Option<u32>,
}

/// The same, as stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The ways to tokens; none: the usual ones.
    pub grant_types: Option<Vec<GrantType>>,
    /// How it proves itself; none: as usual.
    pub auth_method: Option<AuthMethod>,
    /// How its access tokens look; none: the server's setting.
    pub token_format: Option<TokenFormat>,
    /// Whose people may allow it something.
    pub audience: Audience,
    /// Whether its tokens are bound to a key.
    pub require_dpop: bool,
    /// Whether its requests must be pushed.
    pub require_par: bool,
    /// Its public keys.
    pub jwks: Option<Value>,
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    /// Of its access tokens.
    pub access_token_seconds: Option<u32>,
    /// Of its refresh tokens.
    pub refresh_token_seconds: Option<u32>,
    /// What it said of itself when it registered (RFC 7591); none: it was made by hand.
    pub registration: Option<Value>,
    /// The hash of its registration access token (RFC 7592).
    pub registration_hash: Option<Vec<u8>>,
    /// When the settings were last changed; none: never.
    pub updated_at: Option<Timestamp>,
}

/// How a client may use OAuth: what is usual is written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettings {
    /// The client.
    pub client_id: ClientId,
    /// The ways to tokens.
    pub grant_types: Vec<GrantType>,
    /// How it proves itself; null: by its secret, in the header or the body.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// How its access tokens look.
    pub token_format: TokenFormat,
    /// Whose people may allow it something.
    pub audience: Audience,
    /// Whether its tokens are bound to a key that it must prove.
    pub require_dpop: bool,
    /// Whether its authorization requests must be pushed first.
    pub require_par: bool,
    /// Its public keys.
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    /// How long its access tokens are good, in seconds.
    pub access_token_seconds: u64,
    /// How long its refresh tokens are good without being used, in seconds.
    pub refresh_token_seconds: u64,
    /// Whether it registered itself.
    pub registered: bool,
    /// When the settings were last changed; null: they are as usual.
    pub updated_at: Option<Timestamp>,
}

impl Stored {
    /// Of a body, keeping what nobody sets by it. Error: 422 `validation_failed`.
    pub(super) fn of(input: SettingsInput, present: Self, confidential: bool) -> Result<Self> {
        let stored = Self {
            grant_types: input.grant_types,
            auth_method: input.token_endpoint_auth_method,
            token_format: input.token_format,
            audience: input.audience.unwrap_or_default(),
            require_dpop: input.require_dpop,
            require_par: input.require_par,
            jwks: input.jwks,
            jwks_uri: input.jwks_uri,
            access_token_seconds: input.access_token_seconds,
            refresh_token_seconds: input.refresh_token_seconds,
            ..present
        };
        stored.check(confidential)?;
        Ok(stored)
    }

    /// The rules. Error: 422 `validation_failed`.
    pub(crate) fn check(&self, confidential: bool) -> Result<()> {
        for (index, grant) in self.grant_types.iter().flatten().enumerate() {
            if !GrantType::SERVED.contains(grant) {
                return Err(Error::field(format!("/grantTypes/{index}"), "is not served here"));
            }
            if *grant == GrantType::ClientCredentials && !confidential {
                return Err(Error::field(format!("/grantTypes/{index}"), "is for confidential clients: this one keeps no secret"));
            }
        }
        if let Some(method) = self.auth_method {
            let needs_secret = matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
            let fault = match method {
                _ if !AuthMethod::SERVED.contains(&method) => Some("is not served here"),
                AuthMethod::None if confidential => Some("is for public clients: this one is confidential"),
                _ if needs_secret && !confidential => Some("is for confidential clients: this one keeps no secret"),
                AuthMethod::PrivateKeyJwt if self.jwks.is_none() && self.jwks_uri.is_none() => Some("needs jwks or jwksUri"),
                _ => None,
            };
            if let Some(fault) = fault {
                return Err(Error::field("/tokenEndpointAuthMethod", fault));
            }
        }
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return Err(Error::field("/jwksUri", "is there beside jwks: give one of them"));
        }
        let range = |pointer: &str, value: Option<u32>, range: std::ops::RangeInclusive<u32>| match value {
            Some(value) if !range.contains(&value) => {
                Err(Error::field(pointer, format!("must be {} to {} seconds", range.start(), range.end())))
            }
            _ => Ok(()),
        };
        range("/accessTokenSeconds", self.access_token_seconds, ACCESS_SECONDS)?;
        range("/refreshTokenSeconds", self.refresh_token_seconds, REFRESH_SECONDS)
    }
}

impl OAuthClient {
    /// As it is shown.
    pub(crate) fn show(&self, oauth: &Oauth) -> ClientSettings {
        let usual = (!self.app.confidential).then_some(AuthMethod::None);
        ClientSettings {
            client_id: self.app.id,
            grant_types: self.grant_types().to_vec(),
            token_endpoint_auth_method: self.stored.auth_method.or(usual),
            token_format: self.token_format(oauth),
            audience: self.stored.audience,
            require_dpop: self.stored.require_dpop,
            require_par: self.stored.require_par,
            jwks: self.stored.jwks.clone(),
            jwks_uri: self.stored.jwks_uri.clone(),
            access_token_seconds: self.access_lifetime(oauth).as_secs(),
            refresh_token_seconds: self.refresh_lifetime(oauth).as_secs(),
            registered: self.stored.registration.is_some(),
            updated_at: self.stored.updated_at,
        }
    }
}
