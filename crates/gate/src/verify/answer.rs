//! What a host is told.

use std::sync::Arc;

use access::Principal;
use kernel::{ClientId, KeyId, TenantId, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::judge::Verdict;

/// Why a key is valid or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// It may be used for this.
    Valid,
    /// It is no key (or a secret is wrong, or it is revoked, or it is not of the caller's tenant: it does not say which).
    NotFound,
    /// It is switched off, or its client or tenant is suspended.
    Disabled,
    /// Its time is over.
    Expired,
    /// It may not be used from this address, or not for this endpoint.
    Forbidden,
    /// It lacks a scope.
    InsufficientPermissions,
    /// A limit is reached; it will do again soon.
    RateLimited,
    /// The month's quota is used up.
    UsageExceeded,
}

impl Code {
    /// The status under which the use is logged: what a gateway would answer.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Valid => 200,
            Self::NotFound | Self::Disabled | Self::Expired => 401,
            Self::Forbidden | Self::InsufficientPermissions => 403,
            Self::RateLimited | Self::UsageExceeded => 429,
        }
    }
}

/// What is left of the limit that is nearest to its end; where one was reached, of that one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// Uses in the window.
    pub limit: u64,
    /// Uses that are left of them.
    pub remaining: u64,
    /// When the window ends; of `burst` and quotas: when it is whole again.
    pub reset: Timestamp,
    /// Which limit it is: `minute`, `hour`, `day`, `burst`, …; where one was reached, that one.
    pub policy: &'static str,
    /// In how many seconds it may be tried again, where a limit was reached. Absent where the use costs more than a limit ever holds: it never passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The answer, for the documentation.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what Answer writes")]
pub struct Verified {
    /// Whether it may be used for what was asked.
    pub valid: bool,
    /// Why.
    pub code: Code,
    /// What may be shown of the key: `<prefix>_<env>_<keyId>`. Null with all that follows: there is no such key.
    pub key_id: Option<String>,
    /// Its name in paths: `key_…`.
    pub api_key_id: Option<KeyId>,
    /// Its client.
    pub client_id: Option<ClientId>,
    /// Its tenant.
    pub tenant_id: Option<TenantId>,
    /// Its name.
    pub name: Option<String>,
    /// `production`, `staging` or `development`.
    pub environment: Option<String>,
    /// The scopes that it holds, with all that they imply.
    pub scopes: Vec<String>,
    /// The host's id for its client.
    pub external_id: Option<String>,
    /// The host's own data about it; null without the permission `keys.read`.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// What is left of the limit that is nearest to its end; null where nothing is limited, and where the use was refused before it was counted.
    pub rate_limit: Option<Left>,
}

/// The answer as it is written: borrowed, and without a step through a tree.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    valid: bool,
    code: Code,
    key_id: Option<&'a str>,
    api_key_id: Option<KeyId>,
    client_id: Option<ClientId>,
    tenant_id: Option<TenantId>,
    name: Option<&'a str>,
    environment: Option<&'static str>,
    scopes: &'a [String],
    external_id: Option<&'a str>,
    #[serde(serialize_with = "raw")]
    metadata: Option<&'a RawValue>,
    expires_at: Option<Timestamp>,
    rate_limit: Option<&'a Left>,
}

impl<'a> Answer<'a> {
    pub(super) fn of(verdict: &'a Verdict, with_metadata: bool) -> Self {
        let principal: Option<&'a Principal> = verdict.principal.as_deref();
        Self {
            valid: verdict.code == Code::Valid,
            code: verdict.code,
            key_id: principal.map(|p| &*p.shown_id),
            api_key_id: principal.and_then(Principal::key),
            client_id: principal.and_then(|p| p.client),
            tenant_id: principal.and_then(|p| p.tenant),
            name: principal.map(|p| &*p.name),
            environment: principal.map(|p| p.environment),
            scopes: principal.map_or(&[], |p| &p.scopes),
            external_id: principal.and_then(|p| p.client_external_id.as_deref()),
            metadata: principal.filter(|_| with_metadata).and_then(|p| p.metadata.as_ref()).map(Arc::as_ref),
            expires_at: principal.and_then(|p| p.expires_at),
            rate_limit: verdict.left.as_ref(),
        }
    }
}

fn raw<S: Serializer>(value: &Option<&RawValue>, serializer: S) -> Result<S::Ok, S::Error> {
    value.serialize(serializer)
}
