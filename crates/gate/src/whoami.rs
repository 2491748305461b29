//! `GET /api/v1/whoami`: which credential this is, whose, what it may do, and how its limits stand.

use std::sync::Arc;

use access::Principal;
use axum::extract::State;
use http::HeaderMap;
use kernel::{Caller, ClientId, Credential, Error, KeyId, Permission, Result, ServiceKeyId, TenantId, Timestamp};
use serde::Serialize;

use crate::Gate;
use crate::admit::{SECRET_HEADER, shown};

/// The caller's credential.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// `api_key`, `access_token` or `service_key`.
    pub credential: &'static str,
    /// The key, if it is an API key.
    pub api_key_id: Option<KeyId>,
    /// What may be shown of it: `<prefix>_<env>_<keyId>`, of an access token too.
    pub key_id: Option<String>,
    /// The service key, if it is one.
    pub service_key_id: Option<ServiceKeyId>,
    /// Its name.
    pub name: String,
    /// Its client.
    pub client_id: Option<ClientId>,
    /// The tenant acted on; none: a service key that names none.
    pub tenant_id: Option<TenantId>,
    /// `production`, `staging` or `development`.
    pub environment: &'static str,
    /// The scopes held, with all that they imply.
    pub scopes: Vec<String>,
    /// The management permissions held.
    pub permissions: Vec<&'static str>,
    /// The tier whose limits bind it; none: it is not limited.
    pub rate_limit_tier: Option<String>,
    /// How each limit stands after this call.
    pub limits: Vec<LimitState>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks that it may be used from; empty: any.
    pub allowed_ips: Vec<String>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitState {
    /// `burst`, `minute`, `hour`, `day`, `custom`, `month` or `key-month`.
    pub policy: String,
    /// The most.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When it is whole again, or its present window ends.
    pub reset: Timestamp,
}

impl Gate {
    async fn who_is(&self, caller: &Caller, headers: &HeaderMap) -> Result<WhoAmI> {
        // It was found good at the door: this finds it in memory again.
        let secret = headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok());
        let principal = self.access.authenticate(shown(headers)?.1, secret).await?;
        let limits = self.standing_limits(&principal).await?;
        let (credential, api_key_id, service_key_id) = match &principal.credential {
            Credential::Key { key, .. } => ("api_key", Some(*key), None),
            Credential::ServiceKey { key, .. } => ("service_key", None, Some(*key)),
            Credential::OAuthToken { .. } => ("access_token", None, None),
            Credential::User { .. } | Credential::System { .. } => {
                return Err(Error::internal("a credential of a kind that no header shows"));
            }
        };
        let held = |permission: &&Permission| principal.permissions.holds(**permission);
        Ok(WhoAmI {
            credential,
            api_key_id,
            key_id: service_key_id.is_none().then(|| principal.shown_id.to_string()),
            service_key_id,
            name: principal.name.to_string(),
            client_id: principal.client,
            tenant_id: caller.tenant(),
            environment: principal.environment,
            scopes: principal.scopes.to_vec(),
            permissions: Permission::ALL.iter().filter(held).map(|permission| permission.name()).collect(),
            rate_limit_tier: principal.tier.as_deref().map(str::to_owned),
            limits,
            expires_at: principal.expires_at,
            allowed_ips: principal.allowed_ips.iter().map(ToString::to_string).collect(),
        })
    }

    /// A look that costs nothing: the call itself was counted at the door.
    async fn standing_limits(&self, principal: &Principal) -> Result<Vec<LimitState>> {
        let now = self.ambient.now();
        let charge = self.charge(principal, 0, now).await?;
        let Some(charge) = charge else { return Ok(Vec::new()) };
        Ok(charge
            .standing()
            .into_iter()
            .map(|one| LimitState { policy: one.policy.to_owned(), limit: one.limit, remaining: one.remaining, reset: one.resets_at })
            .collect())
    }
}

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
) -> web::Result<web::Json<WhoAmI>> {
    Ok(web::Json(gate.who_is(&caller, &headers).await?))
}
