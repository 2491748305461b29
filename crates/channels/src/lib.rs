//! Destinations other than a URL, each a [`dispatch::Channel`]: NATS JetStream, RabbitMQ, Redis Streams, SQS, S3, Slack, e-mail.
//!
//! Purpose: an event goes to a tenant's broker, queue or bucket under the same promises as to a webhook: at least once, under one id, with
//! the same body and the same headers, in the same log. The heavy clients live in this crate only, each behind a feature.
//!
//! Invariants:
//! * No connection leads to an address that was not vetted: brokers are given a [`web::outbound::Stream`], which is open already; SQS and S3
//!   go through [`web::outbound::Client::send`]. No client library resolves a name or dials here.
//! * Delivered means acknowledged: JetStream's acknowledgement, a publisher confirm, the entry's id, a 2xx.
//! * Whatever the other side does, an attempt ends within its time-out. Connections are bounded in number and closed when idle.
//! * Configurations hold credentials: they do not print, and no error text has them.

mod address;
#[cfg(feature = "aws")]
mod aws;
mod broker;
mod configuration;
mod email;
mod fault;
mod message;
#[cfg(feature = "nats")]
mod nats;
mod notice;
mod pool;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "redis")]
mod redis_stream;
#[cfg(feature = "aws")]
mod s3;
mod slack;
#[cfg(feature = "aws")]
mod sqs;
mod template;

use std::sync::Arc;
use std::time::Duration;

use blueprint::model::Webhooks;
use dispatch::Channel;
use kernel::Ambient;
use web::outbound::Client;

use message::Writer;
#[cfg(feature = "aws")]
pub use s3::{Archive, Upload};

/// Bounds of what the channels hold.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most connections that one kind of broker keeps open; beyond it the longest unused one is closed.
    pub max_connections: usize,
    /// A connection that nobody used for so long is closed.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_connections: 256, idle: Duration::from_secs(60) }
    }
}

/// Every channel that was built in, over the guarded client, with messages in the form of the product's webhooks. Must be called on a tokio
/// runtime.
#[must_use]
pub fn all(client: &Client, ambient: &Ambient, webhooks: &Webhooks, options: Options) -> Vec<Arc<dyn Channel>> {
    let writer = Writer::new(&webhooks.body);
    let way = broker::Way { client: client.clone(), ambient: ambient.clone() };
    let mut channels: Vec<Arc<dyn Channel>> = vec![Arc::new(slack::SlackChannel::new(client.clone()))];
    #[cfg(feature = "nats")]
    channels.push(Arc::new(broker::BrokerChannel::<nats::Nats>::new(way.clone(), writer.clone(), options)));
    #[cfg(feature = "rabbitmq")]
    channels.push(Arc::new(broker::BrokerChannel::<rabbitmq::RabbitMq>::new(way.clone(), writer.clone(), options)));
    #[cfg(feature = "redis")]
    channels.push(Arc::new(broker::BrokerChannel::<redis_stream::RedisStream>::new(way.clone(), writer.clone(), options)));
    #[cfg(feature = "aws")]
    {
        channels.push(Arc::new(sqs::SqsChannel::new(client.clone(), writer.clone())));
        channels.push(Arc::new(s3::S3Channel::new(client.clone(), &writer)));
    }
    channels
}

/// The channel `email`, which exists where the operator has named a relay. `domains`: where recipients may be; none: anywhere.
#[must_use]
pub fn email(mailer: web::mail::Mailer, domains: &[String]) -> Arc<dyn Channel> {
    Arc::new(email::EmailChannel::new(mailer, domains))
}
