//! What `tradewind demo` shows. It talks to a server that runs over HTTP, as a host backend and a partner would: makes sample tenants, keeps
//! something changing, receives what is delivered, and prints what to paste. `leads` and `crm` for `insurance-leads`, `calls` for
//! `call-coaching`, `any` for every other blueprint.

mod any;
mod calls;
mod client;
mod crm;
mod leads;
mod print;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use blueprint::Blueprint;
use kernel::{Ambient, Secret};
use tokio::task::JoinHandle;
use vendors::receiver::{Options, Receiver};

pub use calls::BLUEPRINT as CALLS;
use client::Client;
pub use print::{goodbye, taken};

/// Somebody edits something in the CRM once in so many changes here.
const EDITS_PER: u32 = 3;

/// The server that is shown.
pub struct Place {
    /// Its public address, without a slash at its end.
    pub base: String,
    /// What it serves, as the settings name it.
    pub blueprint: String,
    /// The same, read.
    pub product: Arc<Blueprint>,
    /// Where its data are.
    pub data: PathBuf,
    /// A service key of it.
    pub service_key: Secret<String>,
    /// A key that may work on jobs, where there are any ([`CALLS`]).
    pub worker_key: Option<Secret<String>>,
}

/// What goes on while the demo runs. Dropped, it ends.
pub struct Running {
    changes: JoinHandle<()>,
    _worker: Option<call_worker::Worker>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.changes.abort();
    }
}

/// Makes the sample, welcomes whoever looks on, and begins to change something every `every`. Error: the server does not do as it should.
pub async fn start(place: &Place, every: Duration) -> anyhow::Result<Running> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let receiver = Receiver::start(address, receiver_options()).await?;
    let host = Client::new(&place.base, place.service_key.clone())?;
    if let Some(key) = &place.worker_key {
        let sample = calls::load(&host, &receiver).await?;
        let worker = calls::work(host.base(), key.reveal());
        print::welcome_calls(place, &receiver, &host, &sample);
        return Ok(Running { changes: tokio::spawn(calls::keep_calling(sample, receiver, every)), _worker: Some(worker) });
    }
    let changes = if place.product.name == leads::BLUEPRINT {
        let sample = leads::load(&host, &receiver).await?;
        let crm = crm::connect(&host, &host.with_key(&sample.key)?, &sample).await?;
        print::welcome(place, &receiver, &host, &sample, &crm);
        tokio::spawn(async move {
            let _receiver = receiver;
            tokio::join!(leads::keep_changing(host, sample, every), crm::keep_editing(crm, every * EDITS_PER));
        })
    } else {
        let sample = any::load(&host, &receiver, &place.product).await?;
        print::welcome_any(place, &receiver, &host, &sample);
        tokio::spawn(async move {
            let _receiver = receiver;
            any::keep_adding(host, sample, every).await;
        })
    };
    Ok(Running { changes, _worker: None })
}

fn receiver_options() -> Options {
    let mut options = Options::new();
    options.ambient = Ambient::system();
    options.on_delivery = Arc::new(print::delivery);
    options
}
