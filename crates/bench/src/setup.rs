//! Makes a tenant, a client, keys and webhooks in a fresh server, through the public API only, as a host backend would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::load::excerpt;
use crate::server::{Place, Server};
use crate::wire::{Wire, write_request};

/// The event type that measured traffic uses.
pub const MEASURED: &str = "lead.created";
/// Webhooks that one client is given: fewer than it may have.
const CLIENT_WEBHOOKS: u32 = 50;
/// Another one, for a webhook that must not see the measured traffic.
pub const OTHER: &str = "lead.updated";

/// A running server with one tenant and one client.
#[derive(Debug)]
pub struct Rig {
    /// The server.
    pub server: Server,
    /// A service key (it names the tenant with each call).
    pub service_key: String,
    /// The tenant's id.
    pub tenant: String,
    /// The client's id.
    pub client: String,
}

impl Rig {
    /// A fresh server with a tenant and a client on the tier `enterprise`.
    pub async fn start(place: &Place) -> Result<Self> {
        Self::on(Server::prepare(place)?).await
    }

    /// The same on a server that was prepared.
    pub async fn on(mut server: Server) -> Result<Self> {
        let service_key = server.run(&["service-key", "create", "--name", "bench"])?;
        ensure!(!service_key.is_empty() && !service_key.contains(char::is_whitespace), "service-key create must print only the key");
        server.start_ready().await?;
        let mut rig = Self { server, service_key, tenant: String::new(), client: String::new() };
        rig.join("Bench").await?;
        Ok(rig)
    }

    /// A new tenant with a client.
    async fn join(&mut self, name: &str) -> Result<()> {
        self.tenant = text(&self.call("POST", "/api/v1/tenants", Some(&json!({"name": name}))).await?, "id")?;
        self.join_client(name).await
    }

    async fn join_client(&mut self, name: &str) -> Result<()> {
        let client = json!({"name": name, "rateLimitTier": "enterprise"});
        self.client = text(&self.call("POST", "/api/v1/api-clients", Some(&client)).await?, "id")?;
        Ok(())
    }

    /// Calls the API with the service key for the tenant. Error: anything but a 2xx.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let bearer = format!("Bearer {}", self.service_key);
        let mut headers = vec![("authorization", bearer.as_str())];
        if !self.tenant.is_empty() {
            headers.push(("tradewind-tenant", self.tenant.as_str()));
        }
        let answer = fetch(self.server.address(), method, path, &headers, body).await?;
        let shown = excerpt(&answer.body);
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {shown}; log: {}", answer.status, self.server.log_tail());
        if answer.body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&answer.body).context(shown) }
    }

    /// A key of the client, with all the client's scopes.
    pub async fn key(&self) -> Result<String> {
        let body = json!({"clientId": self.client, "name": "Bench"});
        text(&self.call("POST", "/api/v1/api-keys", Some(&body)).await?, "key")
    }

    /// Raises the client's tier so far that every window is still counted and none is ever full.
    pub async fn raise_limits(&self) -> Result<()> {
        let limits =
            json!({"requestsPerMinute": 10_000_000, "requestsPerHour": 100_000_000, "requestsPerDay": 1_000_000_000, "burst": 10_000_000});
        self.call("PUT", "/api/v1/rate-limits/enterprise", Some(&limits)).await.map(drop)
    }

    /// Subscribes `url` to `events`; the webhook's id.
    pub async fn subscribe(&self, url: &str, events: &[&str]) -> Result<String> {
        let path = format!("/api/v1/api-clients/{}/webhooks", self.client);
        text(&self.call("POST", &path, Some(&json!({"url": url, "events": events}))).await?, "id")
    }

    /// Subscribes `url` `count` times, by as many clients as it takes.
    pub async fn subscribe_many(&mut self, url: &str, events: &[&str], count: u32) -> Result<()> {
        for done in 0..count {
            if done > 0 && done % CLIENT_WEBHOOKS == 0 {
                self.join_client("More").await?;
            }
            self.subscribe(url, events).await?;
        }
        Ok(())
    }

    /// A second tenant on the same server takes the place of the first.
    pub async fn become_another_tenant(&mut self) -> Result<()> {
        self.tenant = String::new();
        self.join("Other").await
    }
}

/// An answer, owned.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `content-type`, or nothing.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// One request on a connection of its own, in at most 30 s.
pub async fn fetch(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Result<Answer> {
    let body = body.map(Value::to_string);
    let mut request = Vec::new();
    write_request(&mut request, method, path, headers, body.as_deref().map(str::as_bytes));
    let what = || format!("{method} http://{to}{path}");
    let mut wire = tokio::time::timeout(Duration::from_secs(5), Wire::connect(to)).await.with_context(what)?.with_context(what)?;
    let reply = wire.exchange(&request).await.with_context(what)?;
    Ok(Answer { status: reply.status, content_type: reply.content_type, body: reply.body.to_vec() })
}

fn text(value: &Value, field: &str) -> Result<String> {
    Ok(value[field].as_str().with_context(|| format!("no text {field:?} in {value}"))?.to_owned())
}
