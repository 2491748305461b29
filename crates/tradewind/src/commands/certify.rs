//! `tradewind certify URL`: plays a suite of deliveries against a receiver.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kernel::Ambient;
use ops::WebhookForm;
use ops::certify::{self, Options};
use serde_json::value::RawValue;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::WebhookSecret;

use super::answer;
use crate::cli::{CertifyArgs, Format};
use assembly::settings::{Environment, Resolved};

/// An answer that takes longer is near the time-out of many senders.
const SLOW: Duration = Duration::from_secs(5);

pub(super) async fn run(settings: &Resolved, args: CertifyArgs) -> anyhow::Result<()> {
    let blueprint = ::blueprint::load(&settings.blueprint)?;
    let ambient = Ambient::system();
    let data = match &args.data {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        None => match args.event.as_deref().and_then(|name| blueprint.event(name)) {
            Some(declared) => declared.example.to_string(),
            None => blueprint.webhooks.test_data_at(ambient.now()).to_string(),
        },
    };
    let options = Options {
        url: args.url,
        secret: WebhookSecret::parse(&args.secret)?,
        form: if args.plain { WebhookForm::plain() } else { WebhookForm::of(&blueprint.webhooks) },
        event_type: args.event.unwrap_or_else(|| blueprint.webhooks.test_event.to_string()),
        data: RawValue::from_string(data).context("the data is not JSON")?,
        timeout: Duration::from_secs(args.timeout),
        slow: SLOW,
    };
    let client = if args.local || settings.env == Environment::Development { local(settings)? } else { settings.outbound()? };
    let report = certify::run(&options, &ambient, &client).await?;
    match args.format {
        Format::Table => answer(&report.to_string()),
        Format::Json => answer(&serde_json::to_string_pretty(&report.to_json())?),
    }
    ensure!(report.is_good(), "{} is not certified: it fails a required check", options.url);
    Ok(())
}

/// A client that also reaches this machine, without encryption.
fn local(settings: &Resolved) -> anyhow::Result<Client> {
    let mut allow_networks = settings.allow_networks.clone();
    allow_networks.push("127.0.0.0/8".parse()?);
    allow_networks.push("::1/128".parse()?);
    Ok(Client::new(ClientConfig::new(UrlPolicy { allow_http: true, allow_networks }))?)
}
