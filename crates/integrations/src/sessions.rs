//! Sessions: a connector with an account, ready to talk.

use std::sync::{Arc, Mutex};

use connectors::{Auth, Connector, Session};
use kernel::{Error, IntegrationId, Result, Scope, Secret, TenantId, TenantScope, Timestamp};
use store::Tx;

use crate::Integrations;
use crate::budgets::Key;
use crate::carrier::{AccountCarrier, Signing};
use crate::custom::Known;
use crate::integrations::{self, Credentials, Exchange, Inbound, Row, sql};

/// What a session is made of, with its carrier for whoever wants to write the status.
type Opened = (Arc<dyn Connector>, Session, Arc<AccountCarrier>);

impl Integrations {
    /// The connector of an integration and a session with its account. Nothing is asked of the vendor; a credential that is missing or ended
    /// shows with the first call. Calls are logged under the scope's actor.
    ///
    /// Errors: 404; 409 `integration_disabled`, `connector_without_calls`.
    pub async fn session(self: &Arc<Self>, scope: &TenantScope, id: IntegrationId) -> Result<(Arc<dyn Connector>, Session)> {
        let tenant = scope.tenant();
        self.parts.store.read(scope.clone(), move |tx| Self::usable(tx, tenant, id)).await?;
        let (connector, session, _) = self.open_session(scope, id, None).await?;
        Ok((connector, session))
    }

    /// The connector of an integration.
    ///
    /// Errors: 404; 409 `connector_without_calls`.
    pub async fn connector(self: &Arc<Self>, scope: &TenantScope, id: IntegrationId) -> Result<Arc<dyn Connector>> {
        let tenant = scope.tenant();
        let row = self.parts.store.read(scope.clone(), move |tx| integrations::get_row(tx, tenant, id)).await?;
        callable(self.known(scope, &row.connector).await?)
    }

    /// What the vendor is asked to prove its calls to the integration's own address with ([`Connector::watch`]). Error: 404.
    pub async fn inbound_secret(&self, scope: &TenantScope, id: IntegrationId) -> Result<Secret<String>> {
        let tenant = scope.tenant();
        let read = move |tx: &mut Tx<'_>| {
            let (_, sealed) = sql::sealed(tx, tenant, id)?.ok_or_else(|| Error::not_found("integration"))?;
            Inbound::open(tx.sealer(), id, &sealed)
        };
        self.parts.store.read(scope.clone(), read).await
    }

    /// The address that a vendor is given for an integration.
    pub fn inbound_url(&self, id: IntegrationId) -> String {
        format!("{}/in/integrations/{id}", self.parts.public_url)
    }

    /// Notes that a sync ended well, in its transaction.
    pub fn synced(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, at: Timestamp) -> Result<()> {
        sql::set_synced(tx, tenant, id, at).map(drop)
    }

    /// That an integration is there, in a transaction of somebody who refers to it; answers its connector's slug. Error: 404.
    pub fn require(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<String> {
        integrations::get_row(tx, tenant, id).map(|row| row.connector)
    }

    /// That an integration may be used now, in a transaction of somebody who is using it. Errors: 404; 409 `integration_disabled`.
    pub fn usable(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<()> {
        if integrations::get_row(tx, tenant, id)?.enabled {
            return Ok(());
        }
        Err(Error::conflict("integration_disabled", "The integration is switched off. Set enabled to true to use it."))
    }

    /// A session whose last exchange is put into `seen`.
    pub(crate) async fn open_session(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: IntegrationId,
        seen: Option<Arc<Mutex<Option<Exchange>>>>,
    ) -> Result<Opened> {
        let (mut row, credentials) = self.opened(scope, id).await?;
        let known = self.known(scope, &row.connector).await?;
        let auth = known.as_ref().map(|known| known.about.auth.clone());
        let connector = callable(known)?;
        self.learn_account(scope, &mut row).await;
        let account = row.account.clone().unwrap_or_else(|| id.to_string());
        let key = Key { tenant: scope.tenant(), connector: row.connector.clone(), account };
        let carrier = Arc::new(AccountCarrier {
            integrations: Arc::clone(self),
            scope: scope.clone(),
            id,
            signing: signing(&row, auth.as_ref(), credentials.as_ref()),
            base_override: integrations::base_url(&row.config)?.map(str::to_owned),
            base_default: connector.base_url(&row.config),
            budget: self.budgets.of(key, connector.budgets()),
            actor: Scope::from(scope.clone()).actor().to_string(),
            masked: credentials.as_ref().map(Credentials::values).unwrap_or_default(),
            status: Mutex::new(row.status),
            seen,
        });
        let session = Session { carrier: carrier.clone(), config: Arc::new(row.config), ambient: self.parts.ambient.clone() };
        Ok((connector, session, carrier))
    }

    /// The vendor's name of the account, from the token: by it budgets are shared and the app's webhooks find the integration.
    async fn learn_account(self: &Arc<Self>, scope: &TenantScope, row: &mut Row) {
        let Some(token) = row.token else { return };
        let Ok(held) = self.parts.vault.held(scope, token).await else { return };
        let Some(account) = held.account.filter(|account| row.account.as_ref() != Some(account)) else { return };
        let (tenant, id) = (row.tenant, row.id);
        row.account = Some(account.clone());
        let scope = TenantScope::system("integrations", tenant);
        if let Err(error) = self.parts.store.write(scope, move |tx| sql::set_account(tx, tenant, id, &account)).await {
            tracing::warn!(?error, "an integration's account could not be written");
        }
    }
}

fn callable(known: Option<Known>) -> Result<Arc<dyn Connector>> {
    let known = known.ok_or_else(|| Error::not_found("connector"))?;
    known.connector.ok_or_else(|| {
        let detail = format!("The connector {} has nothing to read or to write.", known.about.id);
        Error::conflict("connector_without_calls", detail)
    })
}

fn signing(row: &Row, auth: Option<&Auth>, credentials: Option<&Credentials>) -> Signing {
    let Some(auth) = auth else { return Signing::Missing };
    if let (Auth::OAuth2 { .. }, Some(token)) = (auth, row.token) {
        return Signing::Vault(token);
    }
    if matches!(auth, Auth::None) {
        return Signing::None;
    }
    let header = credentials.and_then(|credentials| integrations::sign(credentials, auth));
    let origin = credentials.and_then(Credentials::origin).map(str::to_owned);
    header.map_or(Signing::Missing, |(name, value)| Signing::Fixed(name, value, origin))
}
