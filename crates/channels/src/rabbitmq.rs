//! RabbitMQ: a persistent, mandatory message with a publisher confirm.
//!
//! The library (AMQP 0-9-1) is given a connection that is open already; its own ways to connect, and its TLS, are not built in.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::io::{AsyncRead, AsyncWrite};
use kernel::{Error, Result};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::tcp::AsyncTcpStream;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{BasicProperties, Channel, Confirmation, ConnectionProperties, ErrorKind};
use serde::Deserialize;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use web::outbound::{Peer, Security, Stream};

use crate::broker::{Broker, Way};
use crate::configuration::{MAX_TEXT, Scheme, optional, peer, text};
use crate::fault::Fault;
use crate::message::Message;
use crate::template::Template;

const SCHEMES: &[Scheme] = &[("amqp", Security::Clear, 5672), ("amqps", Security::Tls, 5671)];
/// Longest template of a routing key, in bytes: with a type filled in it must fit AMQP's 255.
const MAX_KEY: usize = 120;
/// AMQP's delivery mode for messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
/// Seconds between signs of life.
const HEARTBEAT: u16 = 30;

/// The channel.
pub(crate) struct RabbitMq;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    url: String,
    #[serde(default)]
    virtual_host: Option<String>,
    #[serde(default)]
    exchange: Option<String>,
    routing_key: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

/// A configuration, checked.
pub(crate) struct Target {
    peer: Peer,
    virtual_host: String,
    exchange: ShortString,
    routing_key: Template,
    username: String,
    password: String,
}

/// An open connection and its one channel, which is in confirm mode.
pub(crate) struct Connection {
    channel: Channel,
    /// Dropping it closes the connection.
    _connection: lapin::Connection,
}

fn short(field: &str, value: &str) -> Result<ShortString> {
    ShortString::try_new(value).map_err(|_| Error::field(format!("/{field}"), "must have at most 255 bytes"))
}

impl Broker for RabbitMq {
    const NAME: &'static str = "rabbitmq";
    type Config = Config;
    type Target = Target;
    type Connection = Connection;

    fn target(config: Config) -> Result<Target> {
        text("routingKey", &config.routing_key, MAX_KEY)?;
        optional("virtualHost", config.virtual_host.as_ref(), 255)?;
        optional("exchange", config.exchange.as_ref(), 255)?;
        optional("username", config.username.as_ref(), MAX_TEXT)?;
        optional("password", config.password.as_ref(), MAX_TEXT)?;
        let (username, password) = match (config.username, config.password) {
            (Some(username), Some(password)) => (username, password),
            // What a new RabbitMQ has, for connections on its own machine.
            (None, None) => ("guest".to_owned(), "guest".to_owned()),
            (Some(_), None) => return Err(Error::field("/password", "is required beside username")),
            (None, Some(_)) => return Err(Error::field("/username", "is required beside password")),
        };
        Ok(Target {
            peer: peer("url", &config.url, SCHEMES)?,
            virtual_host: config.virtual_host.unwrap_or_else(|| "/".to_owned()),
            exchange: short("exchange", config.exchange.as_deref().unwrap_or_default())?,
            routing_key: Template::parse("routingKey", &config.routing_key, &["type"])?,
            username,
            password,
        })
    }

    fn peer(target: &Target) -> &Peer {
        &target.peer
    }

    async fn connect(way: &Way, target: &Target, limit: Duration) -> Result<Connection, Fault> {
        let stream = way.client.open(&target.peer, limit).await?;
        tokio::time::timeout(limit, introduce(stream, target))
            .await
            .unwrap_or_else(|_| Err(Fault::broken("timeout", "the broker did not answer in time")))
    }

    async fn publish(connection: &Connection, target: &Target, message: &Message) -> Result<String, Fault> {
        let key = target.routing_key.fill(|_| message.event_type.clone());
        let key = ShortString::try_new(key).map_err(|_| Fault::too_large("the routing key is longer than 255 bytes"))?;
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sending = connection.channel.basic_publish(target.exchange.clone(), key, options, &message.body, properties(message));
        match sending.await.map_err(|error| fault(&error))?.await.map_err(|error| fault(&error))? {
            Confirmation::Ack(None) => Ok("confirmed".to_owned()),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                Err(Fault::rejected("missing", format!("no queue takes this routing key: {} {}", returned.reply_code, returned.reply_text)))
            }
            Confirmation::Nack(None) => Err(Fault::rejected("rejected", "the broker did not take the message")),
            Confirmation::NotRequested => Err(Fault::broken("protocol", "the broker does not confirm")),
        }
    }
}

async fn introduce(stream: Stream, target: &Target) -> Result<Connection, Fault> {
    let userinfo = AMQPUserInfo { username: target.username.clone(), password: target.password.clone() };
    let authority = AMQPAuthority { userinfo, host: target.peer.host.clone(), port: target.peer.port };
    let query = AMQPQueryString { heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() };
    let uri = AMQPUri { scheme: AMQPScheme::AMQP, authority, vhost: target.virtual_host.clone(), query };
    let ready = Mutex::new(Some(stream.compat()));
    let connect = async move |_: AMQPUri, _: Runtime<Kit>| {
        let stream = ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Once used it is gone: a new connection is ours to make.
        let gone = || lapin::Error::from(io::Error::from(io::ErrorKind::NotConnected));
        stream.map(AsyncTcpStream::Plain).ok_or_else(gone)
    };
    let options = ConnectionProperties::default().with_connection_name(LongString::from("tradewind"));
    let runtime = Runtime::new(RuntimeParts::new(Tokio::current(), Given));
    let connection = lapin::Connection::connector(uri, runtime, connect, options).await.map_err(|error| opening(&error))?;
    let channel = connection.create_channel().await.map_err(|error| opening(&error))?;
    channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|error| opening(&error))?;
    Ok(Connection { channel, _connection: connection })
}

fn properties(message: &Message) -> BasicProperties {
    let short = |text: &str| ShortString::try_new(text).unwrap_or_default();
    let mut headers = FieldTable::default();
    for (name, value) in &message.headers {
        headers.insert(short(name), AMQPValue::LongString(LongString::from(value.as_str())));
    }
    BasicProperties::default()
        .with_content_type(short("application/json"))
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short(&message.id))
        .with_type(short(&message.event_type))
        .with_timestamp(u64::try_from(message.at_seconds).unwrap_or_default())
        .with_app_id(short("tradewind"))
        .with_headers(headers)
}

fn opening(error: &lapin::Error) -> Fault {
    Fault { broken: true, ..fault(error) }
}

fn fault(error: &lapin::Error) -> Fault {
    match error.kind() {
        ErrorKind::ProtocolError(said) => {
            let (code, text) = (said.get_id(), format!("the broker said: {} {}", said.get_id(), said.get_message()));
            // Any of these closes the channel, or the connection.
            match code {
                403 => Fault::broken("credentials", text),
                404 => Fault::broken("missing", text),
                406 if said.get_message().as_str().contains("max size") => Fault { is_final: true, ..Fault::broken("too_large", text) },
                530 => Fault::broken("credentials", text),
                _ => Fault::broken("rejected", text),
            }
        }
        ErrorKind::MissingHeartbeatError => Fault::broken("timeout", "the broker gave no sign of life"),
        ErrorKind::IOError(error) => Fault::broken("connect", format!("the connection broke: {error}")),
        ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_) => Fault::broken("connect", "the connection was closed"),
        _ => Fault::broken("protocol", "the broker's answer cannot be used"),
    }
}

/// The library's runtime: tokio's tasks and timers, and connections that it cannot open.
type Kit = RuntimeParts<Tokio, Given>;

/// A reactor whose only connections are those that it is given.
#[derive(Clone, Copy, Debug)]
struct Given;

impl Reactor for Given {
    type TcpStream = Compat<Stream>;
    type Sleep = tokio::time::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(&self, _: H) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Compat<Stream>, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn interval(&self, every: Duration) -> impl futures_util::Stream<Item = Instant> + Send + 'static {
        let ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
        futures_util::stream::unfold(ticks, async |mut ticks| {
            let at = ticks.tick().await;
            Some((at.into_std(), ticks))
        })
    }

    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
