//! `GET /api/v1/api-clients/{id}/dashboard`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::rollups::{self, Rollup};
use kernel::{Caller, ClientId, Credential, IdRef, PageRequest, Permission, Result, Scope, TenantScope};
use serde::Deserialize;
use usage::reports::{UsageQuery, UsageReport, Whose};
use webhooks::Webhook;

use super::{Dashboard, KeyLimits, LimitState, WebhookStanding};
use crate::Dashboards;

/// When nothing is said.
const USUAL: &str = "24h";

/// Of which time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DashboardQuery {
    period: Option<String>,
}

impl Dashboards {
    /// How a client stands. What the caller may not see is left out.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 422 `validation_failed`.
    pub async fn of_client(&self, caller: &Caller, reference: IdRef<ClientId>, period: Option<String>) -> Result<Dashboard> {
        let scope = caller.allow(Permission::UsageRead)?;
        let tenant = scope.tenant();
        let named = reference.clone();
        let client_id = self.store.read(scope.clone(), move |tx| access::clients::resolve(tx, tenant, &named)).await?;
        let query = UsageQuery { period: Some(period.unwrap_or_else(|| USUAL.to_owned())), ..UsageQuery::default() };
        let usage = self.usage.usage(caller, Whose::Client(IdRef::Id(client_id)), query).await?;
        let holds = |permission| caller.permissions().holds(permission);
        let webhooks =
            if holds(Permission::WebhooksRead) { Some(self.webhooks_of(caller, &scope, client_id, &usage).await?) } else { None };
        let rate_limits = if holds(Permission::KeysRead) { Some(self.limits_of(scope, client_id).await?) } else { None };
        Ok(Dashboard { client_id, webhook_success_rate: webhooks.as_deref().and_then(success_rate), usage, webhooks, rate_limits })
    }

    async fn webhooks_of(&self, caller: &Caller, scope: &TenantScope, client: ClientId, of: &UsageReport) -> Result<Vec<WebhookStanding>> {
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let list = self.webhooks.list(caller, IdRef::Id(client), page).await?.data;
        let (tenant, from, to) = (scope.tenant(), of.from, of.to);
        let fared = move |tx: &mut store::Tx<'_>| {
            list.into_iter()
                .map(|webhook| {
                    let mut all = Rollup::default();
                    rollups::by_hour(tx, tenant, Some(webhook.id), from, to)?.iter().for_each(|(_, hour)| all.merge(hour));
                    Ok(standing(webhook, &all))
                })
                .collect()
        };
        self.store.logs().read(Scope::from(scope), fared).await
    }

    async fn limits_of(&self, scope: TenantScope, client: ClientId) -> Result<Vec<KeyLimits>> {
        let now = self.ambient.now();
        let mut out = Vec::new();
        for holder in self.access.holders_of(scope, client, now).await? {
            let Credential::Key { key, .. } = holder.principal.credential else { continue };
            // A cost of nothing looks and counts nothing.
            let charge = self.gate.charge(&holder.principal, 0, now).await?;
            let limits = charge.map(|charge| charge.standing()).unwrap_or_default();
            out.push(KeyLimits {
                api_key_id: key,
                name: holder.name,
                rate_limit_tier: holder.principal.tier.as_deref().map(str::to_owned),
                limits: limits.into_iter().map(limit_state).collect(),
            });
        }
        Ok(out)
    }
}

fn limit_state(limit: gate::Nearest) -> LimitState {
    LimitState { policy: limit.policy.to_owned(), limit: limit.limit, remaining: limit.remaining, resets_at: limit.resets_at }
}

fn standing(webhook: Webhook, all: &Rollup) -> WebhookStanding {
    WebhookStanding {
        webhook_id: webhook.id,
        name: webhook.name,
        status: webhook.status,
        failing_since: webhook.failing_since,
        attempts: all.attempts,
        succeeded: all.succeeded,
        last_success_at: all.last_success_at,
        last_failure_at: all.last_failure_at,
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn success_rate(webhooks: &[WebhookStanding]) -> Option<f64> {
    let (attempts, succeeded) = webhooks.iter().fold((0, 0), |sum, webhook| (sum.0 + webhook.attempts, sum.1 + webhook.succeeded));
    (attempts > 0).then(|| succeeded as f64 / attempts as f64)
}

pub(super) async fn handle(
    State(dashboards): State<Arc<Dashboards>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
    web::Query(query): web::Query<DashboardQuery>,
) -> web::Result<web::Json<Dashboard>> {
    Ok(web::Json(dashboards.of_client(&caller, reference, query.period).await?))
}
