//! `integrations.update` (PATCH).

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, IntegrationId, Permission, Result, TenantScope};
use store::Tx;
use vault::OauthToken;

use super::create::{NO_CREDENTIAL, can_sign_in};
use super::{Credentials, Integration, IntegrationPatch, Row, Status, binding, check, get_row, sql};
use crate::{Integrations, TOPIC};

/// What becomes of the credentials.
enum Given {
    Kept,
    Replaced(Option<Credentials>),
}

impl Given {
    fn bound(self, origin: Option<String>) -> Self {
        match self {
            Self::Kept => Self::Kept,
            Self::Replaced(given) => Self::Replaced(given.map(|given| given.bound(origin))),
        }
    }
}

impl Integrations {
    /// Changes an integration. With another credential it counts as connected until a call says otherwise. The connector stays.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 422 `validation_failed`, `credentials_bound`, `token_base_refused`, `url_…`.
    pub async fn update(self: &Arc<Self>, caller: &Caller, id: IntegrationId, patch: IntegrationPatch) -> Result<Integration> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let tenant = scope.tenant();
        let (before, kept) = self.opened(&scope, id).await?;
        let known = self.known(&scope, &before.connector).await?.ok_or_else(|| Error::not_found("connector"))?;
        let given = match patch.credentials.change() {
            None => Given::Kept,
            Some(given) => Given::Replaced(given.map(|given| Credentials::read(given, &known.about.auth)).transpose()?),
        };
        let token = patch.oauth_token_id.apply(before.token);
        let fresh = if token == before.token { None } else { self.check_token(caller, &known, token).await? };
        let mut row = Row {
            name: patch.name.unwrap_or_else(|| before.name.clone()),
            enabled: patch.enabled.unwrap_or(before.enabled),
            notes: patch.notes.apply(before.notes.clone()),
            environment: patch.environment.unwrap_or_else(|| before.environment.clone()),
            config: patch.config.unwrap_or_else(|| before.config.clone()),
            token,
            updated_at: self.parts.ambient.now(),
            ..before.clone()
        };
        let is_new = token != before.token || matches!(given, Given::Replaced(_));
        if is_new {
            let credentials = match &given {
                Given::Kept => kept.as_ref(),
                Given::Replaced(new) => new.as_ref(),
            };
            let can = can_sign_in(&known, credentials, token);
            row.credential_names = credentials.map(Credentials::names).unwrap_or_default();
            row.status = if can { Status::Connected } else { Status::Disconnected };
            row.status_reason = (!can).then(|| NO_CREDENTIAL.to_owned());
            (row.status_at, row.account) = (row.updated_at, None);
        }
        let connector = known.connector.as_deref();
        check::check(&row, connector, &self.parts.outbound).await?;
        if let (Given::Kept, Some(kept)) = (&given, kept.filter(|kept| kept.sign_in(&known.about.auth))) {
            let [was, is] = [&before, &row].map(|row| binding::origin(&row.config, connector));
            binding::check_kept(kept.origin(), was.as_deref(), is.as_deref())?;
        }
        self.check_token_s_place(caller, &before, &row, fresh).await?;
        let given = given.bound(binding::origin(&row.config, connector));
        let integrations = Arc::clone(self);
        self.parts.store.answer(scope, move |tx| integrations.change(tx, row, &before, given)).await.inspect(|_| {
            self.budgets.forget(tenant);
        })
    }

    /// That the token goes to its own API only. Errors: 422 `token_base_refused`.
    async fn check_token_s_place(self: &Arc<Self>, caller: &Caller, before: &Row, row: &Row, fresh: Option<OauthToken>) -> Result<()> {
        let token = match (fresh, row.token) {
            // One that is not there any more goes nowhere.
            (None, Some(id)) if row.config != before.config => self.parts.vault.get(caller, id).await.ok(),
            (fresh, _) => fresh,
        };
        token.map_or(Ok(()), |token| binding::check_token(&row.config, &token))
    }

    fn change(&self, tx: &mut Tx<'_>, row: Row, before: &Row, given: Given) -> Result<Integration> {
        let (tenant, id) = (row.tenant, row.id);
        let present = get_row(tx, tenant, id)?;
        if present.updated_at != before.updated_at {
            return Err(Error::conflict(
                "concurrent_change",
                "Somebody else changed it at the same moment. Read it again and repeat the change.",
            ));
        }
        if let Given::Replaced(credentials) = given {
            let sealed = credentials.map(|credentials| credentials.seal(tx.sealer(), id)).transpose()?;
            sql::set_credentials(tx, tenant, id, sealed)?;
            tx.audit("integration.replace_credentials", id)?;
        }
        sql::update(tx, &row)?;
        let before = Integration::of(present, self.inbound_url(id));
        let integration = Integration::of(row, self.inbound_url(id));
        tx.audit_change("integration.update", id, &before, &integration)?;
        tx.notify(TOPIC, id);
        Ok(integration)
    }

    /// A row and its credentials, opened. Error: 404.
    pub(crate) async fn opened(&self, scope: &TenantScope, id: IntegrationId) -> Result<(Row, Option<Credentials>)> {
        let tenant = scope.tenant();
        let read = move |tx: &mut Tx<'_>| {
            let row = get_row(tx, tenant, id)?;
            let (credentials, _) = sql::sealed(tx, tenant, id)?.ok_or_else(|| Error::not_found("integration"))?;
            let credentials = credentials.map(|sealed| Credentials::open(tx.sealer(), id, &sealed)).transpose()?;
            Ok((row, credentials))
        };
        self.parts.store.read(scope.clone(), read).await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
    web::Json(patch): web::Json<IntegrationPatch>,
) -> web::Result<web::Json<Integration>> {
    Ok(web::Json(integrations.update(&caller, id, patch).await?))
}
