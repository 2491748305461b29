//! `tradewind serve`.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kernel::Ambient;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::listener;
use crate::settings::Resolved;
use crate::system::System;

/// A stop takes at most this long.
const GRACE: Duration = Duration::from_secs(30);
/// How often metrics are tidied, and how often the store is.
const METRICS_EVERY: Duration = Duration::from_secs(5);
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let (listener, admin) = (listener::bind(settings.listen).await?, listener::bind(settings.admin_listen).await?);
    let system = System::build(settings, Ambient::system()).await?;
    system.start().await?;
    let (stop, stopped) = watch::channel(false);
    let admin = tokio::spawn(listener::serve(admin, admin_router(metrics.clone()), stopped.clone(), Duration::from_secs(1)));
    let upkeep = tokio::spawn(upkeep(system.store.clone(), metrics));
    tracing::info!(listen = %settings.listen, admin = %settings.admin_listen, blueprint = %settings.blueprint, "serving");
    let serving = tokio::spawn(listener::serve(listener, system.router.clone(), stopped, GRACE));
    wait_for_signal().await?;
    tracing::info!("stopping: finishing what is under way");
    system.close_readers();
    stop.send_replace(true);
    serving.await?;
    system.drain(GRACE).await;
    upkeep.abort();
    admin.abort();
    tracing::info!("stopped");
    Ok(())
}

/// SIGTERM, or Ctrl-C on a terminal.
pub(super) async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => Ok(interrupt?),
    }
}

fn admin_router(metrics: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(move || std::future::ready(metrics.render())))
}

async fn upkeep(store: store::Store, metrics: PrometheusHandle) {
    let (mut tidy, mut hourly) = (tokio::time::interval(METRICS_EVERY), tokio::time::interval(UPKEEP_EVERY));
    loop {
        tokio::select! {
            _ = tidy.tick() => metrics.run_upkeep(),
            _ = hourly.tick() => if let Err(error) = store.upkeep().await {
                tracing::warn!(?error, "the store's upkeep failed; it is tried again in an hour");
            },
        }
    }
}
