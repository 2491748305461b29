//! What a provider says of itself (OpenID Connect Discovery 1.0), its keys, and what it is asked. Everything by the guarded client.

use std::sync::Arc;
use std::time::Duration;

use access::jose::JwkSet;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::form_urlencoded::{Serializer, byte_serialize};
use web::outbound::{Client, OutboundRequest, to_uri};

use super::ProviderConfig;

/// How long what a provider says of itself, and its keys, are kept.
const KEPT_FOR: Duration = Duration::from_mins(10);
/// How soon keys are fetched again for a signature that none fits.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(8);
const MAX_ANSWER: usize = 128 * 1024;

/// See the module.
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    client: Client,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Timestamp, Arc<Metadata>)>,
    keys: Option<(Timestamp, Arc<JwkSet>)>,
}

/// What a provider says of itself, as far as we ask.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) names_itself: bool,
}

/// What a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
}

fn unavailable(why: impl std::fmt::Display) -> Error {
    tracing::warn!(%why, "another OpenID provider could not be asked");
    Error::unavailable("provider_unavailable", "The other provider cannot be reached just now. Try again, or sign in another way.")
}

impl Provider {
    pub(crate) fn new(config: ProviderConfig, client: Client) -> Self {
        Self { config, client, known: Mutex::default() }
    }

    /// What it says of itself. Error: 503 `provider_unavailable`.
    pub(super) async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>> {
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = known.metadata.as_ref().filter(|(at, _)| now.since(*at) < KEPT_FOR) {
            return Ok(Arc::clone(metadata));
        }
        let address = format!("{}/.well-known/openid-configuration", self.config.issuer.trim_end_matches('/'));
        let fetched: Result<Metadata> = self.get(&address, None).await;
        let metadata = match (fetched, known.metadata.as_ref()) {
            // Discovery 1.0 §4.3: else anybody could speak for it.
            (Ok(metadata), _) if metadata.issuer == self.config.issuer => Arc::new(metadata),
            (Ok(metadata), _) => {
                return Err(unavailable(format!("it calls itself {} in place of {}", metadata.issuer, self.config.issuer)));
            }
            // Away for a moment: what it said before still holds.
            (Err(_), Some((_, before))) => Arc::clone(before),
            (Err(error), None) => return Err(error),
        };
        known.metadata = Some((now, Arc::clone(&metadata)));
        Ok(metadata)
    }

    /// Its keys. `anew`: those that we have did not fit, and a provider changes them now and then. Error: 503 `provider_unavailable`.
    pub(super) async fn keys(&self, metadata: &Metadata, anew: bool, now: Timestamp) -> Result<Arc<JwkSet>> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            let age = now.since(*at);
            if age < AGAIN_AFTER || (age < KEPT_FOR && !anew) {
                return Ok(Arc::clone(keys));
            }
        }
        let value: serde_json::Value = self.get(&metadata.jwks_uri, None).await?;
        let keys = Arc::new(JwkSet::read(&value).map_err(unavailable)?);
        known.keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    /// Exchanges a code. None: it is not good. Error: 503 `provider_unavailable`.
    pub(super) async fn redeem(&self, metadata: &Metadata, code: &str, verifier: &str, way_back: &str) -> Result<Option<Tokens>> {
        let (headers, form) = self.asking(metadata, code, verifier, way_back)?;
        let (status, body) = self.send(Method::POST, &metadata.token_endpoint, headers, form.into()).await?;
        if status.is_client_error() {
            // What it says of the code is for the log: a stranger may have made it up.
            tracing::info!(%status, provider = %self.config.slug, "a code was refused by its provider");
            return Ok(None);
        }
        if status != StatusCode::OK {
            return Err(unavailable(format!("its token endpoint answered {status}")));
        }
        serde_json::from_slice(&body).map(Some).map_err(unavailable)
    }

    /// The form that exchanges a code, and what proves who asks.
    fn asking(&self, metadata: &Metadata, code: &str, verifier: &str, way_back: &str) -> Result<(HeaderMap, String)> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", way_back).append_pair("code_verifier", verifier);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        // Discovery 1.0 §3: what is not said is client_secret_basic.
        let is_basic = methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"));
        match &self.config.client_secret {
            Some(secret) if is_basic => {
                headers.insert(header::AUTHORIZATION, basic(&self.config.client_id, secret.reveal())?);
            }
            Some(secret) => {
                form.append_pair("client_id", &self.config.client_id).append_pair("client_secret", secret.reveal());
            }
            None => {
                form.append_pair("client_id", &self.config.client_id);
            }
        }
        Ok((headers, form.finish()))
    }

    /// What it says about the holder of an access token. None: it has no place for that. Error: 503 `provider_unavailable`.
    pub(super) async fn userinfo<T: DeserializeOwned>(&self, metadata: &Metadata, token: &str) -> Result<Option<T>> {
        let Some(address) = &metadata.userinfo_endpoint else { return Ok(None) };
        self.get(address, Some(token)).await.map(Some)
    }

    async fn get<T: DeserializeOwned>(&self, address: &str, bearer: Option<&str>) -> Result<T> {
        let mut headers = HeaderMap::new();
        if let Some(token) = bearer {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(unavailable)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let (status, body) = self.send(Method::GET, address, headers, Bytes::new()).await?;
        if status != StatusCode::OK {
            return Err(unavailable(format!("{address} answered {status}")));
        }
        serde_json::from_slice(&body).map_err(unavailable)
    }

    async fn send(&self, method: Method, address: &str, mut headers: HeaderMap, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let url = self.client.verdict(address).await.map_err(unavailable)?;
        let uri = to_uri(&url).map_err(unavailable)?;
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("tradewind"));
        let request = OutboundRequest { method, uri, headers, body, timeout: TIMEOUT, response_cap: MAX_ANSWER, repeatable: false };
        let answer = self.client.send(request).await.map_err(unavailable)?;
        if answer.truncated { Err(unavailable("its answer is too long")) } else { Ok((answer.status, answer.body)) }
    }
}

/// RFC 6749 §2.3.1: both are written as in a form first.
fn basic(id: &str, secret: &str) -> Result<HeaderValue> {
    let written = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", written(id), written(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
}
