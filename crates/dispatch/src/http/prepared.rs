//! A configuration parsed for sending: done once per change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Error, Result, Secret, Timestamp};
use sha2::Sha256;
use web::signature::WebhookSecret;

use super::configuration::{Auth, HttpConfig};

/// What stands in the log in place of a secret.
const MASK: HeaderValue = HeaderValue::from_static("***");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Tradewind/", env!("CARGO_PKG_VERSION")));
/// Custom headers whose names contain one of these are taken for credentials.
const TELLING: &[&str] = &["auth", "cookie", "key", "pass", "secret", "token", "credential", "signature"];

pub(super) struct HttpTarget {
    pub(super) uri: Uri,
    pub(super) method: Method,
    /// What is the same on every attempt.
    pub(super) headers: HeaderMap,
    /// The same for the log, secrets masked.
    pub(super) shown: HeaderMap,
    secrets: Vec<(WebhookSecret, Option<Timestamp>)>,
    body_key: Option<(HeaderName, Secret<Vec<u8>>)>,
}

impl HttpTarget {
    pub(super) fn new(config: &HttpConfig) -> Result<Self> {
        let broken = |what: &str| Error::internal(format!("a stored configuration has a broken {what}"));
        let url = url::Url::parse(&config.url).map_err(|_| broken("URL"))?;
        let uri = web::outbound::to_uri(&url).map_err(|_| broken("URL"))?;
        let method = config.method.parse().map_err(|_| broken("method"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let name: HeaderName = name.parse().map_err(|_| broken("header"))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| broken("header"))?);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        let mut body_key = None;
        match &config.auth {
            Auth::None => {}
            Auth::Basic { username, password } => {
                let text = format!("Basic {}", STANDARD.encode(format!("{username}:{password}")));
                headers.insert(AUTHORIZATION, HeaderValue::from_str(&text).map_err(|_| broken("credential"))?);
            }
            Auth::Bearer { token } => {
                headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| broken("credential"))?);
            }
            Auth::Hmac { secret, header } => {
                let name = header.parse().map_err(|_| broken("header"))?;
                body_key = Some((name, Secret::new(secret.as_bytes().to_vec())));
            }
        }
        let secrets = config.secrets.iter().map(|entry| Ok((WebhookSecret::parse(&entry.secret)?, entry.expires_at)));
        let secrets = secrets.collect::<Result<Vec<_>>>()?;
        // A header that the tenant chose may be anything, a credential too: its value is not for the log.
        let chosen = |name: &HeaderName| config.headers.iter().any(|(own, _)| name.as_str().eq_ignore_ascii_case(own));
        let shown = masked(&headers, chosen);
        Ok(Self { uri, method, headers, shown, secrets, body_key })
    }

    /// The secrets that sign at `now`, and their texts.
    pub(super) fn secrets_at(&self, now: Timestamp) -> (Vec<WebhookSecret>, Vec<&str>) {
        let valid = || self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(secret, _)| secret);
        (valid().cloned().collect(), valid().map(|secret| secret.text().reveal().as_str()).collect())
    }

    /// Adds the receiver's own body signature, if it asks for one.
    pub(super) fn sign_body(&self, headers: &mut HeaderMap, shown: &mut HeaderMap, body: &[u8]) {
        let Some((name, key)) = &self.body_key else { return };
        let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal()).expect("HMAC takes a key of any length");
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Ok(value) = HeaderValue::from_str(&hex) {
            headers.insert(name.clone(), value.clone());
            shown.insert(name.clone(), value);
        }
    }
}

fn masked(headers: &HeaderMap, chosen: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let telling = |name: &HeaderName| chosen(name) || TELLING.iter().any(|word| name.as_str().contains(word));
    headers.iter().map(|(name, value)| (name.clone(), if telling(name) { MASK } else { value.clone() })).collect()
}
