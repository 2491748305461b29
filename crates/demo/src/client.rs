//! The demo's own caller of the API.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use kernel::Secret;
use serde_json::Value;
use web::outbound::{ClientConfig, OutboundRequest, UrlPolicy};

/// Largest answer that the demo reads.
const MAX_ANSWER: usize = 1024 * 1024;

pub(crate) struct Client {
    http: web::outbound::Client,
    base: String,
    key: Secret<String>,
    /// The second half of a credential under dual authentication.
    secret: Option<Secret<String>>,
}

impl Client {
    /// A caller of `base` with a credential.
    pub(crate) fn new(base: &str, key: Secret<String>) -> anyhow::Result<Self> {
        let loopback = "127.0.0.0/8".parse()?;
        let policy = UrlPolicy { allow_http: true, allow_networks: vec![loopback] };
        Ok(Self { http: web::outbound::Client::new(ClientConfig::new(policy))?, base: base.to_owned(), key, secret: None })
    }

    /// The same caller with another credential.
    pub(crate) fn with_key(&self, key: &str) -> anyhow::Result<Self> {
        Self::new(&self.base, Secret::new(key.to_owned()))
    }

    /// The same caller with the second half of its credential.
    pub(crate) fn with_secret(self, secret: &str) -> Self {
        Self { secret: Some(Secret::new(secret.to_owned())), ..self }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn key(&self) -> &Secret<String> {
        &self.key
    }

    pub(crate) async fn get(&self, tenant: Option<&str>, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, tenant, path, None).await
    }

    pub(crate) async fn post(&self, tenant: Option<&str>, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, tenant, path, Some(body)).await
    }

    pub(crate) async fn put(&self, tenant: Option<&str>, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, tenant, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, tenant: Option<&str>, path: &str) -> anyhow::Result<Value> {
        self.call(Method::DELETE, tenant, path, None).await
    }

    async fn call(&self, method: Method, tenant: Option<&str>, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", self.key.reveal()))?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(secret) = &self.secret {
            headers.insert("x-api-secret", HeaderValue::from_str(secret.reveal())?);
        }
        if let Some(tenant) = tenant {
            headers.insert("tradewind-tenant", HeaderValue::from_str(tenant)?);
        }
        let request = OutboundRequest {
            method: method.clone(),
            uri: format!("{}{path}", self.base).parse()?,
            headers,
            body: body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
            timeout: Duration::from_secs(10),
            response_cap: MAX_ANSWER,
            repeatable: false,
        };
        let response = self.http.send(request).await.map_err(|fault| anyhow::anyhow!("{method} {path}: {}", fault.text))?;
        if !response.status.is_success() {
            bail!("{method} {path}: {} {}", response.status, String::from_utf8_lossy(&response.body));
        }
        if response.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&response.body).with_context(|| format!("{method} {path}: the answer is not JSON"))
    }
}
