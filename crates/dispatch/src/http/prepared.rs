//! A configuration parsed for sending: done once per change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Error, Result, Secret, Timestamp};
use sha2::Sha256;
use web::outbound::TlsSettings;
use web::signature::WebhookSecret;

use super::configuration::{Auth, Content, HttpConfig, SignatureForm};
use super::echoes::Echoes;
use super::tokens::Grant;
use super::transform::Transform;

/// What stands in the log in place of a secret.
pub(super) const MASK: HeaderValue = HeaderValue::from_static("***");
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
    pub(super) secrets: Vec<(WebhookSecret, Option<Timestamp>)>,
    pub(super) body_key: Option<(HeaderName, Secret<Vec<u8>>)>,
    /// Which signatures are sent.
    pub(super) signature: SignatureForm,
    /// Where the access token comes from, if the receiver wants one.
    pub(super) grant: Option<Grant>,
    /// TLS settings of its own.
    pub(super) tls: Option<TlsSettings>,
    /// The function that shapes each request.
    pub(super) transform: Option<Transform>,
    /// Whether the body only says where the event can be read.
    pub(super) is_thin: bool,
    /// What must not come back into the log.
    pub(super) echoes: Echoes,
}

impl HttpTarget {
    pub(super) fn new(config: &HttpConfig) -> Result<Self> {
        let broken = |what: &str| Error::internal(format!("a stored configuration has a broken {what}"));
        let url = url::Url::parse(&config.url).map_err(|_| broken("URL"))?;
        let uri = web::outbound::to_uri(&url).map_err(|_| broken("URL"))?;
        let method = config.method.parse().map_err(|_| broken("method"))?;
        // Room for what each attempt adds to its copy.
        let mut headers = HeaderMap::with_capacity(config.headers.len() + 16);
        for (name, value) in &config.headers {
            let name: HeaderName = name.parse().map_err(|_| broken("header"))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| broken("header"))?);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        let (mut body_key, mut grant) = (None, None);
        match &config.auth {
            // What is shown in the handshake is part of the TLS settings.
            Auth::None | Auth::Mtls { .. } => {}
            Auth::Oauth2 { .. } => grant = Some(Grant::new(&config.auth).ok_or_else(|| broken("token URL"))?),
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
        let (signature, tls) = (config.signature, config.tls()?);
        let (transform, is_thin) = (Transform::of(config).map_err(Error::internal)?, config.content == Content::Thin);
        let echoes = Echoes::of(config);
        Ok(Self { uri, method, headers, shown, secrets, body_key, signature, grant, tls, transform, is_thin, echoes })
    }

    /// The secrets that sign at `now`, the newest first.
    pub(super) fn secrets_at(&self, now: Timestamp) -> Vec<WebhookSecret> {
        if !self.signature.is_symmetric() {
            return Vec::new();
        }
        self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(secret, _)| secret.clone()).collect()
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

/// Whether a custom header is taken for a credential, by its name or by how its value begins: such values are shown nowhere.
pub fn is_secret_header(name: &str, value: &str) -> bool {
    let begins = |scheme: &str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    is_telling(&name.to_ascii_lowercase()) || begins("bearer ") || begins("basic ")
}

fn is_telling(name: &str) -> bool {
    TELLING.iter().any(|word| name.contains(word))
}

fn masked(headers: &HeaderMap, chosen: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let telling = |name: &HeaderName| chosen(name) || is_telling(name.as_str());
    headers.iter().map(|(name, value)| (name.clone(), if telling(name) { MASK } else { value.clone() })).collect()
}
