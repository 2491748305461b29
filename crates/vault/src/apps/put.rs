//! `oauth_providers.put`: the operator's app at a vendor.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Secret};
use serde::Deserialize;
use serde_json::json;

use super::choose::AppInput;
use super::{OauthProvider, Row, sql};
use crate::Vault;
use crate::providers::{self, CUSTOM, ProviderDefinition};

/// An app that the operator registered at a vendor.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OauthApp {
    /// Its id at the vendor.
    pub client_id: String,
    /// Its secret. Left out where the app is there already: the secret stays.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// What is asked for when nobody says otherwise. Default: the vendor's usual.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// In place of scheme, host and port of every address of the vendor's.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Where people sign in when nobody says otherwise.
    #[serde(default)]
    pub login_host: Option<String>,
    /// Microsoft's tenant.
    #[serde(default)]
    pub directory: Option<String>,
    /// How the vendor does it, for `custom`.
    #[serde(default)]
    pub definition: Option<ProviderDefinition>,
}

impl std::fmt::Debug for OauthApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Vault {
    /// Sets the operator's app. Tokens of the same app go on with the new secret; those of another app cannot be renewed any more.
    ///
    /// Errors: 403 `operator_only`; 404; 422.
    pub async fn put_provider(self: &Arc<Self>, caller: &Caller, id: &str, input: OauthApp) -> Result<OauthProvider> {
        let scope = caller.operate()?;
        let built_in = providers::find(id).ok_or_else(|| Error::not_found("provider"))?;
        let scopes = input.scopes.clone();
        crate::tokens::check_scopes(scopes.as_deref().unwrap_or_default())?;
        if id == CUSTOM && input.definition.is_none() {
            return Err(Error::field("/definition", "is required for custom"));
        }
        let client_id = input.client_id.clone();
        let app = AppInput {
            client_id: Some(input.client_id),
            client_secret: input.client_secret.clone(),
            base_url: input.base_url,
            login_host: input.login_host,
            directory: input.directory,
            definition: input.definition,
        };
        app.check(self, built_in)?;
        let (settings, given) = (app.settings(built_in)?, input.client_secret.map(Secret::new));
        let vault = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let (now, before) = (tx.now(), sql::get(tx, &built_in.id)?);
                let kept = before.as_ref().filter(|row| row.client_id == client_id).and_then(|row| row.client_secret.clone());
                let row = Row {
                    provider: built_in.id.clone(),
                    client_id,
                    client_secret: given.or(kept),
                    settings,
                    scopes,
                    created_at: before.as_ref().map_or(now, |row| row.created_at),
                    updated_at: now,
                };
                sql::put(tx, &row)?;
                tx.audit_with("oauth_provider.put", &row.provider, &json!({"clientId": row.client_id, "baseUrl": row.settings.base_url}))?;
                Ok(vault.shown(built_in, Some(&row), true))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<String>,
    web::Json(input): web::Json<OauthApp>,
) -> web::Result<web::Json<OauthProvider>> {
    Ok(web::Json(vault.put_provider(&caller, &id, input).await?))
}
