//! What the demo says.
#![allow(clippy::print_stdout, reason = "the demo speaks to the person at the terminal")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use vendors::receiver::{Delivery, Receiver, Verdict};

use super::client::Client;
use super::sample::Sample;
use crate::settings::Resolved;

/// Deliveries of the sample data come before the welcome, and would only be in its way.
static WELCOMED: AtomicBool = AtomicBool::new(false);

pub(super) fn taken(address: SocketAddr) {
    println!("{address} is taken: using another port.");
}

pub(super) fn welcome(settings: &Resolved, receiver: &Receiver, host: &Client, sample: &Sample) {
    let base = host.base();
    println!(
        "
Tradewind demo: blueprint {blueprint}, data in {data}

  API         {base}/api/v1
  Docs        {base}/docs        (try requests with the key below)
  Receiver    {receiver}     (verifies every signature)

  Partner     {name} ({tenant})
  Its key     {key}
  Other key   {other}     (another partner's)
  Service key {service}     (the host backend's; send Tradewind-Tenant with it)

Paste these into another terminal:

  curl -s {base}/api/v1/leads -H 'Authorization: Bearer {key}'

  curl -s -X PUT {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{\"status\": \"QUALIFIED\"}}'

  curl -s {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {other}'

The first lists the leads. The second changes one: its event arrives below, signed. The third asks with the other partner's key: 404.
A change happens by itself every few seconds. Ctrl-C ends the demo.
",
        blueprint = settings.blueprint,
        data = settings.data_dir.display(),
        receiver = receiver.url(),
        name = sample.tenant_name,
        tenant = sample.tenant,
        key = sample.key,
        other = sample.other_key,
        service = host.key().reveal(),
        lead = sample.lead,
    );
    WELCOMED.store(true, Ordering::Relaxed);
}

/// One line for each delivery as it lands.
pub(super) fn delivery(delivery: &Delivery) {
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
    let said = |member: &str| body["data"][member].as_str().unwrap_or("-").to_owned();
    println!("  {}  {:<16} {verdict:<16} {}  {}", &time[11..19], delivery.event_type, said("leadId"), said("status"));
}

pub(super) fn trouble(error: &anyhow::Error) {
    println!("  the demo's own change failed: {error:#}");
}

pub(super) fn goodbye() {
    println!("\nStopping. What was made in a temporary directory goes with it.");
}
