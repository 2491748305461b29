//! `tradewind service-key create`.

use kernel::text::{self, MAX_NAME};
use kernel::{Error, IdRef, Permission, Result, Secret, TenantId};
use store::{Store, Tx};

use super::{ServiceKey, sql};
use crate::credentials::{Pepper, Purpose};
use crate::keys::token;
use crate::tenants;

/// What a new service key is made of.
#[derive(Clone, Debug, Default)]
pub struct NewServiceKey {
    /// Its name; default: `service key`.
    pub name: Option<String>,
    /// The only tenant that it may act for (`ten_…` or `ext:…`); none: any, and the operator's own acts.
    pub tenant: Option<String>,
    /// The permissions that it holds, by name (`events.publish`); none: all.
    pub permissions: Option<Vec<String>>,
}

/// A service key with its secret, this once.
#[derive(Clone, Debug)]
pub struct ServiceKeyWithToken {
    /// What may be shown.
    pub info: ServiceKey,
    /// The key itself.
    pub key: Secret<String>,
}

/// Makes a service key. Errors: 404 for an unknown tenant, 422 `unknown_permission`, 422 `validation_failed`; those of the store.
pub async fn create(store: &Store, input: NewServiceKey) -> Result<ServiceKeyWithToken> {
    let name = input.name.unwrap_or_else(|| "service key".to_owned());
    text::line("/name", &name, 1, MAX_NAME)?;
    if let Some(names) = &input.permissions {
        names.iter().try_for_each(|name| name.parse::<Permission>().map(drop))?;
    }
    let tenant: Option<IdRef<TenantId>> = input
        .tenant
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: Error| Error::field("/tenant", "must be ten_… or ext: and the host's id").caused_by(error))?;
    let pepper = Pepper::load(store).await?;
    store
        .write(super::authority()?, move |tx| {
            let tenant = tenant.map(|reference| tenants::sql::id_of(tx, &reference)).transpose()?;
            insert(tx, &pepper, name, tenant, input.permissions)
        })
        .await
}

/// Mints and stores a service key.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    pepper: &Pepper,
    name: String,
    tenant: Option<TenantId>,
    permissions: Option<Vec<String>>,
) -> Result<ServiceKeyWithToken> {
    let minted = token::mint(tx.ambient(), token::SERVICE_PREFIX, token::Label::Live);
    let info = ServiceKey {
        id: tx.ambient().id(),
        mask: minted.mask,
        name,
        tenant,
        permissions,
        status: "active".to_owned(),
        expires_at: None,
        created_at: tx.now(),
    };
    sql::insert(tx, &info, &minted.key_id, pepper.hash(Purpose::Token, minted.token.reveal()))?;
    tx.audit_change("service_key.create", info.id, &(), &info)?;
    Ok(ServiceKeyWithToken { info, key: minted.token })
}
