//! `health`: whether the service is well, and that the credential works.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kernel::{Caller, Credential};
use records::Records;
use serde_json::{Value, json};
use web::{Auth, Result};

use super::Asked;
use super::reply::{Found, Reply};

/// An endpoint that tells of health.
pub(super) struct Health {
    pub(super) records: Arc<Records>,
    pub(super) reply: Reply,
    pub(super) scope: String,
    pub(super) product: String,
}

impl Health {
    /// The JSON Schema of what is told.
    pub(super) fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["status", "product", "time", "credential"],
            "properties": {
                "status": {"const": "ok"},
                "product": {"type": "string"},
                "time": {"type": "string", "format": "date-time"},
                "credential": {
                    "type": "object",
                    "required": ["type", "tenantId", "scopes"],
                    "properties": {
                        "type": {"enum": ["api_key", "oauth_token", "service_key", "user"]},
                        "tenantId": {"type": ["string", "null"]},
                        "clientId": {"type": ["string", "null"]},
                        "keyId": {"type": ["string", "null"]},
                        "scopes": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        })
    }
}

pub(super) async fn tell(State(health): State<Arc<Health>>, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    caller.require_scope(&health.scope)?;
    // The database answers, or this fails as every call does then.
    health.records.check_alive().await?;
    let now = health.records.now();
    let told = json!({"status": "ok", "product": health.product, "time": now, "credential": credential(&caller)});
    health.reply.send(Found::One(told), &asked, now)
}

fn credential(caller: &Caller) -> Value {
    let (kind, key) = match caller.credential() {
        Credential::Key { key, .. } => ("api_key", Some(key.to_string())),
        Credential::OAuthToken { .. } => ("oauth_token", None),
        Credential::ServiceKey { key, .. } => ("service_key", Some(key.to_string())),
        Credential::User { .. } | Credential::System { .. } => ("user", None),
    };
    json!({"type": kind, "tenantId": caller.tenant(), "clientId": caller.client(), "keyId": key, "scopes": caller.scopes()})
}
