//! Change notices from other nodes, by `LISTEN`. Until a connection stands some may be missed: once it does, everything is new.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Socket};

use crate::change::{Change, Listeners};
use crate::pg::tls;

/// The channel of `NOTIFY`.
pub(crate) const CHANNEL: &str = "tradewind_changes";
/// Wait between two attempts to connect.
const RECONNECT_AFTER: Duration = Duration::from_millis(250);

/// Why listening ended.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Listens until the task is aborted.
pub(crate) async fn listen(url: Arc<str>, listeners: Listeners) {
    loop {
        if let Err(error) = listen_once(&url, &listeners).await {
            tracing::warn!(%error, "change notices: connection lost, trying again");
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

async fn listen_once(url: &str, listeners: &Listeners) -> Result<(), Fault> {
    let target = tls::read(url)?;
    match target.tls {
        None => {
            let (client, connection) = target.config.connect(NoTls).await?;
            follow(&client, connection, listeners).await?;
        }
        Some(tls) => {
            let (client, connection) = target.config.connect(tls).await?;
            follow(&client, connection, listeners).await?;
        }
    }
    Ok(())
}

async fn follow<T: TlsStream + Unpin>(
    client: &Client,
    mut connection: Connection<Socket, T>,
    listeners: &Listeners,
) -> Result<(), tokio_postgres::Error> {
    let mut messages = poll_fn(move |cx| connection.poll_message(cx));
    let subscribe = client.batch_execute("LISTEN tradewind_changes");
    tokio::pin!(subscribe);
    let mut subscribed = false;
    loop {
        tokio::select! {
            outcome = &mut subscribe, if !subscribed => {
                outcome?;
                subscribed = true;
                // What was cached before this moment may have missed a notice, at the first connection as after a lost one.
                listeners.tell(&[Change::everything()]);
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(notice))) => {
                    if let Some((topic, key)) = notice.payload().split_once(':') {
                        listeners.tell(&[Change { topic: topic.to_owned(), key: key.to_owned() }]);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}
