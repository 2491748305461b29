//! What the brokers have in common: a configuration, a pooled connection, a message that is acknowledged, a time-out around all of it.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{AttemptInput, AttemptOutcome, AttemptReport, Channel, Prepared};
use futures_util::future::BoxFuture;
use kernel::{Ambient, Result};
use serde_json::Value;
use tokio::time::Instant;
use web::outbound::{Client, Peer};

use crate::Options;
use crate::configuration::{self, Secrets};
use crate::fault::{Fault, delivered};
use crate::message::{Message, Writer};
use crate::pool::{Key, Pool};

/// Most time for connecting, whatever an attempt may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What an attempt may take beyond its time-out, so that what it learns in the last moment is not lost.
const SLACK: Duration = Duration::from_millis(100);

/// A kind of broker.
pub(crate) trait Broker: Send + Sync + 'static {
    /// The channel's name, which is the destination's `type`.
    const NAME: &'static str;
    /// A configuration, as it is read.
    type Config: serde::de::DeserializeOwned;
    /// A configuration, checked and ready.
    type Target: Send + Sync + 'static;
    /// An open connection.
    type Connection: Send + Sync + 'static;

    /// Checks everything that needs no look-up. Errors: 422 at the field.
    fn target(config: Self::Config) -> Result<Self::Target>;

    /// Where the broker is.
    fn peer(target: &Self::Target) -> &Peer;

    /// Opens a connection through the guarded client and introduces us, within `limit`.
    fn connect(way: &Way, target: &Self::Target, limit: Duration) -> impl Future<Output = Result<Self::Connection, Fault>> + Send;

    /// Sends a message and waits until it is acknowledged; answers what the broker said.
    fn publish(
        connection: &Self::Connection,
        target: &Self::Target,
        message: &Message,
    ) -> impl Future<Output = Result<String, Fault>> + Send;
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) client: Client,
    pub(crate) ambient: Ambient,
}

/// Delivers to one kind of broker.
pub(crate) struct BrokerChannel<B: Broker> {
    way: Way,
    writer: Writer,
    pool: Arc<Pool<B::Connection>>,
}

struct Ready<T> {
    target: T,
    secrets: Secrets,
    hash: [u8; 32],
}

impl<B: Broker> BrokerChannel<B> {
    pub(crate) fn new(way: Way, writer: Writer, options: Options) -> Self {
        Self { way, writer, pool: Pool::new(options) }
    }

    fn ready(config: &Value) -> Result<Ready<B::Target>> {
        let (own, secrets) = configuration::read::<B::Config>(config)?;
        // Not the signing secrets: a new one needs no new connection.
        let hash = *blake3::hash(config["destination"].to_string().as_bytes()).as_bytes();
        Ok(Ready { target: B::target(own)?, secrets, hash })
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let ready = Self::ready(config)?;
        match self.way.client.verdict_on_peer(B::peer(&ready.target)).await {
            Ok(()) => {}
            // It is judged again before each connection.
            Err(refusal) if refusal.is_unresolvable() => {}
            Err(refusal) => return Err(refusal.into_error("/url")),
        }
        Ok(config.clone())
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(ready) = input.prepared.get::<Ready<B::Target>>() else {
            let text = format!("not a destination of the kind {}", B::NAME);
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", text, Duration::ZERO);
        };
        let started = Instant::now();
        let message = self.writer.message(input, &ready.secrets);
        let key = (input.destination.id, ready.hash);
        let work = self.deliver(ready, key, &message, input.timeout);
        // The work keeps the same time; this bounds what it waits for besides.
        let outcome = tokio::time::timeout(input.timeout + SLACK, work).await.unwrap_or_else(|_| Err(Fault::timeout(input.timeout)));
        match outcome {
            Ok(receipt) => delivered(message.shown(), receipt, started.elapsed()),
            Err(fault) => fault.report(message.shown(), started.elapsed()),
        }
    }

    async fn deliver(&self, ready: &Ready<B::Target>, key: Key, message: &Message, timeout: Duration) -> Result<String, Fault> {
        let end = Instant::now() + timeout;
        loop {
            let connect = async || B::connect(&self.way, &ready.target, CONNECT.min(timeout)).await;
            let lent = self.pool.get(key, connect).await?;
            let fault = match tokio::time::timeout_at(end, B::publish(&lent.connection, &ready.target, message)).await {
                Ok(Ok(receipt)) => return Ok(receipt),
                Ok(Err(fault)) => fault,
                // Perhaps nobody is there any more, and TCP will not notice for a quarter of an hour: the next attempt gets a connection of
                // its own. Attempts under way on this one keep it.
                Err(_) => Fault { broken: true, ..Fault::timeout(timeout) },
            };
            if fault.broken {
                self.pool.forget(key, &lent.connection).await;
            }
            // A connection that lay in the pool may have died long ago; that is not this message's failure. The event's id lets the
            // receiver tell if the broker had it after all.
            if !fault.broken || lent.is_new || Instant::now() >= end {
                return Err(fault);
            }
        }
    }
}

impl<B: Broker> Channel for BrokerChannel<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { self.check_config(config).await.map_err(configuration::placed) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        Self::ready(config).map(Prepared::new).map_err(configuration::placed)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
