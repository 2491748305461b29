//! `tradewind demo`: a complete system in one command. It talks to itself over HTTP, as a host backend and a partner would.

mod calls;
mod client;
mod print;
mod sample;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use kernel::Ambient;
use listener::{Door, Edge};
use tokio::net::TcpListener;
use tokio::sync::watch;
use vendors::receiver::{Options, Receiver};

use super::serve::wait_for_signal;
use crate::cli::DemoArgs;
use crate::settings::{Resolved, Settings};
use crate::system::System;
use client::Client;

/// How long the requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(settings: Settings, args: DemoArgs) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let (listener, settings) = take_address(settings.for_demo(scratch.path())?).await?;
    let ambient = Ambient::system();
    let receiver = Receiver::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), receiver_options(&ambient)).await?;
    let system = System::build(&settings, ambient.clone(), None).await?;
    system.start().await?;
    let (stop, stopped) = watch::channel(false);
    let edge = Arc::new(Edge::new(system.live(), ambient));
    let serving = tokio::spawn(listener::serve(Door { listener, tls: None, edge }, stopped, GRACE));

    let service_key = system.service_key("demo").await?;
    let host = Client::new(&settings.public_url, service_key)?;
    let every = Duration::from_secs(args.every);
    let mut worker = None;
    let changes = if calls::is_asked_for(&system.front().blueprint) {
        let sample = calls::load(&host, &receiver).await?;
        worker = Some(calls::work(host.base(), &calls::worker_key(&system.base.store).await?));
        print::welcome_calls(&settings, &receiver, &host, &sample);
        tokio::spawn(calls::keep_calling(sample, receiver, every))
    } else {
        let sample = sample::load(&host, &receiver).await?;
        print::welcome(&settings, &receiver, &host, &sample);
        tokio::spawn(async move {
            let _receiver = receiver;
            sample::keep_changing(host, sample, every).await;
        })
    };

    wait_for_signal().await?;
    print::goodbye();
    changes.abort();
    drop(worker);
    system.close_readers();
    stop.send_replace(true);
    serving.await?;
    system.drain(GRACE).await;
    Ok(())
}

fn receiver_options(ambient: &Ambient) -> Options {
    let mut options = Options::new();
    options.ambient = ambient.clone();
    options.on_delivery = Arc::new(print::delivery);
    options
}

/// Listens where the settings say; if somebody else does already, on any free port.
async fn take_address(mut settings: Resolved) -> anyhow::Result<(TcpListener, Resolved)> {
    let listener = match TcpListener::bind(settings.listen).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            print::taken(settings.listen);
            listener::bind(SocketAddr::new(settings.listen.ip(), 0)).await?
        }
        Err(error) => return Err(error.into()),
    };
    settings.listen = listener.local_addr()?;
    settings.public_url = format!("http://{}", settings.listen);
    Ok((listener, settings))
}
