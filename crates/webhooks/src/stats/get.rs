//! `webhooks.stats`, `deliveries.stats`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use dispatch::acceptances;
use dispatch::deliveries::{self, DeliveryFilter, Status};
use dispatch::rollups::{self, HOUR_MS, Rollup};
use kernel::{Caller, DestinationId, Error, Permission, Result, Timestamp};
use serde::Deserialize;

use super::view::{AcceptedSignature, Hour, Latency, Stats, share};
use crate::{WebhookPath, Webhooks};

/// Without `from`.
const DAY: Duration = Duration::from_hours(24);
/// The longest time that is shown.
const LONGEST: Duration = Duration::from_hours(31 * 24);
/// Failed and skipped deliveries are counted no further.
const MOST: u32 = 100_000;

/// Of which time.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatsQuery {
    /// From the hour of this time.
    pub from: Option<Timestamp>,
    /// Until the end of this time's hour.
    pub to: Option<Timestamp>,
}

impl StatsQuery {
    /// Whole hours around what was asked for. Error: 422.
    fn hours(self, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| to.minus(DAY));
        if from >= to {
            return Err(Error::field("/to", "must be later than from"));
        }
        if to.since(from) > LONGEST {
            return Err(Error::field("/from", "must be at most 31 days before to"));
        }
        let floor = |at: Timestamp| at.millis().div_euclid(HOUR_MS) * HOUR_MS;
        let end = if floor(to) == to.millis() { to.millis() } else { floor(to) + HOUR_MS };
        Ok((Timestamp::from_millis(floor(from)), Timestamp::from_millis(end)))
    }
}

impl Webhooks {
    /// How a webhook fared, or all of the tenant's. Errors: 404, 422.
    pub async fn stats(&self, caller: &Caller, path: Option<WebhookPath>, query: StatsQuery) -> Result<Stats> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        let (from, to) = query.hours(self.ambient.now())?;
        let counted = self.store.read(scope.clone(), move |tx| {
            let webhook = path.map(|path| path.find(tx, tenant)).transpose()?.map(|row| row.id);
            let mut count = |status| {
                let filter = DeliveryFilter {
                    status: Some(status),
                    destination: webhook,
                    from: Some(from),
                    to: Some(to),
                    ..DeliveryFilter::default()
                };
                deliveries::count_finished(tx, tenant, &filter, MOST)
            };
            let (failed, skipped) = (count(Status::Failed)?, count(Status::Skipped)?);
            let said = webhook.map_or_else(|| Ok(Vec::new()), |webhook| acceptances::of(tx, tenant, webhook))?;
            Ok((webhook, failed, skipped, said))
        });
        let (webhook_id, failed_deliveries, skipped_deliveries, said) = counted.await?;
        let hours = self.store.logs().read(scope, move |tx| rollups::by_hour(tx, tenant, webhook_id, from, to)).await?;
        let mut all = Rollup::default();
        hours.iter().for_each(|(_, rollup)| all.merge(rollup));
        Ok(Stats {
            webhook_id,
            accepted_signatures: said.into_iter().map(AcceptedSignature::from).collect(),
            from,
            to,
            attempts: all.attempts,
            succeeded: all.succeeded,
            failed_attempts: all.attempts - all.succeeded,
            attempt_success_rate: share(all.succeeded, all.attempts),
            failed_deliveries,
            skipped_deliveries,
            success_rate: share(all.succeeded, all.succeeded + failed_deliveries),
            latency_ms: Latency::of(&all),
            last_success_at: all.last_success_at,
            last_failure_at: all.last_failure_at,
            by_hour: hours.iter().map(Hour::of).collect(),
        })
    }
}

type Answer = web::Result<web::Json<Stats>>;

pub(super) async fn all(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<StatsQuery>,
) -> Answer {
    Ok(web::Json(webhooks.stats(&caller, None, query).await?))
}

pub(super) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Query(query): web::Query<StatsQuery>,
) -> Answer {
    Ok(web::Json(webhooks.stats(&caller, Some(WebhookPath::nested(&client, id)?), query).await?))
}

pub(super) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Query(query): web::Query<StatsQuery>,
) -> Answer {
    Ok(web::Json(webhooks.stats(&caller, Some(id.into()), query).await?))
}
