//! What an HTTP destination is configured by.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use kernel::{Error, Result, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::outbound::{TlsFault, TlsSettings};
use web::signature::WebhookSecret;

/// Most custom headers.
pub const MAX_HEADERS: usize = 30;
/// Longest value of a custom header, and of a credential, in bytes.
pub(super) const MAX_VALUE: usize = 4096;
/// Most secrets at once: rotations overlap.
const MAX_SECRETS: usize = 8;
/// Longest text of certificates and keys, in bytes.
const MAX_PEM: usize = 64 * 1024;
/// Most scopes of an access token.
const MAX_SCOPES: usize = 50;

/// Ours, and those that belong to the connection (RFC 9110 §7.6.1).
const RESERVED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Configuration of an HTTP destination.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpConfig {
    /// Where to.
    pub url: String,
    /// POST, PUT or PATCH.
    #[serde(default = "post")]
    pub method: String,
    /// Custom headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Signing secrets, the newest first.
    #[serde(default)]
    pub secrets: Vec<SecretEntry>,
    /// How we present ourselves to the receiver.
    #[serde(default)]
    pub auth: Auth,
    /// Which signatures are sent.
    #[serde(default)]
    pub signature: SignatureForm,
    /// Certificate authorities in PEM that are trusted beside the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// A JavaScript function that shapes each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// What the body has.
    #[serde(default, skip_serializing_if = "Content::is_full")]
    pub content: Content,
    /// Another channel's own part, where this is another channel's configuration: `url` is empty then. The rest has one form for all
    /// channels, so that secrets are kept and rotated in one way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Value>,
}

/// What a body has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The whole event.
    #[default]
    Full,
    /// Id, type, time, and where the event can be read.
    Thin,
}

impl Content {
    fn is_full(&self) -> bool {
        *self == Self::Full
    }
}

/// Which signatures a delivery carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureForm {
    /// HMAC with the webhook's secret, and the product's own form where it has one.
    #[default]
    V1,
    /// Ed25519 with the tenant's key, and nothing that needs a secret.
    V1a,
    /// All of these.
    Both,
}

impl SignatureForm {
    /// Whether the webhook's secret signs.
    pub fn is_symmetric(self) -> bool {
        self != Self::V1a
    }

    /// Whether the tenant's key signs.
    pub fn is_asymmetric(self) -> bool {
        self != Self::V1
    }
}

/// A signing secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretEntry {
    /// Its text, `whsec_…`.
    pub secret: String,
    /// No signature with it from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was made, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// How we present ourselves to the receiver.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic {
        /// User name, without a colon.
        username: String,
        /// Password.
        password: String,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// Token.
        token: String,
    },
    /// A header with the hexadecimal HMAC-SHA256 of the body.
    Hmac {
        /// Key.
        secret: String,
        /// Name of the header.
        header: String,
    },
    /// `Authorization: Bearer` with an access token that we fetch (RFC 6749 §4.4, client credentials).
    Oauth2 {
        /// Where tokens are had.
        token_url: String,
        /// Our id there.
        client_id: String,
        /// Our secret there.
        client_secret: String,
        /// What is asked for.
        #[serde(default)]
        scopes: Vec<String>,
        /// Whom the token is for, where the server wants to know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// How we present ourselves to the token endpoint.
        #[serde(default)]
        client_authentication: ClientAuthentication,
    },
    /// A certificate of ours in the TLS handshake.
    Mtls {
        /// The certificate chain in PEM, the leaf first.
        certificate: String,
        /// Its private key in PEM.
        private_key: String,
    },
}

/// How we present ourselves to a token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuthentication {
    /// `Authorization: Basic`.
    #[default]
    Header,
    /// `client_id` and `client_secret` in the body.
    Body,
}

impl Auth {
    /// Whether `Authorization` is ours.
    pub(super) fn takes_authorization(&self) -> bool {
        matches!(self, Self::Basic { .. } | Self::Bearer { .. } | Self::Oauth2 { .. })
    }

    /// The header of the body's own signature, if there is one.
    pub(super) fn body_header(&self) -> Option<&str> {
        match self {
            Self::Hmac { header, .. } => Some(header),
            _ => None,
        }
    }
}

fn post() -> String {
    "POST".to_owned()
}

impl HttpConfig {
    /// Reads a configuration. Error: 422.
    pub fn read(config: &Value) -> Result<Self> {
        Self::deserialize(config).map_err(|error| Error::field("", error.to_string()))
    }

    /// Everything but the URL's verdict. `own` are the blueprint's header names.
    pub(super) fn check(&self, own: &[&HeaderName]) -> Result<()> {
        if self.destination.is_some() {
            return Err(Error::field("/destination", "is another channel's"));
        }
        if !matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            return Err(Error::field("/method", "must be POST, PUT or PATCH"));
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(Error::field("/headers", format!("must have at most {MAX_HEADERS} entries")));
        }
        for (name, value) in &self.headers {
            let place = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            header(&place, name, own, !self.auth.takes_authorization())?;
            if value.len() > MAX_VALUE || HeaderValue::from_str(value).is_err() {
                return Err(Error::field(place, "must be at most 4096 bytes without control characters"));
            }
        }
        if self.secrets.len() > MAX_SECRETS {
            return Err(Error::field("/secrets", format!("must have at most {MAX_SECRETS} entries")));
        }
        for (index, entry) in self.secrets.iter().enumerate() {
            WebhookSecret::parse(&entry.secret).map_err(|error| error.at(format!("/secrets/{index}"), "is not a webhook secret"))?;
        }
        self.check_auth(own)?;
        self.tls().map(drop)
    }

    /// The destination's own TLS settings, if it has some. Errors: 422 `validation_failed`, at the part that cannot be used.
    pub(super) fn tls(&self) -> Result<Option<TlsSettings>> {
        let identity = match &self.auth {
            Auth::Mtls { certificate, private_key } => Some((certificate.as_str(), Secret::new(private_key.clone()))),
            _ => None,
        };
        let authorities = self.ca_certificate.as_deref();
        if identity.is_none() && authorities.is_none() {
            return Ok(None);
        }
        let long = |text: &str| text.len() > MAX_PEM;
        let refuse = |place: &str, why: &str| Error::field(place, why);
        if identity.as_ref().is_some_and(|(chain, key)| long(chain) || long(key.reveal())) || authorities.is_some_and(long) {
            return Err(refuse("/caCertificate", "certificates and keys have at most 65536 bytes"));
        }
        let identity = identity.as_ref().map(|(chain, key)| (*chain, key));
        TlsSettings::read(identity, authorities).map(Some).map_err(|fault| match fault {
            TlsFault::Certificate(why) => refuse("/auth/certificate", why),
            TlsFault::Key(why) => refuse("/auth/privateKey", why),
            TlsFault::Authority(why) => refuse("/caCertificate", why),
        })
    }

    fn check_auth(&self, own: &[&HeaderName]) -> Result<()> {
        let credential = |place: &str, text: &str| {
            let fits = !text.is_empty() && text.len() <= MAX_VALUE && HeaderValue::from_str(text).is_ok();
            if fits { Ok(()) } else { Err(Error::field(place, "must have 1 to 4096 bytes without control characters")) }
        };
        match &self.auth {
            Auth::None => Ok(()),
            Auth::Basic { username, password } => {
                if username.contains(':') {
                    return Err(Error::field("/auth/username", "must not contain a colon"));
                }
                credential("/auth/username", username)?;
                credential("/auth/password", password)
            }
            Auth::Bearer { token } => credential("/auth/token", token),
            Auth::Hmac { secret, header: name } => {
                credential("/auth/secret", secret)?;
                header("/auth/header", name, own, true)
            }
            Auth::Oauth2 { client_id, client_secret, scopes, audience, .. } => {
                credential("/auth/clientId", client_id)?;
                credential("/auth/clientSecret", client_secret)?;
                if scopes.len() > MAX_SCOPES {
                    return Err(Error::field("/auth/scopes", format!("must have at most {MAX_SCOPES} items")));
                }
                // RFC 6749 §3.3: printable, without spaces, quotes and backslashes.
                let is_scope = |scope: &String| {
                    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                    (1..=256).contains(&scope.len()) && scope.bytes().all(fits)
                };
                if let Some(n) = scopes.iter().position(|scope| !is_scope(scope)) {
                    return Err(Error::field(format!("/auth/scopes/{n}"), "must be 1 to 256 printable characters without spaces"));
                }
                audience.as_ref().map_or(Ok(()), |text| credential("/auth/audience", text))
            }
            Auth::Mtls { .. } if !self.url.starts_with("https://") => Err(Error::field("/url", "must begin with https:// for mutual TLS")),
            Auth::Mtls { .. } => Ok(()),
        }
    }
}

/// Whether a custom header of this name may be sent.
fn header(place: &str, name: &str, own: &[&HeaderName], authorization: bool) -> Result<()> {
    let Ok(parsed) = name.parse::<HeaderName>() else { return Err(Error::field(place, "is not a header name")) };
    if is_ours(&parsed, own, !authorization) {
        return Err(Error::field(place, "is set by us and cannot be overridden"));
    }
    Ok(())
}

/// Whether a header of this name is set by us; `Authorization` if we take it.
pub(super) fn is_ours(name: &HeaderName, own: &[&HeaderName], takes_authorization: bool) -> bool {
    let text = name.as_str();
    RESERVED.contains(&text) || text.starts_with("webhook-") || own.contains(&name) || (text == "authorization" && takes_authorization)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[allow(clippy::needless_pass_by_value, reason = "called with literals")]
    fn fault(config: Value) -> String {
        let own: HeaderName = "X-TPX-Event".parse().unwrap();
        let outcome = HttpConfig::read(&config).and_then(|parsed| parsed.check(&[&own]));
        outcome.err().map_or_else(String::new, |error| error.fields()[0].pointer.clone())
    }

    #[test]
    fn refuses_what_would_override_ours() {
        for name in
            ["Host", "content-type", "Webhook-Id", "webhook-anything", "x-tpx-EVENT", "Transfer-Encoding", "Connection", "bad name", ""]
        {
            assert!(fault(json!({ "url": "https://a.example", "headers": { name: "x" } })).starts_with("/headers/"), "{name}");
        }
        assert_eq!(fault(json!({ "url": "https://a.example", "headers": { "X-Api-Key": "x", "Authorization": "y" } })), "");
        let both = json!({ "url": "https://a.example", "headers": { "authorization": "y" }, "auth": { "type": "bearer", "token": "t" } });
        assert_eq!(fault(both), "/headers/authorization");
        assert_eq!(fault(json!({ "url": "https://a.example", "headers": { "X-A": "a\r\nHost: b" } })), "/headers/X-A");
    }

    #[test]
    fn refuses_other_faults() {
        assert_eq!(fault(json!({ "url": "u", "method": "GET" })), "/method");
        assert_eq!(fault(json!({ "url": "u", "secrets": [{ "secret": "whsec_short" }] })), "/secrets/0");
        assert_eq!(fault(json!({ "url": "u", "auth": { "type": "basic", "username": "a:b", "password": "c" } })), "/auth/username");
        assert_eq!(fault(json!({ "url": "u", "auth": { "type": "hmac", "secret": "s", "header": "Host" } })), "/auth/header");
        let oauth = |change: Value| {
            let mut auth = json!({ "type": "oauth2", "tokenUrl": "https://a.example/token", "clientId": "c", "clientSecret": "s" });
            for (name, value) in change.as_object().unwrap() {
                auth[name] = value.clone();
            }
            fault(json!({ "url": "u", "auth": auth }))
        };
        assert_eq!(oauth(json!({ "scopes": ["a", "b:c"], "audience": "x", "clientAuthentication": "body" })), "");
        assert_eq!(oauth(json!({ "scopes": ["a", "b c"] })), "/auth/scopes/1");
        assert_eq!(oauth(json!({ "clientSecret": "" })), "/auth/clientSecret");
        assert_eq!(oauth(json!({ "audience": "a\nb" })), "/auth/audience");
        let pem = json!({ "type": "mtls", "certificate": "x", "privateKey": "y" });
        assert_eq!(fault(json!({ "url": "http://a.example", "auth": pem })), "/url");
        assert_eq!(fault(json!({ "url": "https://a.example", "auth": pem })), "/auth/certificate");
        assert_eq!(fault(json!({ "url": "https://a.example", "caCertificate": "nothing" })), "/caCertificate");
        assert!(HttpConfig::read(&json!({ "url": "u", "signature": "v2" })).is_err());
        assert!(HttpConfig::read(&json!({ "url": "u", "auth": { "type": "oauth9" } })).is_err());
        assert!(HttpConfig::read(&json!({ "url": "u", "surprise": 1 })).is_err());
    }
}
