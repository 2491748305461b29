//! `PATCH /api/v1/api-clients/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Permission, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Tx;
use web::Patch;

use super::create::check_free;
use super::fields::Fields;
use super::{Client, ClientStatus, Stored, sql};
use crate::credentials::Purpose;
use crate::rules::required;
use crate::{Access, LimitOverride, MonthlyQuota, clients, errors, scopes};

/// What changes; what is absent stays, null empties.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateClient {
    /// Its name.
    pub name: Patch<String>,
    /// The host's id for it.
    pub external_id: Patch<String>,
    /// What it is for.
    pub description: Patch<String>,
    /// Where an authorization may be sent.
    pub redirect_uris: Patch<Vec<String>>,
    /// Its website.
    pub website: Patch<String>,
    /// Its logo.
    pub logo_url: Patch<String>,
    /// Whom to write to.
    pub contact_email: Patch<String>,
    /// Suspending refuses its credentials at once.
    pub status: Patch<ClientStatus>,
    /// Its tier; null: the blueprint's default.
    pub rate_limit_tier: Patch<String>,
    /// Limits of its keys in place of the tier's; by service key.
    #[schema(value_type = Option<LimitOverride>)]
    pub rate_limit_override: Patch<Value>,
    /// What all its keys together may use up in a month, in place of the tier's quota; by service key.
    #[schema(value_type = Option<MonthlyQuota>)]
    pub monthly_quota: Patch<MonthlyQuota>,
    /// Where it gets its events.
    pub webhook_url: Patch<String>,
    /// What it may do; null: all scopes of the product.
    pub scopes: Patch<Vec<String>>,
    /// The host's own data, as a whole.
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<Map<String, Value>>,
    /// Origins whose pages may call with its keys.
    pub allowed_origins: Patch<Vec<String>>,
    /// Whether its keys need a second secret.
    pub dual_auth: Patch<bool>,
    /// Whether it can keep a secret.
    pub confidential: Patch<bool>,
}

impl UpdateClient {
    fn apply(self, fields: Fields) -> Result<Fields> {
        let limits = self.rate_limit_override.try_map(|value| LimitOverride::parse("/rateLimitOverride", &value))?;
        Ok(Fields {
            external_id: self.external_id.apply(fields.external_id),
            name: required("/name", self.name)?.unwrap_or(fields.name),
            description: self.description.apply(fields.description),
            redirect_uris: self.redirect_uris.apply(Some(fields.redirect_uris)).unwrap_or_default(),
            website: self.website.apply(fields.website),
            logo_url: self.logo_url.apply(fields.logo_url),
            contact_email: self.contact_email.apply(fields.contact_email),
            status: required("/status", self.status)?.unwrap_or(fields.status),
            rate_limit_tier: self.rate_limit_tier.apply(fields.rate_limit_tier),
            limits: limits.apply(fields.limits),
            quota: self.monthly_quota.apply(fields.quota),
            webhook_url: self.webhook_url.apply(fields.webhook_url),
            scopes: self.scopes.apply(fields.scopes),
            metadata: self.metadata.apply(Some(fields.metadata)).unwrap_or_default(),
            allowed_origins: self.allowed_origins.apply(Some(fields.allowed_origins)).unwrap_or_default(),
            dual_auth: required("/dualAuth", self.dual_auth)?.unwrap_or(fields.dual_auth),
            confidential: required("/confidential", self.confidential)?.unwrap_or(fields.confidential),
        })
    }
}

impl Access {
    /// Changes a client. Errors: those of [`Access::create_client`], 404.
    pub async fn update_client(self: &Arc<Self>, caller: &Caller, reference: IdRef<ClientId>, change: UpdateClient) -> Result<Client> {
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        let outcome = self.store.answer(scope, move |tx| {
            let present = sql::hold(tx, tenant, &reference)?;
            let says_status = !change.status.is_absent();
            let fields = change.apply(present.fields.clone())?;
            access.change_client(tx, &caller, &present, fields, says_status, "client.update")
        });
        errors::taken_meanwhile(outcome.await)
    }

    /// Writes `fields` in place of the present ones. A caller that holds less than the client has may not change it: it could otherwise
    /// open what it cannot see (allowed origins, redirect addresses). `says_status`: the request names the status.
    pub(super) fn change_client(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        present: &Stored,
        fields: Fields,
        says_status: bool,
        action: &'static str,
    ) -> Result<Client> {
        scopes::within_caller(caller, &scopes::of_client(&self.blueprint, present.fields.scopes.as_deref()))?;
        fields.check(caller, Some(&present.fields), &self.blueprint)?;
        if fields.webhook_url.is_some() && fields.webhook_url != present.fields.webhook_url {
            let detail = "made a webhook when the client was made; change that webhook: PATCH /api/v1/webhooks/{id}";
            return Err(kernel::Error::field("/webhookUrl", detail));
        }
        let suspended_by_operator = suspension(caller, present, says_status.then_some(fields.status))?;
        let client = Stored { fields, suspended_by_operator, updated_at: tx.now(), ..present.clone() };
        check_free(tx, &client)?;
        sql::update(tx, &client)?;
        if client.fields.confidential != present.fields.confidential {
            // Either way the old secret ends; a client that becomes confidential gets one by rotate-secret. Until then no secret is right.
            let none = client.fields.confidential.then(|| self.pepper.hash(Purpose::ClientSecret, &self.new_client_secret()));
            sql::set_secret(tx, client.tenant, client.id, none, client.updated_at)?;
        }
        let client = client.show(&self.blueprint);
        tx.audit_change(action, client.id, &present.clone().show(&self.blueprint), &client)?;
        tx.notify(clients::TOPIC, client.id);
        Ok(client)
    }
}

/// Whether the client is the operator's to let work again, when `caller` says this status, or none.
///
/// Error: 403 `switched_off_by_operator` where a partner lets a client work that the operator suspended.
fn suspension(caller: &Caller, present: &Stored, said: Option<ClientStatus>) -> Result<bool> {
    let is_locked = present.fields.status == ClientStatus::Suspended && present.suspended_by_operator;
    match said {
        Some(ClientStatus::Active) if is_locked && caller.is_bound_by_scopes() => Err(errors::switched_off_by_operator("client")),
        Some(ClientStatus::Active) => Ok(false),
        Some(ClientStatus::Suspended) => Ok(is_locked || !caller.is_bound_by_scopes()),
        None => Ok(is_locked),
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
    web::Json(change): web::Json<UpdateClient>,
) -> web::Result<web::Json<Client>> {
    Ok(web::Json(access.update_client(&caller, reference, change).await?))
}
