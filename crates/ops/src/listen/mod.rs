//! `tradewind listen`: a tenant's events on a developer's machine.
//!
//! It polls with a consumer, forwards each event in order as a signed delivery, and acknowledges it with the next poll only when the forward
//! was answered 2xx. Whatever happens to the connection, to this program or to the machine, the next poll goes on where the last
//! acknowledgement was.

mod files;
mod forward;
mod remote;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use kernel::{Ambient, Result, Secret};
use tokio::sync::watch;
use web::outbound::Client;
use web::signature::WebhookSecret;

use crate::Imitation;
use forward::Forwarder;
use remote::{Failure, Remote};

pub use files::Recording;
pub use show::Line;

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, such as `https://api.example.com`.
    pub server: String,
    /// The credential.
    pub key: Secret<String>,
    /// The tenant, for a service key.
    pub tenant: Option<String>,
    /// Where events go.
    pub forward: String,
    /// Types and patterns, separated by commas.
    pub events: Option<String>,
    /// The name under which the server keeps the place.
    pub consumer: String,
    /// Begin at the oldest event when the consumer is new, not with what comes.
    pub from_start: bool,
    /// What signs.
    pub secret: WebhookSecret,
    /// Whether a forward that failed is tried again; otherwise it is shown and passed over.
    pub retry: bool,
    /// Where to keep a file of each delivery.
    pub record: Option<PathBuf>,
    /// Waits before trying again, the last one for ever.
    pub backoff: Vec<Duration>,
    /// How long a poll waits, in seconds.
    pub wait_seconds: u64,
    /// How long the local receiver may take.
    pub timeout: Duration,
}

impl Options {
    /// The usual waits.
    pub fn usual_backoff() -> Vec<Duration> {
        [1, 2, 5, 10, 30].map(Duration::from_secs).to_vec()
    }

    fn wait_before(&self, attempt: usize) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        self.backoff.get(attempt.min(last)).copied().unwrap_or(Duration::from_secs(1))
    }
}

/// Listens until `stop` turns true.
///
/// Errors: what the server says when it refuses the credential or the request; 422 for an address that cannot be used; internal when a file
/// cannot be written.
pub async fn run(
    options: &Options,
    ambient: &Ambient,
    client: &Client,
    say: &(dyn Fn(Line) + Sync),
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let remote = Remote::new(options, client.clone())?;
    let Some(form) = patiently(options, say, &stop, || remote.form()).await? else { return Ok(()) };
    let forwarder = Forwarder::new(options, ambient.clone(), client.clone(), Imitation::new(form))?;
    say(Line::Ready { server: options.server.clone(), forward: options.forward.clone(), consumer: options.consumer.clone() });
    let mut cursor: Option<String> = None;
    while !*stop.borrow() {
        let Some(answer) = patiently(options, say, &stop, || remote.poll(cursor.as_deref(), options.wait_seconds)).await? else { break };
        let mut whole = true;
        for item in answer.data {
            if !forwarder.deliver(&item, say, &stop).await? {
                whole = false;
                break;
            }
            cursor = Some(item.cursor);
        }
        if whole {
            cursor = answer.cursor.or(cursor);
        }
    }
    if cursor.is_some() {
        // The last acknowledgement. If it does not arrive, the events since the last poll come again.
        remote.poll(cursor.as_deref(), 0).await.ok();
    }
    Ok(())
}

/// Forwards what was recorded: the files of a directory in the order of their names, or one file. Answers how many were not answered 2xx.
pub async fn replay(
    options: &Options,
    ambient: &Ambient,
    client: &Client,
    say: &(dyn Fn(Line) + Sync),
    from: &std::path::Path,
) -> Result<usize> {
    let forwarder = Forwarder::new(options, ambient.clone(), client.clone(), Imitation::new(crate::WebhookForm::plain()))?;
    let mut failed = 0;
    for recording in files::read(from)? {
        failed += usize::from(!forwarder.send_again(&recording, say).await?);
    }
    Ok(failed)
}

/// Asks until there is an answer; a refusal is an error. `None`: told to stop.
async fn patiently<T, F>(
    options: &Options,
    say: &(dyn Fn(Line) + Sync),
    stop: &watch::Receiver<bool>,
    ask: impl Fn() -> F,
) -> Result<Option<T>>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut failures = 0;
    loop {
        let asked = tokio::select! {
            asked = ask() => asked,
            () = stopped(stop) => return Ok(None),
        };
        match asked {
            Ok(answer) => {
                if failures > 0 {
                    say(Line::Reconnected);
                }
                return Ok(Some(answer));
            }
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::Away { why, after }) => {
                let wait = after.unwrap_or_else(|| options.wait_before(failures));
                say(Line::Lost { why, wait });
                failures += 1;
                if pause(wait, stop).await {
                    return Ok(None);
                }
            }
        }
    }
}

/// Waits; true when told to stop meanwhile.
async fn pause(wait: Duration, stop: &watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => false,
        () = stopped(stop) => true,
    }
}

async fn stopped(stop: &watch::Receiver<bool>) {
    // Nobody left who could say so is a stop too.
    let _ = stop.clone().wait_for(|stop| *stop).await;
}
