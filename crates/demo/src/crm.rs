//! A CRM beside the demo: a double of HubSpot, linked to the first tenant's leads by a sync in both directions, and one conflict to decide.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use vendors::hubspot::{HubSpot, Options};
use vendors::stand::Double;

use crate::client::Client;
use crate::leads::{Sample, text};
use crate::print;

/// The name by which a later start knows what an earlier one made.
const NAME: &str = "Demo HubSpot";
/// Who is known there only, at first.
const CONTACT: (&str, &str, &str) = ("Esi", "Mensah", "esi.mensah@example.com");
/// What somebody enters there, and what the partner enters here, before either knows of the other.
const THERE: &str = "+1 202 555 0143";
const HERE: &str = "+1 202 555 0199";
/// How long a first run may take.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The CRM, and what is to be decided.
pub(crate) struct Crm {
    /// The double; it ends with this.
    pub(crate) hubspot: Double<HubSpot>,
    /// The conflict.
    pub(crate) conflict: String,
}

/// Connects a new double, waits until both sides agree, and makes a conflict.
pub(crate) async fn connect(host: &Client, partner: &Client, sample: &Sample) -> anyhow::Result<Crm> {
    let hubspot = Double::start(HubSpot::new(Options::new())).await?;
    let (first, last, email) = CONTACT;
    hubspot.add("contacts", &json!({"firstname": first, "lastname": last, "email": email})).map_err(anyhow::Error::msg)?;
    let tenant = Some(sample.tenant.as_str());
    forget(host, tenant).await?;
    let sync = text(&host.post(tenant, "/api/v1/sync-configs", &settings(&integration(host, tenant, &hubspot).await?)).await?, "id")?;
    let run = text(&host.post(tenant, &format!("/api/v1/sync-configs/{sync}/run"), &json!({"mode": "full"})).await?, "id")?;
    ended(host, tenant, &run).await?;
    let conflict = disagree(host, partner, sample, &hubspot, &sync).await?;
    Ok(Crm { hubspot, conflict })
}

/// The double of an earlier start is gone, and what leads to it goes too.
async fn forget(host: &Client, tenant: Option<&str>) -> anyhow::Result<()> {
    let there = host.get(tenant, "/api/v1/integrations").await?;
    for old in there["data"].as_array().into_iter().flatten().filter(|one| one["name"] == NAME) {
        let id = text(old, "id")?;
        let syncs = host.get(tenant, &format!("/api/v1/sync-configs?integrationId={id}")).await?;
        for sync in syncs["data"].as_array().into_iter().flatten() {
            host.delete(tenant, &format!("/api/v1/sync-configs/{}", text(sync, "id")?)).await?;
        }
        host.delete(tenant, &format!("/api/v1/integrations/{id}")).await?;
    }
    Ok(())
}

/// The account: tokens as a person's consent would give them, in the vault, and an integration that uses them.
async fn integration(host: &Client, tenant: Option<&str>, hubspot: &Double<HubSpot>) -> anyhow::Result<String> {
    use vendors::stand::Vendor as _;
    let issued = hubspot.issue();
    let app = Options::new().app;
    let token = json!({
        "provider": "hubspot", "accessToken": issued.access_token, "refreshToken": issued.refresh_token, "expiresIn": 1800,
        "clientId": app.client_id, "clientSecret": app.client_secret, "baseUrl": hubspot.url(),
    });
    let token = text(&host.post(tenant, "/api/v1/oauth-tokens", &token).await?, "id")?;
    let integration = json!({"connector": "hubspot", "name": NAME, "oauthTokenId": token, "config": {"baseUrl": hubspot.url()}});
    text(&host.post(tenant, "/api/v1/integrations", &integration).await?, "id")
}

/// Somebody changes a telephone number at the vendor every `every`, until the task is aborted.
pub(crate) async fn keep_editing(crm: Crm, every: Duration) {
    let rows = crm.hubspot.rows("contacts");
    let Some(id) = rows.iter().find(|row| row["properties"]["email"] == CONTACT.2).and_then(|row| row["id"].as_str()) else { return };
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    for step in 0..u32::MAX {
        ticks.tick().await;
        let phone = format!("+1 202 555 {:04}", 100 + step % 100);
        match crm.hubspot.edit("contacts", id, &json!({"phone": phone})) {
            Ok(()) => print::edited(CONTACT.2, &phone),
            Err(error) => return print::trouble(&anyhow::Error::msg(error)),
        }
    }
}

fn settings(integration: &str) -> Value {
    json!({
        "integrationId": integration, "resourceType": "lead", "object": "contacts", "name": NAME,
        "frequency": "realtime", "pollSeconds": 10, "conflictResolution": "manual",
        "fieldMappings": [
            {"localField": "email", "remoteField": "email", "key": true},
            {"localField": "firstName", "remoteField": "firstname"},
            {"localField": "lastName", "remoteField": "lastname"},
            {"localField": "phone", "remoteField": "phone"},
            {"localField": "source", "constant": "hubspot"},
            {"localField": "insuranceType", "constant": "OTHER"},
        ],
    })
}

/// Waits for a run's end. Error: it failed.
async fn ended(host: &Client, tenant: Option<&str>, run: &str) -> anyhow::Result<()> {
    let found = until(async || {
        let run = host.get(tenant, &format!("/api/v1/sync-runs/{run}")).await?;
        Ok(matches!(run["status"].as_str(), Some("completed" | "partial" | "failed" | "cancelled")).then_some(run))
    });
    let run = found.await?.context("the first run has not ended in time")?;
    if run["status"] != "completed" {
        bail!("the first run did not go well: {run}");
    }
    Ok(())
}

/// Somebody changes a telephone number at the vendor, and the partner changes it here.
async fn disagree(host: &Client, partner: &Client, sample: &Sample, hubspot: &Double<HubSpot>, sync: &str) -> anyhow::Result<String> {
    let lead = partner.get(None, &format!("/api/v1/leads/{}", sample.lead)).await?;
    let email = text(&lead, "email")?;
    let rows = hubspot.rows("contacts");
    let row = rows.iter().find(|row| row["properties"]["email"] == email.as_str()).context("the lead did not get to the CRM")?;
    hubspot.edit("contacts", &text(row, "id")?, &json!({"phone": THERE})).map_err(anyhow::Error::msg)?;
    partner.put(None, &format!("/api/v1/leads/{}", sample.lead), &json!({"phone": HERE})).await?;
    let found = until(async || {
        let open = host.get(Some(&sample.tenant), &format!("/api/v1/conflicts?syncId={sync}&status=open")).await?;
        Ok(open["data"].as_array().and_then(|list| list.first()).cloned())
    });
    text(&found.await?.context("the sync has not found the conflict in time")?, "id")
}

/// What `look` finds, as soon as it does.
#[allow(clippy::disallowed_methods, reason = "the pause between two looks at a condition")]
async fn until(look: impl AsyncFn() -> anyhow::Result<Option<Value>>) -> anyhow::Result<Option<Value>> {
    let looking = async {
        loop {
            match look().await? {
                None => tokio::time::sleep(LOOK_EVERY).await,
                found => return Ok(found),
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Ok(None))
}
