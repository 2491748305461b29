//! `integrations.create`.

use std::sync::Arc;

use axum::extract::State;
use connectors::Auth;
use kernel::{Caller, Error, OauthTokenId, Permission, Result};
use store::Tx;
use vault::OauthToken;

use super::{Credentials, Inbound, Integration, IntegrationInput, MAX_PER_TENANT, Row, Status, binding, check, sql};
use crate::custom::Known;
use crate::{Integrations, TOPIC};

impl Integrations {
    /// Makes an integration. Nothing is asked of the vendor: `test` does that.
    ///
    /// Errors: 403 `insufficient_scope`; 409 `too_many_integrations`; 422 `validation_failed`, `unknown_connector`, `token_base_refused`,
    /// `url_…`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, input: IntegrationInput) -> Result<Integration> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let known = self.known(&scope, &input.connector).await?.ok_or_else(|| {
            let detail = format!("There is no connector {:?}. GET /api/v1/marketplace lists them.", input.connector);
            Error::invalid("unknown_connector", detail).at("/connector", "is not in the marketplace")
        })?;
        let credentials = input.credentials.map(|given| Credentials::read(given, &known.about.auth)).transpose()?;
        let token = self.check_token(caller, &known, input.oauth_token_id).await?;
        let now = self.parts.ambient.now();
        let can_sign_in = can_sign_in(&known, credentials.as_ref(), input.oauth_token_id);
        let row = Row {
            id: self.parts.ambient.id(),
            tenant: scope.tenant(),
            name: input.name.unwrap_or_else(|| known.about.name.clone()),
            connector: input.connector,
            notes: input.notes,
            environment: input.environment.unwrap_or_else(|| "production".to_owned()),
            enabled: input.enabled.unwrap_or(true),
            config: input.config.unwrap_or_default(),
            credential_names: credentials.as_ref().map(Credentials::names).unwrap_or_default(),
            token: input.oauth_token_id,
            account: None,
            status: if can_sign_in { Status::Connected } else { Status::Disconnected },
            status_reason: (!can_sign_in).then(|| NO_CREDENTIAL.to_owned()),
            status_at: now,
            last_sync_at: None,
            created_at: now,
            updated_at: now,
        };
        check::check(&row, known.connector.as_deref(), &self.parts.outbound).await?;
        if let Some(token) = &token {
            binding::check_token(&row.config, token)?;
        }
        let credentials = credentials.map(|given| given.bound(binding::origin(&row.config, known.connector.as_deref())));
        let integrations = Arc::clone(self);
        self.parts.store.answer(scope, move |tx| integrations.insert(tx, row, credentials.as_ref())).await
    }

    fn insert(&self, tx: &mut Tx<'_>, row: Row, credentials: Option<&Credentials>) -> Result<Integration> {
        if sql::count(tx, row.tenant, None)? >= MAX_PER_TENANT {
            let detail = format!("A tenant has at most {MAX_PER_TENANT} integrations. Delete one first.");
            return Err(Error::conflict("too_many_integrations", detail));
        }
        let sealed = credentials.map(|credentials| credentials.seal(tx.sealer(), row.id)).transpose()?;
        let inbound = Inbound::seal(&Inbound::make(tx.ambient()), tx.sealer(), row.id)?;
        sql::insert(tx, &row, sealed, inbound)?;
        let id = row.id;
        let integration = Integration::of(row, self.inbound_url(id));
        tx.audit_change("integration.create", id, &(), &integration)?;
        tx.notify(TOPIC, id);
        Ok(integration)
    }

    /// That a token is the tenant's and the connector's vendor's.
    pub(super) async fn check_token(
        self: &Arc<Self>,
        caller: &Caller,
        known: &Known,
        token: Option<OauthTokenId>,
    ) -> Result<Option<OauthToken>> {
        let Some(id) = token else { return Ok(None) };
        let Auth::OAuth2 { provider } = &known.about.auth else {
            return Err(Error::field("/oauthTokenId", "this connector does not sign in by OAuth"));
        };
        let missing = || Error::field("/oauthTokenId", "there is no such token, or it is not yours");
        let token = self.parts.vault.get(caller, id).await.map_err(|error| if error.code() == "not_found" { missing() } else { error })?;
        if token.provider != *provider && token.provider != "custom" {
            return Err(Error::field("/oauthTokenId", format!("is a token of {}; the connector wants one of {provider}", token.provider)));
        }
        Ok(Some(token))
    }
}

pub(super) const NO_CREDENTIAL: &str = "it has no credential yet";

pub(super) fn can_sign_in(known: &Known, credentials: Option<&Credentials>, token: Option<OauthTokenId>) -> bool {
    match (&known.about.auth, credentials) {
        (Auth::None, _) => true,
        (Auth::OAuth2 { .. }, _) if token.is_some() => true,
        (auth, Some(credentials)) => credentials.sign_in(auth),
        (_, None) => false,
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<IntegrationInput>,
) -> web::Result<web::Created<Integration>> {
    let body = integrations.create(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/integrations/{}", body.id), body })
}
