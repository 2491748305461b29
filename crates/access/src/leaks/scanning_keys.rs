//! The public keys by which GitHub signs its reports: given, or fetched from where GitHub publishes them and kept for a day.
//!
//! A report that names a key that we do not know makes us look again, at most once a minute: strangers cannot make us call out oftener.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use kernel::{Ambient, Error, Result, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;
use web::outbound::{Client, OutboundRequest};
use web::signature::EcdsaPublicKey;

/// How long fetched keys are kept.
const KEPT_FOR: Duration = Duration::from_hours(24);
/// How soon it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest list of keys in bytes.
const MAX_LIST: usize = 64 * 1024;

/// As GitHub publishes them.
#[derive(Deserialize)]
struct List {
    public_keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key_identifier: String,
    key: String,
}

type Known = HashMap<String, EcdsaPublicKey>;

/// Public keys by their identifier.
pub struct ScanningKeys(Source);

enum Source {
    Given(Known),
    Fetched(Box<Published>),
}

/// Where keys are published, and what is known from there.
struct Published {
    client: Client,
    uri: Uri,
    ambient: Ambient,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl ScanningKeys {
    /// From a list in GitHub's form: `{"public_keys": [{"key_identifier", "key": "<PEM>", "is_current"}]}`. Error: 422 `invalid_public_key`.
    pub fn given(json: &str) -> Result<Self> {
        read(json.as_bytes()).map(|known| Self(Source::Given(known)))
    }

    /// From where they are published, when they are first needed. Error: 422, for what is no URL that may be called.
    pub fn published(client: Client, url: &str, ambient: Ambient) -> Result<Self> {
        let refused = |refusal: &dyn std::fmt::Display| Error::invalid("invalid_public_key", format!("The keys' address: {refusal}"));
        let url = client.verdict_on_syntax(url).map_err(|refusal| refused(&refusal))?;
        let uri = web::outbound::to_uri(&url).map_err(|error| refused(&error))?;
        Ok(Self(Source::Fetched(Box::new(Published { client, uri, ambient, state: Mutex::default() }))))
    }

    /// The key of this identifier; none: nobody publishes it (or it cannot be learned now).
    pub(super) async fn find(&self, identifier: &str) -> Option<EcdsaPublicKey> {
        let published = match &self.0 {
            Source::Given(known) => return known.get(identifier).cloned(),
            Source::Fetched(published) => published,
        };
        let mut state = published.state.lock().await;
        let now = published.ambient.now();
        let is_fresh = state.fetched_at.is_some_and(|at| at.plus(KEPT_FOR) > now);
        let may_try = state.tried_at.is_none_or(|at| at.plus(AGAIN_AFTER) <= now);
        if may_try && !(is_fresh && state.known.contains_key(identifier)) {
            state.tried_at = Some(now);
            match fetch(&published.client, &published.uri).await {
                Ok(known) => {
                    state.known = known;
                    state.fetched_at = Some(now);
                }
                // Keys that were good yesterday are good while the publisher is away.
                Err(error) => tracing::warn!(%error, "the keys of secret scanning could not be fetched"),
            }
        }
        state.known.get(identifier).cloned()
    }
}

async fn fetch(client: &Client, uri: &Uri) -> Result<Known> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("tradewind"));
    let request = OutboundRequest {
        method: Method::GET,
        uri: uri.clone(),
        headers,
        body: Bytes::new(),
        timeout: TIMEOUT,
        response_cap: MAX_LIST,
        repeatable: false,
    };
    let answer = client.send(request).await.map_err(Error::internal)?;
    if answer.status != http::StatusCode::OK || answer.truncated {
        return Err(Error::internal(format!("the publisher answered {}", answer.status)));
    }
    read(&answer.body)
}

fn read(json: &[u8]) -> Result<Known> {
    let fault = |error| Error::invalid("invalid_public_key", "This is no list of public keys as GitHub publishes them.").caused_by(error);
    let list: List = serde_json::from_slice(json).map_err(fault)?;
    list.public_keys.into_iter().map(|one| Ok((one.key_identifier, EcdsaPublicKey::from_pem(&one.key)?))).collect()
}
