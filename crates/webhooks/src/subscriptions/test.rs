//! `webhooks.test`: one delivery at once, of the product's test event.

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use dispatch::{AttemptOutcome, destinations};
use kernel::{Caller, DeliveryId, DestinationId, Error, Event, Permission, Result};
use serde::{Deserialize, Serialize};

use super::WebhookPath;
use crate::Webhooks;

/// What a test delivery brought.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Whether the receiver took it (2xx).
    pub success: bool,
    /// The delivery, in the log like any other.
    pub delivery_id: DeliveryId,
    /// The receiver's status, if it answered.
    pub response_code: Option<u16>,
    /// The receiver's answer, cut.
    pub response_body: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// What went wrong.
    pub error: Option<String>,
}

impl Webhooks {
    /// Sends the test event, whatever the webhook listens to and whether or not it is enabled, outside of queue and limits.
    ///
    /// Errors: 404, 422 `url_refused`.
    pub async fn test(&self, caller: &Caller, path: WebhookPath) -> Result<TestResult> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let destination = self
            .store
            .write(scope, move |tx| {
                let row = path.find(tx, tenant)?;
                tx.audit("subscription.test", row.id)?;
                destinations::get(tx, tenant, row.id)
            })
            .await?;
        self.checked(destination.config.clone()).await?;
        let now = self.ambient.now();
        let product = &self.blueprint.webhooks;
        let data = serde_json::to_vec(&product.test_data_at(now)).map_err(Error::internal)?;
        let event = Event {
            tenant,
            id: self.ambient.event_id(),
            event_type: product.test_event.clone(),
            occurred_at: now,
            created_at: now,
            data: Bytes::from(data),
            client: Some(destination.client),
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        };
        let (delivery_id, report) = self.dispatch.send_now(tenant, destination.id, Arc::new(event)).await?;
        let body = String::from_utf8_lossy(&report.response_body).into_owned();
        Ok(TestResult {
            success: report.is_delivered(),
            delivery_id,
            response_code: report.status_code,
            response_body: (report.status_code.is_some() || !body.is_empty()).then_some(body),
            duration_ms: u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
            error: if matches!(report.outcome, AttemptOutcome::Skipped(_)) {
                Some("the transform cancelled this delivery".to_owned())
            } else {
                report.error.map(|error| error.text)
            },
        })
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<TestResult>> {
    Ok(web::Json(webhooks.test(&caller, WebhookPath::nested(&client, id)?).await?))
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<TestResult>> {
    Ok(web::Json(webhooks.test(&caller, id.into()).await?))
}
