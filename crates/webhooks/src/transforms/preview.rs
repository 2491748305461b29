//! `transforms.preview`: what a transform makes of an event, without sending anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use dispatch::http::Content;
use dispatch::{RehearsedFault, RehearsedRequest};
use kernel::{Caller, Error, Event, Permission, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Webhooks;
use crate::subscriptions::{Target, explain};

/// Where a preview sends in thought, when nothing else is said.
const NOWHERE: &str = "https://receiver.example/webhook";

/// What is to be tried.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewInput {
    /// The function: `function handler(webhook) { …; return webhook }`.
    pub transform: String,
    /// The event; by default the product's test event.
    #[serde(default)]
    pub event: Option<PreviewEvent>,
    /// The webhook's address; by default one at `receiver.example`.
    #[serde(default)]
    pub url: Option<String>,
    /// The webhook's method; by default `POST`.
    #[serde(default)]
    pub http_method: Option<String>,
    /// The webhook's headers.
    #[serde(default)]
    pub custom_headers: Option<BTreeMap<String, String>>,
    /// What the body has: `full` (default) or `thin`.
    #[serde(default)]
    pub content: Option<Content>,
}

/// An event to try it on.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewEvent {
    /// Its type; it need not be declared.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Its data.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Its id; by default a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// When it happened; by default now.
    #[serde(default)]
    pub timestamp: Option<Timestamp>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Whether the function ran and its result can be sent, or was cancelled.
    pub success: bool,
    /// The function cancelled the delivery: it would end as `skipped`.
    pub cancelled: bool,
    /// What would be sent, without what is added to every delivery: signature, event headers, authentication.
    pub request: Option<PreviewRequest>,
    /// Why it failed.
    pub error: Option<PreviewFault>,
}

/// What would be sent.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewRequest {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Its headers; values of chosen ones masked, as in the log of attempts.
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[schema(value_type = Object)]
    pub body: Value,
}

/// Why a transform failed.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewFault {
    /// What happened.
    pub message: String,
    /// Where in the source, from 1.
    pub line: Option<u32>,
    /// Where in the line, from 1.
    pub column: Option<u32>,
}

impl From<RehearsedRequest> for PreviewRequest {
    fn from(request: RehearsedRequest) -> Self {
        Self { method: request.method, url: request.url, headers: request.headers, body: request.body }
    }
}

impl From<RehearsedFault> for PreviewFault {
    fn from(fault: RehearsedFault) -> Self {
        Self { message: fault.message, line: fault.line, column: fault.column }
    }
}

impl Webhooks {
    /// Runs a transform on an event. A function that fails is an answer, not an error.
    ///
    /// Errors: 403; 422 for settings that no webhook could have.
    pub async fn preview_transform(&self, caller: &Caller, input: PreviewInput) -> Result<Preview> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let event = self.sample(scope.tenant(), input.event)?;
        let config = json!({
            "url": input.url.unwrap_or_else(|| NOWHERE.to_owned()),
            "method": input.http_method.unwrap_or_else(Target::default_method),
            "headers": input.custom_headers.unwrap_or_default(),
            "transform": input.transform,
            "content": input.content.unwrap_or_default(),
        });
        let done = self.channel.rehearse(&config, &Arc::new(event)).await.map_err(explain)?;
        Ok(Preview {
            success: done.fault.is_none(),
            cancelled: done.is_cancelled,
            request: done.request.map(PreviewRequest::from),
            error: done.fault.map(PreviewFault::from),
        })
    }

    fn sample(&self, tenant: kernel::TenantId, given: Option<PreviewEvent>) -> Result<Event> {
        let (now, product) = (self.ambient.now(), &self.blueprint.webhooks);
        let at = |place: &'static str| move |error: Error| Error::field(place, error.detail().to_owned());
        let (event_type, data, id, occurred_at) = match given {
            None => (product.test_event.clone(), product.test_data_at(now), self.ambient.event_id(), now),
            Some(given) => {
                let id = given.id.map_or_else(|| Ok(self.ambient.event_id()), |id| id.parse().map_err(at("/event/id")))?;
                (given.event_type.parse().map_err(at("/event/type"))?, given.data, id, given.timestamp.unwrap_or(now))
            }
        };
        let data = Bytes::from(serde_json::to_vec(&data).map_err(Error::internal)?);
        Ok(Event {
            tenant,
            id,
            event_type,
            occurred_at,
            created_at: now,
            data,
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        })
    }
}

pub(crate) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<PreviewInput>,
) -> web::Result<web::Json<Preview>> {
    Ok(web::Json(webhooks.preview_transform(&caller, input).await?))
}
