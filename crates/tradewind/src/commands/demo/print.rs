//! What the demo says.
#![allow(clippy::print_stdout, reason = "the demo speaks to the person at the terminal")]

use vendors::receiver::{Delivery, Receiver, Verdict};

use super::client::Client;
use super::sample::Sample;
use crate::settings::Resolved;

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
  Service key {service}     (the host backend's; send Tradewind-Tenant with it)

Paste these into another terminal:

  curl -s {base}/api/v1/leads -H 'Authorization: Bearer {key}'

  curl -s -X PUT {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{\"status\": \"QUALIFIED\"}}'

  curl -s {base}/api/v1/leads/{lead} -H 'Authorization: Bearer {other}'

The first lists the leads. The second changes one: its event arrives below, signed. The third asks with another partner's key: 404.
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
}

/// One line for each delivery as it lands.
pub(super) fn delivery(delivery: &Delivery) {
    let time = delivery.received_at.to_string();
    let verdict = match &delivery.verdict {
        Verdict::Genuine => "signature good".to_owned(),
        Verdict::Forged(why) => format!("REFUSED: {why}"),
        Verdict::NoSecret => "not yet: no secret known".to_owned(),
    };
    println!("  {}  {:<16} {verdict:<16} {}", &time[11..19], delivery.event_type, cut(&delivery.body));
}

fn cut(body: &str) -> String {
    const MOST: usize = 150;
    if body.chars().count() <= MOST { body.to_owned() } else { body.chars().take(MOST).chain("…".chars()).collect() }
}

pub(super) fn trouble(error: &anyhow::Error) {
    println!("  the demo's own change failed: {error:#}");
}

pub(super) fn goodbye() {
    println!("\nStopping. What was made in a temporary directory goes with it.");
}
