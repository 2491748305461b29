//! `/oauth/token`, `/oauth/introspect`, `/oauth/revoke`.

mod client_credentials;
mod endpoint;
pub(crate) mod introspect;
pub(crate) mod issue;
pub(crate) mod revoke;

use std::sync::Arc;

use kernel::Result;
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use endpoint::{handle as token, unstored};

use crate::Oauth;
use crate::clients::OAuthClient;
use crate::errors::unauthorized_client;
use crate::form::Form;
use crate::grant_types::GrantType;

/// A request for tokens of a client that has proven itself.
pub(crate) struct TokenRequest {
    /// The client.
    pub(crate) client: Arc<OAuthClient>,
    /// By which way.
    pub(crate) grant: GrantType,
    /// The parameters.
    pub(crate) form: Form,
    /// The thumbprint of the key that the request proved (RFC 9449).
    pub(crate) jkt: Option<String>,
}

/// What a client gets (RFC 6749 §5.1).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// `Bearer` or `DPoP`.
    pub token_type: &'static str,
    /// How long it is good, in seconds.
    pub expires_in: u64,
    /// What was granted.
    pub scope: String,
    /// What gets the next one, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in (OpenID Connect Core §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What other ways to tokens add.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub more: Map<String, Value>,
}

impl Oauth {
    /// Tokens for a request. Errors: those of the protocol, and of the store.
    pub(crate) async fn exchange(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        if !request.client.may(request.grant) {
            return Err(unauthorized_client(format!("This client is not set up for {}.", request.grant.name())));
        }
        // In memory for the transactions, which cannot wait.
        self.keys.load().await?;
        match request.grant {
            GrantType::AuthorizationCode => self.redeem_code(request).await,
            GrantType::RefreshToken => self.refresh(request).await,
            GrantType::ClientCredentials => self.client_credentials(request).await,
            GrantType::DeviceCode => self.redeem_device(request).await,
            GrantType::TokenExchange => self.exchange_token(request).await,
        }
    }
}
