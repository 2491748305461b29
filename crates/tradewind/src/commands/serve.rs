//! `tradewind serve`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::Ambient;
use listener::{AccessLog, Certificates, Door, Edge, Live};
use telemetry::Metrics;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::logging::Socket;
use assembly::outlook::{self, Outlook};
use assembly::settings::Resolved;
use assembly::system::System;

/// A stop takes at most this long.
const GRACE: Duration = Duration::from_secs(30);
/// The administration listener owes nobody an answer.
const ADMIN_GRACE: Duration = Duration::from_secs(1);
/// How often metrics are tidied, and how often the store is.
const METRICS_EVERY: Duration = Duration::from_secs(5);
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);

/// What a call to reload is about beside the blueprint.
struct Files {
    certificates: Option<Arc<Certificates>>,
    access_log: Option<Arc<AccessLog>>,
}

pub(super) async fn run(settings: &Resolved, logging: &Socket) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::install()?);
    let otlp = outlook::start_otlp(settings)?;
    if let Some(otlp) = &otlp {
        logging.reload(Some(otlp.log_bridge()))?;
    }
    let (listener, admin) = (listener::bind(settings.listen).await?, listener::bind(settings.admin_listen).await?);
    let files = Files::open(settings)?;
    let tls = files.certificates.as_ref().map(Certificates::config).transpose()?;
    let traces = otlp.as_ref().map(telemetry::Otlp::traces);
    let system = Arc::new(System::build(settings, Ambient::system(), traces.clone()).await?);
    if traces.is_some() || files.access_log.is_some() {
        system.front().features.gate.take_notes();
    }
    system.start().await?;
    let (stop, stopped) = watch::channel(false);
    let outlook = Outlook::new(&metrics, &system);
    let admin = Door { listener: admin, tls: None, edge: edge(outlook.router()) };
    let admin = tokio::spawn(listener::serve(admin, stopped.clone(), ADMIN_GRACE));
    let upkeep = tokio::spawn(upkeep(system.base.store.clone(), metrics));
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(listen = %settings.listen, scheme, admin = %settings.admin_listen, blueprint = %settings.blueprint, "serving");
    let edge = Edge::new(system.live(), Ambient::system()).with_log(files.access_log.clone()).with_traces(traces);
    let edge = edge.with_proxies(settings.trusted_proxies.clone());
    let serving = tokio::spawn(listener::serve(Door { listener, tls, edge: Arc::new(edge) }, stopped, GRACE));
    let reloading = tokio::spawn(follow_calls(Arc::clone(&system), files, signal(SignalKind::hangup())?));
    wait_for_signal().await?;
    tracing::info!("stopping: finishing what is under way");
    reloading.abort();
    system.close_readers();
    stop.send_replace(true);
    serving.await?;
    system.drain(GRACE).await;
    upkeep.abort();
    admin.abort();
    tracing::info!("stopped");
    if let Some(otlp) = otlp {
        otlp.stop().await;
    }
    Ok(())
}

fn edge(router: Router) -> Arc<Edge> {
    Arc::new(Edge::new(Live::new(router), Ambient::system()))
}

impl Files {
    /// Opens what the settings name, and follows the certificate's files.
    fn open(settings: &Resolved) -> anyhow::Result<Self> {
        let certificates = settings.tls.clone().map(|(certificate, key)| Certificates::load(certificate, key, Ambient::system()));
        let certificates = certificates.transpose()?;
        if let Some(certificates) = &certificates {
            tracing::info!(expires_at = %certificates.expires_at(), "TLS is spoken");
            tokio::spawn(Arc::clone(certificates).follow());
        }
        let access_log = settings.access_log.clone().map(AccessLog::start).transpose()?.map(Arc::new);
        Ok(Self { certificates, access_log })
    }

    fn again(&self) {
        if let Some(Err(error)) = self.certificates.as_ref().map(|certificates| certificates.renew()) {
            tracing::error!("{} The server goes on with the certificate that it has.", error.detail());
        }
        if let Some(log) = &self.access_log {
            log.reopen();
        }
    }
}

/// Reloads when told to: by SIGHUP, this server alone; by `tradewind reload`, every server.
async fn follow_calls(system: Arc<System>, files: Files, mut hangup: Signal) {
    let mut calls = system.base.switches.calls();
    loop {
        let call = tokio::select! {
            Some(()) = hangup.recv() => None,
            Ok(()) = calls.changed() => Some(*calls.borrow_and_update()),
            else => return,
        };
        files.again();
        let reload = system.reload().await;
        let Some(number) = call else { continue };
        let node = system.base.dispatch.node().id;
        if let Err(error) = system.base.switches.answer(number, node, reload.outcome, reload.detail).await {
            tracing::warn!(?error, "what became of the reload could not be written");
        }
    }
}

/// SIGTERM, or Ctrl-C on a terminal.
pub(super) async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => Ok(interrupt?),
    }
}

async fn upkeep(store: store::Store, metrics: Arc<Metrics>) {
    let (mut tidy, mut hourly) = (tokio::time::interval(METRICS_EVERY), tokio::time::interval(UPKEEP_EVERY));
    loop {
        tokio::select! {
            _ = tidy.tick() => metrics.tidy(),
            _ = hourly.tick() => if let Err(error) = store.upkeep().await {
                tracing::warn!(?error, "the store's upkeep failed; it is tried again in an hour");
            },
        }
    }
}
