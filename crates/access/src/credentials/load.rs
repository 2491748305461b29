//! From stored rows to a cache entry. A stored value that cannot be read refuses the key (and is logged): never does a broken
//! restriction admit.

use std::sync::Arc;

use blueprint::Blueprint;
use ipnet::IpNet;
use kernel::{Credential, Permission, PermissionSet};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Standing;
use super::cache::Entry;
use super::sql::{Found, KeyRow, ServiceRow};
use super::token_entry;
use super::{EndpointPattern, Principal};
use crate::keys::{Environment, LimitOverride};
use crate::{MonthlyQuota, scopes};

pub(super) fn entry(found: Found, blueprint: &Blueprint) -> Entry {
    match found {
        Found::Key(row) => key(&row, blueprint),
        Found::Service(row) => service(&row),
        Found::Token(row) => token_entry::entry(*row, blueprint),
    }
}

fn key(row: &KeyRow, blueprint: &Blueprint) -> Entry {
    let restrictions = Restrictions::read(row);
    let held = restrictions.as_ref().map(|r| scopes::held(blueprint, r.client_scopes.as_deref(), r.scopes.as_deref())).unwrap_or_default();
    let standing = match (&restrictions, row.status.as_str()) {
        (None, _) => Standing::Revoked,
        (_, "disabled") => Standing::Disabled,
        (_, status) if status != "active" => Standing::Revoked,
        _ if row.tenant_status != "active" => Standing::TenantSuspended,
        _ if row.client_status != "active" => Standing::ClientSuspended,
        _ => Standing::Good,
    };
    let restrictions = restrictions.unwrap_or_default();
    let principal = Principal {
        credential: Credential::Key { key: row.id, client: row.client },
        tenant: Some(row.tenant),
        client: Some(row.client),
        permissions: blueprint.permissions_of(&held),
        scopes: held.into(),
        tier: Some(row.tier.as_deref().unwrap_or(&blueprint.default_tier).into()),
        limits: restrictions.limits,
        client_limits: restrictions.client_limits,
        quota: restrictions.quota,
        client_quota: restrictions.client_quota,
        allowed_ips: restrictions.ips,
        allowed_endpoints: restrictions.endpoints,
        allowed_origins: restrictions.origins,
        expires_at: row.expires_at,
        limit_id: row.lineage.to_string().into(),
        environment: Environment::read(&row.environment).as_str(),
        lineage: Some(row.lineage),
        name: row.name.as_str().into(),
        shown_id: row.shown_id.as_str().into(),
        metadata: metadata(&row.metadata),
        client_external_id: row.client_external.as_deref().map(Arc::from),
        token: None,
        attached: super::Attached::default(),
    };
    Entry {
        hash: digest(&row.hash),
        needs_secret: row.dual_auth,
        secret_hash: row.secret_hash.as_deref().map(digest),
        standing,
        expires_at: row.expires_at,
        principal: Arc::new(principal),
    }
}

fn service(row: &ServiceRow) -> Entry {
    let permissions = row.permissions.as_deref().map_or(Some(PermissionSet::all()), read_permissions);
    let standing = match (permissions, row.bound, row.tenant_status.as_deref()) {
        (None, _, _) => Standing::Revoked,
        _ if row.status != "active" => Standing::Revoked,
        (_, None, _) | (_, Some(_), Some("active")) => Standing::Good,
        (_, Some(_), None) => Standing::Revoked,
        (_, Some(_), Some(_)) => Standing::TenantSuspended,
    };
    let credential = Credential::ServiceKey { key: row.id, bound: row.bound };
    let principal = Principal {
        permissions: permissions.unwrap_or(PermissionSet::NONE),
        expires_at: row.expires_at,
        limit_id: row.id.to_string().into(),
        ..Principal::plain(credential, row.bound, &row.name)
    };
    Entry {
        hash: digest(&row.hash),
        needs_secret: false,
        secret_hash: None,
        standing,
        expires_at: row.expires_at,
        principal: Arc::new(principal),
    }
}

#[derive(Default)]
struct Restrictions {
    scopes: Option<Vec<String>>,
    client_scopes: Option<Vec<String>>,
    ips: Vec<IpNet>,
    endpoints: Vec<EndpointPattern>,
    limits: Option<LimitOverride>,
    client_limits: Option<LimitOverride>,
    quota: Option<MonthlyQuota>,
    client_quota: Option<MonthlyQuota>,
    origins: Vec<String>,
}

impl Restrictions {
    fn read(row: &KeyRow) -> Option<Self> {
        let ips: Vec<String> = json(&row.allowed_ips)?;
        let endpoints: Vec<String> = json(&row.allowed_endpoints)?;
        Some(Self {
            scopes: optional(row.scopes.as_deref())?,
            client_scopes: optional(row.client_scopes.as_deref())?,
            ips: ips.iter().map(|text| crate::rules::network("/allowedIps", text).ok()).collect::<Option<_>>()?,
            endpoints: endpoints.iter().map(|text| EndpointPattern::parse("/allowedEndpoints", text).ok()).collect::<Option<_>>()?,
            limits: optional(row.limits.as_deref())?,
            client_limits: optional(row.client_limits.as_deref())?,
            quota: optional(row.quota.as_deref())?,
            client_quota: optional(row.client_quota.as_deref())?,
            origins: json(&row.allowed_origins)?,
        })
    }
}

/// As it is stored: JSON that was checked when it was written. None for an empty object.
fn metadata(text: &str) -> Option<Arc<RawValue>> {
    if text == "{}" {
        return None;
    }
    json::<Box<RawValue>>(text).map(Arc::from)
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).inspect_err(|error| tracing::error!(%error, "a stored restriction of a key cannot be read")).ok()
}

pub(super) fn optional<T: DeserializeOwned>(text: Option<&str>) -> Option<Option<T>> {
    text.map_or(Some(None), |text| json(text).map(Some))
}

fn read_permissions(text: &str) -> Option<PermissionSet> {
    let names: Vec<String> = json(text)?;
    names.iter().map(|name| name.parse::<Permission>().ok()).collect()
}

/// A hash of the wrong length matches nothing: all zeros is no HMAC that anyone could show a preimage of.
pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or_default()
}
