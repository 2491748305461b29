//! Where and how a webhook delivers: the part of its settings that stands in the destination's sealed configuration.

use std::collections::BTreeMap;

use dispatch::http::{Auth, Content, HttpConfig, SecretEntry, SignatureForm, is_secret_header};
use kernel::{Error, FieldError, Kind, Result, Timestamp};
use serde_json::{Value, json};
use web::signature::WebhookSecret;

use super::{AuthInput, destination};

/// What is shown in place of a secret header's value; sent back, it means: as it was.
pub(crate) const MASK: &str = "***";
/// Most secrets at once, when rotations overlap.
const MAX_SECRETS: usize = 8;

/// Where and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) auth: AuthInput,
    pub(crate) signature: SignatureForm,
    pub(crate) ca_certificate: Option<String>,
    pub(crate) transform: Option<String>,
    pub(crate) content: Content,
    /// In place of `url`: another channel's configuration, with its credentials.
    pub(crate) destination: Option<Value>,
}

impl Target {
    pub(crate) fn default_method() -> String {
        "POST".to_owned()
    }

    /// The configuration of a new destination with this secret, made now.
    pub(crate) fn to_config(&self, secret: &WebhookSecret, now: Timestamp) -> Result<Value> {
        let first = SecretEntry { secret: secret.text().reveal().clone(), expires_at: None, created_at: Some(now) };
        self.with_secrets(vec![first])
    }

    /// In place of what `config` says, with its secrets.
    pub(crate) fn over(&self, config: &Value) -> Result<Value> {
        self.with_secrets(HttpConfig::read(config)?.secrets)
    }

    fn with_secrets(&self, secrets: Vec<SecretEntry>) -> Result<Value> {
        let auth = match self.auth.clone() {
            AuthInput::Basic { username, password } => Auth::Basic { username, password },
            AuthInput::Bearer { token } => Auth::Bearer { token },
            AuthInput::Hmac { secret, header } => Auth::Hmac { secret, header },
            AuthInput::Oauth2 { token_url, client_id, client_secret, scopes, audience, client_authentication } => {
                Auth::Oauth2 { token_url, client_id, client_secret, scopes, audience, client_authentication }
            }
            AuthInput::Mtls { certificate, private_key } => Auth::Mtls { certificate, private_key },
            AuthInput::None => Auth::None,
        };
        let (url, method, headers) = (self.url.clone(), self.method.clone(), self.headers.clone());
        let (signature, ca_certificate) = (self.signature, self.ca_certificate.clone());
        let (transform, content, destination) = (self.transform.clone(), self.content, self.destination.clone());
        to_json(&HttpConfig { url, method, headers, secrets, auth, signature, ca_certificate, transform, content, destination })
    }

    /// From a destination's configuration.
    pub(crate) fn of_config(config: &Value) -> Result<Self> {
        let config = HttpConfig::read(config)?;
        let auth = match config.auth {
            Auth::None => AuthInput::None,
            Auth::Basic { username, password } => AuthInput::Basic { username, password },
            Auth::Bearer { token } => AuthInput::Bearer { token },
            Auth::Hmac { secret, header } => AuthInput::Hmac { secret, header },
            Auth::Oauth2 { token_url, client_id, client_secret, scopes, audience, client_authentication } => {
                AuthInput::Oauth2 { token_url, client_id, client_secret, scopes, audience, client_authentication }
            }
            Auth::Mtls { certificate, private_key } => AuthInput::Mtls { certificate, private_key },
        };
        let HttpConfig { url, method, headers, signature, ca_certificate, transform, content, destination, .. } = config;
        Ok(Self { url, method, headers, auth, signature, ca_certificate, transform, content, destination })
    }

    /// Whether two configurations have the same secrets.
    pub(crate) fn same_secrets(a: &Value, b: &Value) -> bool {
        a.get("secrets") == b.get("secrets")
    }

    /// `config` with a new secret; the present ones sign until `until`, if that is not now, and never longer than before.
    pub(crate) fn with_new_secret(config: &Value, secret: &WebhookSecret, now: Timestamp, until: Timestamp) -> Result<Value> {
        let mut config = HttpConfig::read(config)?;
        let newest = SecretEntry { secret: secret.text().reveal().clone(), expires_at: None, created_at: Some(now) };
        let old = config.secrets.into_iter().map(|entry| {
            let expires_at = entry.expires_at.map_or(until, |at| at.min(until));
            SecretEntry { expires_at: Some(expires_at), ..entry }
        });
        let valid = old.filter(|entry| entry.expires_at.is_some_and(|at| at > now));
        config.secrets = std::iter::once(newest).chain(valid).take(MAX_SECRETS).collect();
        to_json(&config)
    }

    /// `auth` without its secrets.
    pub(crate) fn shown_auth(&self) -> Value {
        match &self.auth {
            AuthInput::None => json!({"type": "none"}),
            AuthInput::Basic { username, .. } => json!({"type": "basic", "username": username}),
            AuthInput::Bearer { .. } => json!({"type": "bearer"}),
            AuthInput::Hmac { header, .. } => json!({"type": "hmac", "header": header}),
            AuthInput::Oauth2 { token_url, client_id, scopes, audience, client_authentication, .. } => {
                let mut shown = json!({"type": "oauth2", "tokenUrl": token_url, "clientId": client_id, "scopes": scopes});
                shown["clientAuthentication"] = json!(client_authentication);
                if let Some(audience) = audience {
                    shown["audience"] = json!(audience);
                }
                shown
            }
            AuthInput::Mtls { certificate, .. } => json!({"type": "mtls", "certificate": certificate}),
        }
    }

    /// The headers, secret values masked.
    pub(crate) fn shown_headers(&self) -> BTreeMap<String, String> {
        let shown = |(name, value): (&String, &String)| {
            let value = if is_secret_header(name, value) { MASK.to_owned() } else { value.clone() };
            (name.clone(), value)
        };
        self.headers.iter().map(shown).collect()
    }

    /// With the values of `old` where the mask came back.
    pub(crate) fn unmasked(mut self, old: &Self) -> Self {
        for (name, value) in self.headers.iter_mut().filter(|(_, value)| *value == MASK) {
            let kept = old.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            if let Some((_, kept)) = kept.filter(|(name, value)| is_secret_header(name, value)) {
                value.clone_from(kept);
            }
        }
        self.destination = self.destination.map(|own| destination::unmasked(&own, old.destination.as_ref()));
        self
    }

    /// The mask is no value. Error: 422, where it stands for nothing that was there.
    pub(crate) fn check_masks(&self) -> Result<()> {
        match self.headers.iter().find(|(name, value)| *value == MASK && is_secret_header(name, value)) {
            Some((name, _)) => {
                let place = format!("/customHeaders/{}", name.replace('~', "~0").replace('/', "~1"));
                Err(Error::field(place, "is the mask that we show in place of a secret; give the value"))
            }
            None => Ok(()),
        }
    }
}

fn to_json(config: &HttpConfig) -> Result<Value> {
    serde_json::to_value(config).map_err(Error::internal)
}

/// A fault that the channel found, in the words of this API: where it stands in a webhook's body, and one code for every refused URL.
pub(crate) fn explain(error: Error) -> Error {
    let renamed = |pointer: &str| match pointer.strip_prefix("/headers") {
        Some(rest) => format!("/customHeaders{rest}"),
        None if pointer == "/method" => "/httpMethod".to_owned(),
        None => pointer.to_owned(),
    };
    if error.kind() != Kind::Invalid {
        return error;
    }
    let fields = error.fields().iter().map(|field| FieldError { pointer: renamed(&field.pointer), detail: field.detail.clone() }).collect();
    let code = if error.code().starts_with("url_") { "url_refused" } else { error.code() };
    Error::invalid(code, error.detail().to_owned()).with_fields(fields)
}
