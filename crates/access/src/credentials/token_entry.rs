//! From the row of an access token to a cache entry. As with keys, what cannot be read refuses.

use std::sync::Arc;

use blueprint::Blueprint;
use kernel::{Credential, Permission, PermissionSet};

use super::cache::Entry;
use super::load::{digest, json, optional};
use super::sql::TokenRow;
use super::{Principal, Standing};
use crate::access_tokens::TokenFacts;
use crate::keys::{LimitOverride, token};
use crate::people::{OperatorRole, Role, scopes_of};
use crate::{MonthlyQuota, scopes};

pub(super) fn entry(row: TokenRow, blueprint: &Blueprint) -> Entry {
    let bounds = Bounds::read(&row);
    let granted: Vec<String> = row.scope.split(' ').filter(|scope| blueprint.scope(scope).is_some()).map(str::to_owned).collect();
    let mut held = bounds.as_ref().map(|b| scopes::held(blueprint, b.client_scopes.as_deref(), Some(&granted))).unwrap_or_default();
    let person = Person::of(&row);
    let standing = standing(&row, &person, bounds.is_some());
    // What was allowed once is worth no more than whoever allowed it may today.
    if let Person::May { role, .. } = person {
        let may = scopes_of(blueprint, role);
        held.retain(|scope| may.contains(scope));
    }
    let permissions = blueprint.permissions_of(&held);
    let permissions = match person {
        Person::May { permissions: may, .. } => {
            Permission::ALL.iter().copied().filter(|one| permissions.holds(*one) && may.holds(*one)).collect()
        }
        Person::Nobody | Person::Gone => permissions,
    };
    let bounds = bounds.unwrap_or_default();
    let client = row.of_client;
    // Who acts for another tenant has that tenant's limits apart from its own: one tenant's use cannot use up another's.
    let limit_id = if client.tenant == row.tenant { row.client.to_string() } else { format!("{}:{}", row.client, row.tenant) };
    let facts = TokenFacts {
        key_id: row.key_id.clone(),
        client_tenant: client.tenant,
        user: row.user,
        grant: row.grant,
        resource: row.resource.as_deref().map(|text| text.split(' ').map(str::to_owned).collect()).unwrap_or_default(),
        scope: row.scope,
        jkt: row.jkt,
        actor: row.actor,
        issued_at: row.issued_at,
    };
    let credential = Credential::OAuthToken { client: row.client, user: row.user };
    let principal = Principal {
        client: Some(row.client),
        permissions,
        scopes: held.into(),
        tier: Some(client.tier.as_deref().unwrap_or(&blueprint.default_tier).into()),
        client_limits: bounds.limits,
        client_quota: bounds.quota,
        allowed_origins: bounds.origins,
        expires_at: Some(row.expires_at),
        limit_id: limit_id.into(),
        shown_id: format!("{}_{}_{}", token::ACCESS_PREFIX, token::Label::Live.as_str(), row.key_id).into(),
        client_external_id: client.external.map(Arc::from),
        token: Some(Arc::new(facts)),
        ..Principal::plain(credential, Some(row.tenant), &client.name)
    };
    Entry {
        hash: digest(&row.hash),
        needs_secret: false,
        secret_hash: None,
        standing,
        expires_at: Some(row.expires_at),
        principal: Arc::new(principal),
    }
}

/// For whom a client acts.
#[derive(Clone, Copy)]
enum Person {
    /// For itself.
    Nobody,
    /// Somebody who may do nothing here any more.
    Gone,
    /// Somebody who may do this.
    May { role: Role, permissions: PermissionSet },
}

impl Person {
    fn of(row: &TokenRow) -> Self {
        if row.user.is_none() {
            return Self::Nobody;
        }
        if row.user_status.as_deref() != Some("active") {
            return Self::Gone;
        }
        let role: Option<Role> = row.role.as_deref().and_then(|text| text.parse().ok());
        let operator: Option<OperatorRole> = row.operator_role.as_deref().and_then(|text| text.parse().ok());
        match (role, operator) {
            (_, Some(OperatorRole::Admin)) => Self::May { role: Role::Owner, permissions: PermissionSet::all() },
            (Some(role), _) => Self::May { role, permissions: role.permissions() },
            (None, Some(operator)) => Self::May { role: Role::Viewer, permissions: operator.permissions() },
            (None, None) => Self::Gone,
        }
    }
}

/// A token of somebody who is no member any more is over.
fn standing(row: &TokenRow, person: &Person, is_readable: bool) -> Standing {
    match () {
        () if !is_readable || matches!(person, Person::Gone) => Standing::Revoked,
        () if row.tenant_status != "active" || row.client_tenant_status != "active" => Standing::TenantSuspended,
        () if row.of_client.status != "active" => Standing::ClientSuspended,
        () => Standing::Good,
    }
}

#[derive(Default)]
struct Bounds {
    client_scopes: Option<Vec<String>>,
    origins: Vec<String>,
    limits: Option<LimitOverride>,
    quota: Option<MonthlyQuota>,
}

impl Bounds {
    fn read(row: &TokenRow) -> Option<Self> {
        let client = &row.of_client;
        Some(Self {
            client_scopes: optional(client.scopes.as_deref())?,
            origins: json(&client.allowed_origins)?,
            limits: optional(client.limits.as_deref())?,
            quota: optional(client.quota.as_deref())?,
        })
    }
}
