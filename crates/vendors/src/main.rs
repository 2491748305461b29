//! `vendors`: a double to try things with by hand.
//!
//! `vendors hubspot --listen 127.0.0.1:4300 --rows 1000 --fault rate-limit,after=5,times=2,retry-after=1`

#![allow(clippy::print_stdout, reason = "this is a command for people")]

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use vendors::faults::Fault;
use vendors::stand::{Double, Vendor};
use vendors::{acme, hubspot, pipedrive, salesforce, zoho};

const FAULTS: &str = "\
Faults, each with method=…, path=…, body=…, after=N, times=N as you like:
  rate-limit[,retry-after=S|,retry-date=S]   429, with or without Retry-After
  forbidden                                  403 as the vendor says that a limit is reached
  unauthorized                               401, and the token that was shown is dead
  scope-removed                              403: the user has taken a scope back
  html[,status=503]                          the maintenance page
  server-error[,status=500]                  an error in the vendor's form
  error-inside                               an error with status 200
  lost-request, lost-answer, lost-refresh, cut-body, slow,ms=N
  partial-batch[,every=N], duplicate-rows, index-lag,ms=N
  duplicate-webhooks, reorder-webhooks, lost-webhooks

While it runs, POST /_double/faults adds one, GET /_double/calls shows what was asked,
and POST /_double/{add,edit,delete,restore,merge,…} does what people do at the vendor's site.";

/// Starts a stateful double of a vendor on loopback.
#[derive(Debug, Parser)]
#[command(after_help = FAULTS)]
struct Arguments {
    /// salesforce, hubspot, pipedrive or zoho; acme, a CRM that does not exist, for the guide to connectors
    vendor: String,
    /// Where to listen: a loopback address; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What goes wrong; may be given several times
    #[arg(long = "fault", value_name = "FAULT", value_parser = Fault::parse)]
    faults: Vec<Fault>,
    /// So many contacts or leads from the start
    #[arg(long, default_value_t = 0)]
    rows: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let given = Arguments::parse();
    let (at, faults, rows) = (given.listen, given.faults, given.rows);
    match given.vendor.as_str() {
        "salesforce" => {
            let vendor = salesforce::Salesforce::new(salesforce::Options { faults, ..salesforce::Options::new() });
            vendor.seed_leads(rows);
            run(vendor, at).await
        }
        "hubspot" => {
            let vendor = hubspot::HubSpot::new(hubspot::Options { faults, ..hubspot::Options::new() });
            vendor.seed_contacts(rows);
            run(vendor, at).await
        }
        "pipedrive" => {
            let vendor = pipedrive::Pipedrive::new(pipedrive::Options { faults, ..pipedrive::Options::new() });
            vendor.seed_persons(rows);
            run(vendor, at).await
        }
        "zoho" => {
            let vendor = zoho::Zoho::new(zoho::Options { faults, ..zoho::Options::new() });
            vendor.seed_leads(rows);
            run(vendor, at).await
        }
        "acme" => {
            let vendor = acme::Acme::new(acme::Options { faults, ..acme::Options::new() });
            vendor.seed(rows);
            println!("key           {}", acme::API_KEY);
            run(vendor, at).await
        }
        other => bail!("there is no double of `{other}`; there are salesforce, hubspot, pipedrive, zoho and acme"),
    }
}

/// Says where it is and how to come in, and stays until it is interrupted.
async fn run<V: Vendor>(vendor: V, at: SocketAddr) -> Result<()> {
    let tokens = vendor.act("token", &serde_json::Value::Null).map_err(anyhow::Error::msg)?;
    let double = Double::listen(vendor, at).await.with_context(|| format!("cannot listen on {at}"))?;
    println!("{} at {}", double.name(), double.url());
    println!("client        double-client / double-secret");
    println!("access token  {}", tokens["access_token"].as_str().unwrap_or_default());
    println!("refresh token {}", tokens["refresh_token"].as_str().unwrap_or_default());
    println!("Control pages: {}/_double/calls (see --help)", double.url());
    tokio::signal::ctrl_c().await.context("cannot wait for the interrupt")
}
