//! What an HTTP destination is configured by.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::signature::WebhookSecret;

/// Most custom headers.
pub const MAX_HEADERS: usize = 30;
/// Longest value of a custom header, and of a credential, in bytes.
const MAX_VALUE: usize = 4096;
/// Most secrets at once: rotations overlap.
const MAX_SECRETS: usize = 8;

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
}

/// How we present ourselves to the receiver.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
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
        if !matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            return Err(Error::field("/method", "must be POST, PUT or PATCH"));
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(Error::field("/headers", format!("must have at most {MAX_HEADERS} entries")));
        }
        for (name, value) in &self.headers {
            let place = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            header(&place, name, own, !matches!(self.auth, Auth::Basic { .. } | Auth::Bearer { .. }))?;
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
        self.check_auth(own)
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
        }
    }
}

/// Whether a custom header of this name may be sent.
fn header(place: &str, name: &str, own: &[&HeaderName], authorization: bool) -> Result<()> {
    let Ok(parsed) = name.parse::<HeaderName>() else { return Err(Error::field(place, "is not a header name")) };
    let text = parsed.as_str();
    let ours = RESERVED.contains(&text) || text.starts_with("webhook-") || own.contains(&&parsed);
    if ours || (text == "authorization" && !authorization) {
        return Err(Error::field(place, "is set by us and cannot be overridden"));
    }
    Ok(())
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
        assert!(HttpConfig::read(&json!({ "url": "u", "auth": { "type": "oauth9" } })).is_err());
        assert!(HttpConfig::read(&json!({ "url": "u", "surprise": 1 })).is_err());
    }
}
