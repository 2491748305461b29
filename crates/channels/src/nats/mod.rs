//! NATS JetStream: a publication that the stream acknowledges.
//!
//! The client protocol (<https://docs.nats.io/reference/reference-protocols/nats-protocol>) is lines of text, and a publisher needs six of
//! them. They are written here because the official client dials by itself, follows servers that a server names, and so cannot be guarded.

mod connection;
mod nkey;
mod wire;

use kernel::{Error, Result};
use serde::Deserialize;
use web::outbound::{Peer, Security};

use crate::broker::{Broker, Way};
use crate::configuration::{MAX_TEXT, Scheme, optional, peer, text};
use crate::fault::Fault;
use crate::message::Message;
use crate::template::Template;
use connection::Connection;
use nkey::Nkey;

const SCHEMES: &[Scheme] = &[("nats", Security::Clear, 4222), ("tls", Security::Later, 4222)];
/// Longest subject in bytes.
const MAX_SUBJECT: usize = 512;

/// The channel.
pub(crate) struct Nats;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    url: String,
    subject: String,
    #[serde(default)]
    stream: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    nkey_seed: Option<String>,
    #[serde(default)]
    credentials: Option<String>,
}

/// A configuration, checked.
pub(crate) struct Target {
    peer: Peer,
    subject: Template,
    stream: Option<String>,
    login: Login,
}

/// How we introduce ourselves.
pub(crate) enum Login {
    None,
    User(String, String),
    Token(String),
    /// A key alone, or with the token that an account has signed for it.
    Nkey(Nkey, Option<String>),
}

impl Config {
    fn login(&self) -> Result<Login> {
        for (field, value) in [("username", &self.username), ("password", &self.password), ("token", &self.token)] {
            optional(field, value.as_ref(), MAX_TEXT)?;
        }
        let ways = [self.username.is_some(), self.token.is_some(), self.nkey_seed.is_some(), self.credentials.is_some()];
        if ways.iter().filter(|given| **given).count() > 1 {
            return Err(Error::field("", "must have only one of username, token, nkeySeed and credentials"));
        }
        if let Some(username) = &self.username {
            let Some(password) = &self.password else { return Err(Error::field("/password", "is required beside username")) };
            return Ok(Login::User(username.clone(), password.clone()));
        }
        if self.password.is_some() {
            return Err(Error::field("/username", "is required beside password"));
        }
        if let Some(token) = &self.token {
            return Ok(Login::Token(token.clone()));
        }
        if let Some(seed) = &self.nkey_seed {
            let key = Nkey::of_seed(seed.trim()).ok_or_else(|| Error::field("/nkeySeed", "must be the seed of a user's key, SU…"))?;
            return Ok(Login::Nkey(key, None));
        }
        if let Some(file) = &self.credentials {
            let read = nkey::read_credentials(file);
            let (key, jwt) =
                read.ok_or_else(|| Error::field("/credentials", "must be the text of a .creds file: a user's JWT and seed"))?;
            return Ok(Login::Nkey(key, Some(jwt)));
        }
        Ok(Login::None)
    }
}

fn check_subject(subject: &str) -> Result<()> {
    text("subject", subject, MAX_SUBJECT)?;
    let word = |word: &str| !word.is_empty() && !word.contains(['*', '>', ' ']);
    if subject.split('.').all(word) && subject.is_ascii() && !subject.starts_with('$') {
        return Ok(());
    }
    Err(Error::field("/subject", "must be ASCII words joined by dots, without white space, * or >, and not begin with $"))
}

impl Broker for Nats {
    const NAME: &'static str = "nats";
    type Config = Config;
    type Target = Target;
    type Connection = Connection;

    fn target(config: Config) -> Result<Target> {
        let login = config.login()?;
        check_subject(&config.subject)?;
        optional("stream", config.stream.as_ref(), 255)?;
        let subject = Template::parse("subject", &config.subject, &["type"])?;
        Ok(Target { peer: peer("url", &config.url, SCHEMES)?, subject, stream: config.stream, login })
    }

    fn peer(target: &Target) -> &Peer {
        &target.peer
    }

    async fn connect(way: &Way, target: &Target, limit: std::time::Duration) -> Result<Connection, Fault> {
        let opening = Connection::open(way, &target.peer, &target.login, limit);
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(Fault::broken("timeout", "the broker did not answer in time")))
    }

    async fn publish(connection: &Connection, target: &Target, message: &Message) -> Result<String, Fault> {
        let subject = target.subject.fill(|_| message.event_type.clone());
        let mut headers: Vec<(&str, &str)> = message.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // The stream drops what it has seen under this id within its window.
        headers.push(("Nats-Msg-Id", &message.id));
        if let Some(stream) = &target.stream {
            headers.push(("Nats-Expected-Stream", stream));
        }
        let reply = connection.request(&subject, &headers, &message.body).await?;
        acknowledged(&reply)
    }
}

#[derive(Deserialize)]
struct Ack {
    stream: Option<String>,
    error: Option<AckError>,
}

#[derive(Deserialize)]
struct AckError {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    description: String,
}

/// What a stream said to a publication.
fn acknowledged(reply: &wire::Reply) -> Result<String, Fault> {
    if reply.status == Some(503) {
        return Err(Fault::rejected("missing", "no JetStream stream listens to this subject"));
    }
    let odd = || Fault::rejected("protocol", "something other than a JetStream stream answered");
    let ack: Ack = serde_json::from_slice(&reply.payload).map_err(|_| odd())?;
    match ack {
        Ack { error: Some(error), .. } => {
            let text = format!("the stream refused: {} ({})", error.description, error.code);
            // 10054: message size exceeds maximum allowed.
            Err(if error.description.contains("size exceeds") { Fault::too_large(text) } else { Fault::rejected("rejected", text) })
        }
        Ack { stream: Some(_), .. } => Ok(String::from_utf8_lossy(&reply.payload).into_owned()),
        Ack { .. } => Err(odd()),
    }
}
