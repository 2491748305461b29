//! `tradewind listen`: a tenant's events on this machine, and recorded ones again.

use std::time::Duration;

use kernel::{Ambient, Secret};
use ops::listen::{self, Line, Options};
use tokio::sync::watch;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::WebhookSecret;

use super::answer;
use super::serve::wait_for_signal;
use crate::cli::ListenArgs;

/// How long a poll waits.
const WAIT_SECONDS: u64 = 25;

pub(super) async fn run(args: ListenArgs) -> anyhow::Result<()> {
    let ambient = Ambient::system();
    let secret = match &args.secret {
        Some(text) => WebhookSecret::parse(text)?,
        None => {
            let made = WebhookSecret::generate(&ambient);
            answer(&format!("signing with {} (made for this run; --secret takes another)", made.text().reveal()));
            made
        }
    };
    let replay = args.replay.clone();
    let options = Options {
        server: args.server,
        key: Secret::new(args.key.unwrap_or_default()),
        tenant: args.tenant,
        forward: args.forward,
        events: args.events,
        consumer: args.consumer,
        from_start: args.from_start,
        secret,
        retry: !args.no_retry,
        record: args.record,
        backoff: Options::usual_backoff(),
        wait_seconds: WAIT_SECONDS,
        timeout: Duration::from_secs(args.timeout),
    };
    // Both addresses are the developer's own: nobody else's URL is fetched here.
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["0.0.0.0/0".parse()?, "::/0".parse()?] };
    let client = Client::new(ClientConfig::new(policy))?;
    let say = |line: Line| answer(&line.to_string());
    if let Some(from) = replay {
        let failed = listen::replay(&options, &ambient, &client, &say, &from).await?;
        anyhow::ensure!(failed == 0, "{failed} recorded deliveries were not answered 2xx");
        return Ok(());
    }
    let (stop, stopped) = watch::channel(false);
    let signal = tokio::spawn(async move {
        let outcome = wait_for_signal().await;
        stop.send_replace(true);
        outcome
    });
    let outcome = listen::run(&options, &ambient, &client, &say, stopped).await;
    signal.abort();
    Ok(outcome?)
}
