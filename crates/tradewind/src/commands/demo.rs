//! `tradewind demo`: a complete system in one command. It talks to itself over HTTP, as a host backend and a partner would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use access::service_keys::{self, NewServiceKey};
use anyhow::Context as _;
use demo::Place;
use kernel::{Ambient, Secret};
use listener::{Door, Edge};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::serve::wait_for_signal;
use crate::cli::DemoArgs;
use crate::settings::Settings;
use assembly::settings::Resolved;
use assembly::system::System;

/// How long the requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(settings: Settings, args: DemoArgs) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let (listener, settings) = take_address(settings.for_demo(scratch.path())?).await?;
    let ambient = Ambient::system();
    let system = System::build(&settings, ambient.clone(), None).await?;
    system.start().await?;
    let (stop, stopped) = watch::channel(false);
    let edge = Arc::new(Edge::new(system.live(), ambient));
    let serving = tokio::spawn(listener::serve(Door { listener, tls: None, edge }, stopped, GRACE));

    let product = Arc::clone(&system.front().blueprint);
    let worker_key = if product.name == demo::CALLS { Some(worker_key(&system).await?) } else { None };
    let place = Place {
        base: settings.public_url.clone(),
        blueprint: settings.blueprint.clone(),
        product,
        data: settings.data_dir.clone(),
        service_key: system.service_key("demo").await?,
        worker_key,
    };
    let running = demo::start(&place, Duration::from_secs(args.every)).await?;

    wait_for_signal().await?;
    demo::goodbye();
    drop(running);
    system.close_readers();
    stop.send_replace(true);
    serving.await?;
    system.drain(GRACE).await;
    Ok(())
}

/// The key with which the worker works: it can do that and nothing else.
async fn worker_key(system: &System) -> anyhow::Result<Secret<String>> {
    let permissions = Some(vec!["jobs.work".to_owned()]);
    let input = NewServiceKey { name: Some("call-worker".to_owned()), permissions, ..Default::default() };
    Ok(service_keys::create(&system.base.store, input).await.context("a key for the worker")?.key)
}

/// Listens where the settings say; if somebody else does already, on any free port.
async fn take_address(mut settings: Resolved) -> anyhow::Result<(TcpListener, Resolved)> {
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            demo::taken(settings.listen);
            listener::bind(SocketAddr::new(settings.listen.ip(), 0)).await?
        }
        Err(error) => return Err(error.into()),
    };
    settings.listen = listener.local_addr()?;
    settings.public_url = format!("http://{}", settings.listen);
    Ok((listener, settings))
}
