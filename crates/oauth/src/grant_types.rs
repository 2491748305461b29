//! The ways to tokens.

use serde::{Deserialize, Serialize};

/// A way to tokens (RFC 6749 §4, RFC 8628, RFC 8693).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum GrantType {
    /// For a code that a person's browser brought.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// For a refresh token.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// For the client itself.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// For a device code (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// For another token (RFC 8693).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// Those that are served here.
    pub const SERVED: &'static [Self] =
        &[Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::DeviceCode, Self::TokenExchange];

    /// As it is written on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The one of this name, if it is served.
    pub fn named(name: &str) -> Option<Self> {
        Self::SERVED.iter().copied().find(|grant| grant.name() == name)
    }

    /// What a client may use that says nothing of it.
    pub const fn usual(is_confidential: bool) -> &'static [Self] {
        if is_confidential {
            &[Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials]
        } else {
            &[Self::AuthorizationCode, Self::RefreshToken]
        }
    }
}
