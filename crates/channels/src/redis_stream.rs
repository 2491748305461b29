//! Redis Streams: an entry per event, `XADD key [MAXLEN ~ n] * …`, with the headers and the body as fields.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind};
use kernel::{Error, Result};
use serde::Deserialize;
use tokio::task::JoinHandle;
use web::outbound::{Peer, Security};

use crate::broker::{Broker, Way};
use crate::configuration::{MAX_TEXT, Scheme, optional, peer, text};
use crate::fault::Fault;
use crate::message::Message;
use crate::template::Template;

const SCHEMES: &[Scheme] = &[("redis", Security::Clear, 6379), ("rediss", Security::Tls, 6379)];
/// Longest name of a stream in bytes.
const MAX_KEY: usize = 512;

/// The channel.
pub(crate) struct RedisStream;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    url: String,
    stream: String,
    #[serde(default)]
    max_length: Option<u64>,
    #[serde(default)]
    database: u16,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

/// A configuration, checked.
pub(crate) struct Target {
    peer: Peer,
    stream: Template,
    max_length: Option<u64>,
    info: RedisConnectionInfo,
}

/// An open connection, and the task that drives it.
pub(crate) struct Connection {
    commands: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Broker for RedisStream {
    const NAME: &'static str = "redis-stream";
    type Config = Config;
    type Target = Target;
    type Connection = Connection;

    fn target(config: Config) -> Result<Target> {
        text("stream", &config.stream, MAX_KEY)?;
        optional("username", config.username.as_ref(), MAX_TEXT)?;
        optional("password", config.password.as_ref(), MAX_TEXT)?;
        if config.max_length == Some(0) {
            return Err(Error::field("/maxLength", "must be at least 1"));
        }
        if config.username.is_some() && config.password.is_none() {
            return Err(Error::field("/password", "is required beside username"));
        }
        let mut info = RedisConnectionInfo::default().set_db(config.database.into()).set_lib_name("tradewind", env!("CARGO_PKG_VERSION"));
        if let Some(username) = &config.username {
            info = info.set_username(username);
        }
        if let Some(password) = &config.password {
            info = info.set_password(password);
        }
        let stream = Template::parse("stream", &config.stream, &["type"])?;
        Ok(Target { peer: peer("url", &config.url, SCHEMES)?, stream, max_length: config.max_length, info })
    }

    fn peer(target: &Target) -> &Peer {
        &target.peer
    }

    async fn connect(way: &Way, target: &Target, limit: Duration) -> Result<Connection, Fault> {
        let stream = way.client.open(&target.peer, limit).await?;
        // The attempt has its own time-out; the library's would be a second one.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let opening = MultiplexedConnection::new_with_config(&target.info, stream, config);
        let opened =
            tokio::time::timeout(limit, opening).await.map_err(|_| Fault::broken("timeout", "the server did not answer in time"))?;
        let (commands, driver) = opened.map_err(|error| Fault { broken: true, ..fault(&error) })?;
        Ok(Connection { commands, driver: tokio::spawn(driver) })
    }

    async fn publish(connection: &Connection, target: &Target, message: &Message) -> Result<String, Fault> {
        let mut command = ::redis::cmd("XADD");
        command.arg(target.stream.fill(|_| message.event_type.clone()));
        if let Some(most) = target.max_length {
            // About so many: exact trimming costs the server more than it is worth.
            command.arg("MAXLEN").arg("~").arg(most);
        }
        command.arg("*");
        for (name, value) in &message.headers {
            command.arg(name).arg(value);
        }
        command.arg("body").arg(&message.body[..]);
        let entry: String = command.query_async(&mut connection.commands.clone()).await.map_err(|error| fault(&error))?;
        Ok(entry)
    }
}

fn fault(error: &RedisError) -> Fault {
    let said = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    let code = error.code().unwrap_or_default();
    let text = |what: &str| format!("{what}{}{said}", if code.is_empty() { String::new() } else { format!(" ({code})") });
    match error.kind() {
        ErrorKind::AuthenticationFailed => Fault::broken("credentials", text("the server refused our credentials")),
        _ if matches!(code, "NOAUTH" | "NOPERM" | "WRONGPASS") => Fault::broken("credentials", text("the server refused our credentials")),
        ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension => Fault::rejected("rejected", text("the server refused")),
        // Loading, read only, out of memory, moved: another time, and perhaps on another connection.
        ErrorKind::Server(_) => Fault::broken("rejected", text("the server refused")),
        ErrorKind::Io if error.is_timeout() => Fault::broken("timeout", "the server did not answer in time"),
        ErrorKind::Io => Fault::broken("connect", "the connection broke"),
        _ => Fault::broken("protocol", text("the server's answer cannot be used")),
    }
}
