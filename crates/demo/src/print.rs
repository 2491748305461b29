//! What the demo says.
#![allow(clippy::print_stdout, reason = "the demo speaks to the person at the terminal")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use vendors::receiver::{Delivery, Receiver, Verdict};

use crate::client::Client;
use crate::crm::Crm;
use crate::leads::Sample;
use crate::{Place, any, calls};

/// Deliveries of the sample data come before the welcome, and would only be in its way.
static WELCOMED: AtomicBool = AtomicBool::new(false);

/// Says that the usual address is not free.
pub fn taken(address: SocketAddr) {
    println!("{address} is taken: using another port.");
}

pub(crate) fn welcome(place: &Place, receiver: &Receiver, host: &Client, sample: &Sample, crm: &Crm) {
    let base = host.base();
    println!(
        "
Tradewind demo: blueprint {blueprint}, data in {data}

  API         {base}/api/v1
  Docs        {base}/docs        (try requests with the key below)
  Receiver    {receiver}     (verifies every signature)
  CRM         {crm}     (a double of HubSpot, in sync with the first partner's leads)

  Partner     {name} ({tenant})
  Its key     {key}
  Other key   {other}     (another partner's)
  Service key {service}     (the host backend's; send Tradewind-Tenant with it)

Paste these into another terminal:

  curl -s {base}/api/v1/leads -H 'Authorization: Bearer {key}'

  curl -s -X PUT {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{\"status\": \"QUALIFIED\"}}'

  curl -s {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {other}'

The first lists the leads. The second changes one: its event arrives below, signed. The third asks with the other partner's key: 404.

Leads here and contacts in the CRM are in sync, both ways. Somebody gave {lead} one telephone number there and the partner gave it
another one here. Neither is lost: see both, then decide for one side.

  curl -s '{base}/api/v1/conflicts?status=open' -H 'Authorization: Bearer {service}' -H 'Tradewind-Tenant: {tenant}'

  curl -s {base}/api/v1/conflicts/{conflict}/resolve -H 'Authorization: Bearer {service}' -H 'Tradewind-Tenant: {tenant}' -H 'Content-Type: application/json' -d '{{\"choose\": \"remote\"}}'

A change happens by itself every few seconds, here or in the CRM. Ctrl-C ends the demo.
",
        blueprint = place.blueprint,
        data = place.data.display(),
        receiver = receiver.url(),
        name = sample.tenant_name,
        tenant = sample.tenant,
        key = sample.key,
        other = sample.other_key,
        service = host.key().reveal(),
        lead = sample.lead,
        crm = crm.hubspot.url(),
        conflict = crm.conflict,
    );
    WELCOMED.store(true, Ordering::Relaxed);
}

/// The same for `call-coaching`.
pub(crate) fn welcome_calls(place: &Place, receiver: &Receiver, host: &Client, sample: &calls::Sample) {
    let base = host.base();
    println!(
        "
Tradewind demo: blueprint {blueprint}, data in {data}

  API         {base}/api/partner/v1
  Docs        {base}/docs        (try requests with the credential below)
  Receiver    {receiver}     (verifies every signature)

  Partner     Harbor Sales Academy ({tenant})
  Its key     {key}
  Its secret  {secret}
  Service key {service}     (the host backend's; send Tradewind-Tenant with it)

Paste these into another terminal:

  curl -s {base}/api/partner/v1/calls/analyze -H 'Authorization: Bearer {key}' -H 'X-API-Secret: {secret}' -H 'Content-Type: application/json' -d '{{\"companyId\": \"{company}\", \"agentId\": \"{agent}\", \"transcript\": \"Agent: How are you today?\\nDana: Great, thank you!\", \"webhookUrl\": \"{receiver}\"}}'

  curl -s {base}/api/partner/v1/calls -H 'Authorization: Bearer {key}' -H 'X-API-Secret: {secret}'

  curl -s {base}/api/partner/v1/simulations/trigger -H 'Authorization: Bearer {key}' -H 'X-API-Secret: {secret}' -H 'Content-Type: application/json' -d '{{\"scenario\": \"The customer worries about price\", \"difficulty\": \"hard\"}}'

  curl -s '{base}/api/partner/v1/insights' -H 'Authorization: Bearer {key}' -H 'X-API-Secret: {secret}'

The first submits a call: a job, which the example worker (examples/call-worker) does. Ask its statusUrl how far it is; its end arrives
below, signed. The second lists the calls with their analyses, the third starts a practice call, the fourth sums up.
A call is submitted by itself every few seconds. Ctrl-C ends the demo.
",
        blueprint = place.blueprint,
        data = place.data.display(),
        receiver = receiver.url(),
        tenant = sample.tenant,
        key = sample.key,
        secret = sample.secret,
        service = host.key().reveal(),
        company = sample.company,
        agent = sample.agent,
    );
    WELCOMED.store(true, Ordering::Relaxed);
}

/// The same for a blueprint of which the demo knows only what it declares.
pub(crate) fn welcome_any(place: &Place, receiver: &Receiver, host: &Client, sample: &any::Sample) {
    let base = host.base();
    let secret = |write: fn(&str) -> String| sample.secret.as_deref().map(write).unwrap_or_default();
    println!(
        "
Tradewind demo: blueprint {blueprint}, data in {data}

  API         {base}{path}
  Docs        {base}/docs        (try requests with the credential below)
  Receiver    {receiver}     (verifies every signature)

  Partner     Harbor Ltd ({tenant})
  Its key     {key}{second}
  Service key {service}     (the host backend's; send Tradewind-Tenant with it)

Paste these into another terminal:
",
        blueprint = place.blueprint,
        data = place.data.display(),
        path = place.product.style.base_path,
        receiver = receiver.url(),
        tenant = sample.tenant,
        key = sample.key,
        second = secret(|secret| format!("\n  Its secret  {secret}")),
        service = host.key().reveal(),
    );
    if let Some(list) = &sample.list {
        println!(
            "  curl -s {base}{list} -H 'Authorization: Bearer {}'{}\n",
            sample.key,
            secret(|secret| format!(" -H 'X-API-Secret: {secret}'"))
        );
    }
    for name in sample.types() {
        let service = host.key().reveal();
        println!("  curl -s {base}/api/v1/records/{name} -H 'Authorization: Bearer {service}' -H 'Tradewind-Tenant: {}'\n", sample.tenant);
    }
    println!(
        "The records are made of what the blueprint's schemas say. One more is made every few seconds: what the blueprint tells of it arrives
below, signed. Ctrl-C ends the demo.
"
    );
    WELCOMED.store(true, Ordering::Relaxed);
}

/// One line for each edit in the CRM.
pub(crate) fn edited(email: &str, phone: &str) {
    println!("  the CRM: somebody gives {email} the number {phone}");
}

/// Says that a type's schema did not tell enough to make a record of it.
pub(crate) fn no_sample(name: &str, error: &anyhow::Error) {
    println!("no sample of {name}: {error:#}");
}

/// One line for each step of a job.
pub(crate) fn job(id: &str, status: &str, progress: i64, said: &str) {
    println!("  job {}  {status:<10} {progress:>3} %  {said}", short(id));
}

/// The end of an id, by which people tell one from another.
fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

/// One line for each delivery as it lands.
pub(crate) fn delivery(delivery: &Delivery) {
    if !WELCOMED.load(Ordering::Relaxed) {
        return;
    }
    let time = delivery.received_at.to_string();
    let verdict = match &delivery.verdict {
        Verdict::Genuine => "signature good".to_owned(),
        Verdict::Forged(why) => format!("REFUSED: {why}"),
        Verdict::NoSecret => "not yet: no secret known".to_owned(),
    };
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    // Some products send the data alone.
    let data = if body["data"].is_object() { &body["data"] } else { &body };
    let said =
        |member: &str| data[member].as_str().map_or_else(|| data[member].as_i64().map_or("-".to_owned(), |n| n.to_string()), str::to_owned);
    let kind = if delivery.event_type.is_empty() { "event" } else { &delivery.event_type };
    if let Some(id) = data["jobId"].as_str().filter(|id| id.starts_with("job_")) {
        return println!("  {}  {:<16} {verdict:<16} job {}  {}", &time[11..19], kind, short(id), said("status"));
    }
    let record = if data["leadId"].is_string() { "leadId" } else { "id" };
    println!("  {}  {:<16} {verdict:<16} {}  {}", &time[11..19], kind, said(record), said("status"));
}

pub(crate) fn trouble(error: &anyhow::Error) {
    println!("  the demo's own change failed: {error:#}");
}

/// Says that the demo ends.
pub fn goodbye() {
    println!("\nStopping. What was made in a temporary directory goes with it.");
}
