//! A source's secrets: the present one, and until its overlap is over the one before.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Ambient, Error, Result, Secret, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Sealer;
use web::signature::WebhookSecret;

use super::SourceSettings;
use crate::providers::{Provider, SecretEncoding};

/// Most secrets that are valid at once.
const MOST: usize = 2;

/// One of them.
#[derive(Clone, Debug)]
struct Entry {
    text: Secret<String>,
    /// None: until it is replaced.
    expires_at: Option<Timestamp>,
}

/// Secrets, the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<Entry>);

/// As they are sealed.
#[derive(Serialize, Deserialize)]
struct Stored {
    secret: String,
    expires_at: Option<Timestamp>,
}

impl Secrets {
    /// With one, or with none yet.
    pub(crate) fn of(secret: Option<Secret<String>>) -> Self {
        Self(secret.map(|text| Entry { text, expires_at: None }).into_iter().collect())
    }

    /// With a new one in front; the one before stays valid for `overlap`.
    pub(crate) fn replaced(self, secret: Secret<String>, now: Timestamp, overlap: Duration) -> Self {
        let until = now.plus(overlap);
        let old = self.0.into_iter().filter(|entry| entry.expires_at.is_none_or(|at| at > now)).map(|entry| {
            let expires_at = entry.expires_at.map_or(until, |at| at.min(until));
            Entry { expires_at: Some(expires_at), ..entry }
        });
        let newest = Entry { text: secret, expires_at: None };
        Self(std::iter::once(newest).chain(old.filter(|entry| entry.expires_at.is_some_and(|at| at > now))).take(MOST).collect())
    }

    /// Those that are valid at `now`, the newest first.
    pub(crate) fn valid(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |entry| entry.expires_at.is_none_or(|at| at > now)).map(|entry| entry.text.reveal().as_str())
    }

    /// Until when the one before is valid.
    pub(crate) fn previous_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.iter().filter_map(|entry| entry.expires_at).filter(|at| *at > now).max()
    }

    /// Whether one is valid.
    pub(crate) fn any(&self, now: Timestamp) -> bool {
        self.valid(now).next().is_some()
    }

    pub(crate) fn seal(&self, sealer: &Sealer, id: SourceId) -> Result<Vec<u8>> {
        let stored: Vec<Stored> =
            self.0.iter().map(|entry| Stored { secret: entry.text.reveal().clone(), expires_at: entry.expires_at }).collect();
        let plain = Secret::new(serde_json::to_vec(&stored).map_err(Error::internal)?);
        sealer.seal(&context(id), plain.reveal())
    }

    pub(crate) fn open(sealer: &Sealer, id: SourceId, sealed: &[u8]) -> Result<Self> {
        let plain = Secret::new(sealer.open(&context(id), sealed)?);
        let stored: Vec<Stored> = serde_json::from_slice(plain.reveal()).map_err(Error::internal)?;
        Ok(Self(stored.into_iter().map(|one| Entry { text: Secret::new(one.secret), expires_at: one.expires_at }).collect()))
    }
}

fn context(id: SourceId) -> String {
    format!("sources.secrets:{id}")
}

/// A new secret in the provider's form; none for SendGrid, whose secret is its own public key.
pub(crate) fn generate(provider: Provider, settings: &SourceSettings, ambient: &Ambient) -> Option<Secret<String>> {
    let bytes = ambient.bytes::<32>();
    let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match provider {
        Provider::Sendgrid => None,
        Provider::StandardWebhooks => Some(Secret::new(WebhookSecret::generate(ambient).text().reveal().clone())),
        // Zoho takes at most 50 characters; hexadecimal digits go through every form.
        Provider::GenericHmac if settings.secret_encoding == Some(SecretEncoding::Hex) => Some(Secret::new(hex())),
        _ => Some(Secret::new(URL_SAFE_NO_PAD.encode(bytes))),
    }
}

/// A secret as it was given, in the form in which it is kept: SendGrid's key may come in its armour.
pub(crate) fn normal(provider: Provider, given: String) -> String {
    if provider == Provider::Sendgrid {
        let lines = given.lines().filter(|line| !line.starts_with("-----"));
        return lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    }
    given
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Secret, Timestamp};

    use super::{Secrets, normal};
    use crate::providers::Provider;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_one_before_is_valid_for_the_overlap() {
        let at = Timestamp::from_millis(0);
        let later = |seconds| at.plus(Duration::from_secs(seconds));
        let secrets = Secrets::of(Some(secret("a"))).replaced(secret("b"), at, Duration::from_secs(10));
        assert_eq!(secrets.valid(later(9)).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(secrets.valid(later(10)).collect::<Vec<_>>(), ["b"]);
        assert_eq!((secrets.previous_until(at), secrets.previous_until(later(10))), (Some(later(10)), None));
        let third = secrets.clone().replaced(secret("c"), later(1), Duration::from_secs(100));
        assert_eq!(third.valid(later(5)).collect::<Vec<_>>(), ["c", "b"], "two at most");
        let at_once = secrets.replaced(secret("d"), later(1), Duration::ZERO);
        assert_eq!(at_once.valid(later(1)).collect::<Vec<_>>(), ["d"]);
        assert!(!Secrets::of(None).any(at));
    }

    #[test]
    fn they_do_not_print() {
        assert!(!format!("{:?}", Secrets::of(Some(secret("hunter2")))).contains("hunter2"));
    }

    #[test]
    fn a_key_comes_with_or_without_armour() {
        let pem = "-----BEGIN PUBLIC KEY-----\nAB\nCD==\n-----END PUBLIC KEY-----\n";
        assert_eq!(normal(Provider::Sendgrid, pem.to_owned()), "ABCD==");
        assert_eq!(normal(Provider::Github, " a b ".to_owned()), " a b ");
    }
}
