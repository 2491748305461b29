//! Sample tenants and leads, and the changes that keep the demo alive.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use vendors::receiver::Receiver;

use crate::client::Client;
use crate::print;

/// The blueprint whose demo has leads.
pub(crate) const BLUEPRINT: &str = "insurance-leads";
const TENANTS: [(&str, &str); 2] = [("demo-harbor", "Harbor Insurance"), ("demo-northwind", "Northwind Brokers")];
const LEADS: [(&str, &str, &str, &str, u8); 4] = [
    ("Ada", "Okafor", "ada.okafor@example.com", "AUTO", 82),
    ("Bram", "de Vries", "bram.devries@example.com", "HOME", 64),
    ("Chen", "Li", "chen.li@example.com", "LIFE", 91),
    ("Dalia", "Haddad", "dalia.haddad@example.com", "HEALTH", 37),
];
/// What happens to leads, one after the other.
const STATUSES: [&str; 4] = ["CONTACTED", "QUALIFIED", "CONVERTED", "NEW"];

/// What the demo prints and changes: the first tenant's.
pub(crate) struct Sample {
    /// The first tenant.
    pub(crate) tenant: String,
    /// Its name.
    pub(crate) tenant_name: &'static str,
    /// The second tenant's key, to try that it sees nothing of the first.
    pub(crate) other_key: String,
    /// The first tenant's key.
    pub(crate) key: String,
    /// One of its leads.
    pub(crate) lead: String,
    leads: Vec<String>,
}

/// Makes what is not there yet. Keys and webhooks are made anew at every start: a key is shown only once, and the receiver moves.
pub(crate) async fn load(host: &Client, receiver: &Receiver) -> anyhow::Result<Sample> {
    let mut made = Vec::new();
    for (external_id, name) in TENANTS {
        let tenant = ensure(host, None, "/api/v1/tenants", external_id, &json!({"name": name})).await?;
        let client = json!({"name": format!("{name} CRM"), "contactEmail": "dev@example.com", "rateLimitTier": "standard"});
        let client = ensure(host, Some(&tenant), "/api/v1/api-clients", "demo-crm", &client).await?;
        subscribe(host, receiver, &tenant, &client).await?;
        let key = json!({"clientId": client, "name": "demo"});
        let key = text(&host.post(Some(&tenant), "/api/v1/api-keys", &key).await?, "key")?;
        let leads = leads(&host.with_key(&key)?).await?;
        made.push((tenant, key, leads));
    }
    let other = made.pop().context("two tenants are made")?;
    let (tenant, key, leads) = made.pop().context("two tenants are made")?;
    let lead = leads.first().context("sample leads are made")?.clone();
    Ok(Sample { tenant, tenant_name: TENANTS[0].1, other_key: other.1, key, lead, leads })
}

/// The id of the thing with this external id, made if there is none.
pub(crate) async fn ensure(host: &Client, tenant: Option<&str>, path: &str, external_id: &str, body: &Value) -> anyhow::Result<String> {
    if let Ok(found) = host.get(tenant, &format!("{path}/ext:{external_id}")).await {
        return text(&found, "id");
    }
    let mut body = body.clone();
    body["externalId"] = json!(external_id);
    text(&host.post(tenant, path, &body).await?, "id")
}

/// Subscribes the receiver to everything, in place of the one of an earlier start.
pub(crate) async fn subscribe(host: &Client, receiver: &Receiver, tenant: &str, client: &str) -> anyhow::Result<()> {
    let path = format!("/api/v1/api-clients/{client}/webhooks");
    let old = host.get(Some(tenant), &path).await?;
    for webhook in old["data"].as_array().into_iter().flatten() {
        host.delete(Some(tenant), &format!("/api/v1/webhooks/{}", text(webhook, "id")?)).await?;
    }
    let webhook = json!({"url": receiver.url(), "events": ["*"], "name": "Demo receiver"});
    let made = host.post(Some(tenant), &path, &webhook).await?;
    receiver.add_secret(&kernel::Secret::new(text(&made, "secret")?))?;
    Ok(())
}

async fn leads(partner: &Client) -> anyhow::Result<Vec<String>> {
    let there = partner.get(None, "/api/v1/leads").await?;
    let known: Vec<&Value> = there["data"].as_array().into_iter().flatten().collect();
    if !known.is_empty() {
        return known.into_iter().map(|lead| text(lead, "id")).collect();
    }
    let mut ids = Vec::new();
    for (first, last, email, kind, score) in LEADS {
        let lead = json!({
            "source": "website", "firstName": first, "lastName": last, "email": email, "insuranceType": kind, "score": score,
        });
        ids.push(text(&partner.post(None, "/api/v1/leads", &lead).await?, "id")?);
    }
    Ok(ids)
}

/// Changes a lead of the first tenant every `every`, until the task is aborted.
pub(crate) async fn keep_changing(host: Client, sample: Sample, every: Duration) {
    let partner = match host.with_key(&sample.key) {
        Ok(partner) => partner,
        Err(error) => return print::trouble(&error),
    };
    // The first one is for whoever pastes the printed line: it must still be something to change.
    let Some((_, others)) = sample.leads.split_first().filter(|(_, others)| !others.is_empty()) else { return };
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    for step in 0.. {
        ticks.tick().await;
        let lead = &others[step % others.len()];
        let status = STATUSES[(step / others.len()) % STATUSES.len()];
        if let Err(error) = partner.put(None, &format!("/api/v1/leads/{lead}"), &json!({"status": status})).await {
            print::trouble(&error);
        }
    }
}

pub(crate) fn text(value: &Value, member: &str) -> anyhow::Result<String> {
    value[member].as_str().map(str::to_owned).with_context(|| format!("the answer has no {member}: {value}"))
}
