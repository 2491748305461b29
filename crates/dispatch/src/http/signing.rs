//! What signs an attempt, and the headers that say so.

use http::{HeaderName, HeaderValue};
use kernel::{Error, Result};
use web::signature::{SigningKey, WebhookSecret, sign_asymmetric, sign_legacy, sign_standard};

use super::prepared::HttpTarget;
use super::{Form, HttpChannel, ID, SEQUENCE, SIGNATURE, TIMESTAMP};
use crate::channel::AttemptInput;

/// The secrets and keys that sign an attempt, in the order in which their signatures stand in the header.
pub(super) struct Signers {
    secrets: Vec<WebhookSecret>,
    keys: Vec<SigningKey>,
}

impl Signers {
    /// Those of a destination now. Error: no key can be had although the webhook asks for one; then nothing must be sent.
    pub(super) async fn of(channel: &HttpChannel, target: &HttpTarget, input: &AttemptInput<'_>) -> Result<Self> {
        let secrets = target.secrets_at(input.now);
        if !target.signature.is_asymmetric() {
            return Ok(Self { secrets, keys: Vec::new() });
        }
        let missing = || Error::internal("a webhook asks for v1a, and its tenant has no key");
        let source = channel.keys.as_ref().ok_or_else(missing)?;
        let keys = Box::pin(source.signing(input.destination.tenant, input.now)).await?;
        if keys.is_empty() { Err(missing()) } else { Ok(Self { secrets, keys }) }
    }

    /// Their ids, in the same order.
    pub(super) fn kids(&self) -> Vec<String> {
        self.secrets.iter().map(WebhookSecret::kid).chain(self.keys.iter().map(|key| key.public().kid())).collect()
    }

    fn signature(&self, id: &str, at: i64, body: &[u8]) -> String {
        let symmetric = sign_standard(&self.secrets, id, at, body);
        if self.keys.is_empty() {
            return symmetric;
        }
        let asymmetric = sign_asymmetric(&self.keys, id, at, body);
        let gap = if symmetric.is_empty() || asymmetric.is_empty() { "" } else { " " };
        format!("{symmetric}{gap}{asymmetric}")
    }

    /// One `v1` per secret behind one `t`, the newest first, so that receivers which read only one find the current one.
    fn legacy(&self, at: i64, body: &[u8]) -> String {
        let mut out = String::new();
        for secret in &self.secrets {
            let one = sign_legacy(secret.text().reveal(), at, body);
            match (out.is_empty(), one.split_once(',')) {
                (false, Some((_, signature))) => {
                    out.push(',');
                    out.push_str(signature);
                }
                _ => out = one,
            }
        }
        out
    }

    /// Gives `put` the headers of an attempt: Standard Webhooks', and the blueprint's.
    pub(super) fn headers(&self, form: &Form, input: &AttemptInput<'_>, body: &[u8], mut put: impl FnMut(&HeaderName, HeaderValue)) {
        let (event, at) = (input.event, input.now.seconds());
        let mut put = |name: &HeaderName, value: String| {
            // Ids, numbers and base64 are always header values.
            if let Ok(value) = HeaderValue::try_from(value) {
                put(name, value);
            }
        };
        let id = event.id.as_str();
        put(&ID, id.to_owned());
        put(&TIMESTAMP, at.to_string());
        let signature = self.signature(id, at, body);
        if !signature.is_empty() {
            put(&SIGNATURE, signature);
        }
        if input.seq > 0 {
            put(&SEQUENCE, input.seq.to_string());
        }
        if let Some(name) = &form.id {
            put(name, id.to_owned());
        }
        if let Some(name) = &form.event {
            put(name, event.event_type.as_str().to_owned());
        }
        if let Some(name) = &form.timestamp {
            put(name, input.now.to_string());
        }
        if let (Some(name), false) = (&form.signature, self.secrets.is_empty()) {
            put(name, self.legacy(at, body));
        }
    }
}
