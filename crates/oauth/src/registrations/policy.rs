//! Who may register clients: the operator says.

use std::str::FromStr;
use std::sync::Arc;

use kernel::{Caller, Error, IdRef, Permission, Result, TenantId};

use crate::Oauth;

/// Who may register a client by `POST /oauth/register`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Nobody.
    Off,
    /// Whoever shows a credential with the permission `clients.write`: the client is its tenant's.
    #[default]
    Credential,
    /// Anybody. Without a credential the client is put into the tenant that the operator names, and acts for people only.
    Open,
}

impl Registration {
    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Credential => "credential",
            Self::Open => "open",
        }
    }
}

impl FromStr for Registration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Off, Self::Credential, Self::Open]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| Error::invalid("invalid_oauth_registration", "TRADEWIND_OAUTH_REGISTRATION must be off, credential or open."))
    }
}

/// For whom a client is registered.
pub(super) struct Registrar {
    /// Who registers it, acting for the tenant whose client it is.
    pub(super) caller: Caller,
    pub(super) is_stranger: bool,
    /// The scopes that the client may have.
    pub(super) scopes: Vec<String>,
}

impl Oauth {
    /// Who registers: the holder of a credential, or a stranger where the policy lets them.
    ///
    /// Errors: 401 `invalid_token`, 403 `insufficient_scope`, 404 for the tenant of strangers when it is not there; those of `authenticate`.
    pub(super) async fn registrar(self: &Arc<Self>, bearer: Option<&str>, tenant: Option<&str>) -> Result<Registrar> {
        let policy = self.config.registration;
        if policy == Registration::Off {
            return Err(Error::forbidden("access_denied", "Clients are not registered here. Ask the operator of this service."));
        }
        if let Some(bearer) = bearer {
            let caller = self.access.authenticate(bearer, None).await?.caller();
            let caller = match tenant {
                None => caller,
                Some(named) => {
                    let reference = named.parse().map_err(|_| Error::not_found("tenant"))?;
                    let tenant = self.access.tenant_ref(reference).await?;
                    caller.acting_for(Some(tenant))?
                }
            };
            caller.allow(Permission::ClientsWrite)?;
            let all = self.blueprint.all_scopes();
            let scopes =
                if caller.is_bound_by_scopes() { all.into_iter().filter(|one| caller.scopes().contains(one)).collect() } else { all };
            return Ok(Registrar { caller, is_stranger: false, scopes });
        }
        let home: Option<IdRef<TenantId>> = self.config.registration_tenant.clone().filter(|_| policy == Registration::Open);
        let Some(home) = home else {
            return Err(Error::unauthenticated(
                "invalid_token",
                "Registering a client needs a credential with the permission clients.write.",
            ));
        };
        let tenant = self.access.tenant_ref(home).await?;
        let scopes = self.config.registration_scopes.clone().unwrap_or_else(|| self.blueprint.all_scopes());
        Ok(Registrar { caller: Caller::system("oauth", Some(tenant)), is_stranger: true, scopes })
    }
}
