//! Who may call a source, how each proves who it is, and what its calls say.
//!
//! One file a scheme. Each verifies on the raw bytes, before anything is parsed, and compares in constant time.

mod generic;
mod github;
mod hubspot;
mod macs;
mod passwords;
mod razorpay;
mod refusal;
mod sendgrid;
mod shopify;
mod slack;
mod standard;
mod stripe;
mod template;
mod twilio;
#[cfg(test)]
mod vectors;

use std::str::FromStr;
use std::time::Duration;

use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::{Call, Content};
use crate::sources::SourceSettings;

pub use generic::{Encoding, SecretEncoding};
pub use hubspot::SignatureVersion;
pub use macs::Algorithm;
pub use refusal::Refusal;
pub(crate) use template::{Part as TemplatePart, Template};

/// A vendor, or a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// `X-Hub-Signature-256`
    Github,
    /// `Stripe-Signature`
    Stripe,
    /// `X-Slack-Signature`, and the challenge of `url_verification`
    Slack,
    /// `X-HubSpot-Signature`, versions 1 to 3
    Hubspot,
    /// `X-Razorpay-Signature`
    Razorpay,
    /// `X-Twilio-Signature`, over forms and over JSON
    Twilio,
    /// ECDSA over P-256; the secret is the public key
    Sendgrid,
    /// `X-Shopify-Hmac-SHA256`
    Shopify,
    /// The channel's token, in the body
    Zoho,
    /// HTTP Basic
    Pipedrive,
    /// An HMAC in a header, by settings
    GenericHmac,
    /// HTTP Basic
    Basic,
    /// A token in a header
    Bearer,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`
    StandardWebhooks,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 14] = [
        Self::Github,
        Self::Stripe,
        Self::Slack,
        Self::Hubspot,
        Self::Razorpay,
        Self::Twilio,
        Self::Sendgrid,
        Self::Shopify,
        Self::Zoho,
        Self::Pipedrive,
        Self::GenericHmac,
        Self::Basic,
        Self::Bearer,
        Self::StandardWebhooks,
    ];

    /// As it stands in bodies and in event types.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
            Self::Hubspot => "hubspot",
            Self::Razorpay => "razorpay",
            Self::Twilio => "twilio",
            Self::Sendgrid => "sendgrid",
            Self::Shopify => "shopify",
            Self::Zoho => "zoho",
            Self::Pipedrive => "pipedrive",
            Self::GenericHmac => "generic-hmac",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::StandardWebhooks => "standard-webhooks",
        }
    }

    /// The header that carries the time of signing, where the scheme signs one.
    pub(crate) fn timestamp_header(self, settings: &SourceSettings) -> Option<&str> {
        match self {
            Self::Slack => Some(slack::TIMESTAMP),
            Self::Hubspot => Some(hubspot::TIMESTAMP),
            Self::Sendgrid => Some(sendgrid::TIMESTAMP),
            Self::StandardWebhooks => Some(standard::TIMESTAMP),
            Self::GenericHmac => settings.timestamp_header.as_deref(),
            _ => None,
        }
    }

    /// Whether its signature covers a time, so that old calls can be told.
    pub(crate) fn signs_time(self, settings: &SourceSettings) -> bool {
        self == Self::Stripe || self.timestamp_header(settings).is_some()
    }

    /// How far from now a signed time may be, unless the settings say.
    fn tolerance(self) -> Duration {
        match self {
            // Its retries go on for a day, and repeat the first signature.
            Self::Sendgrid => Duration::from_hours(24),
            _ => Duration::from_mins(5),
        }
    }

    /// Whether calls may come by this method. Twilio may be told to use GET, then with everything in the query.
    pub(crate) fn takes(self, method: &http::Method) -> bool {
        *method == http::Method::POST || (self == Self::Twilio && *method == http::Method::GET)
    }

    /// Checks a secret's form. `secret` is what will be stored: SendGrid's public key without its armour.
    ///
    /// Errors: 422 `validation_failed`, `invalid_webhook_secret`.
    pub(crate) fn check_secret(self, secret: &str, settings: &SourceSettings) -> Result<()> {
        kernel::text::line("/secret", secret, 1, MAX_SECRET)?;
        match self {
            Self::Sendgrid => sendgrid::check_key(secret),
            Self::StandardWebhooks => web::signature::WebhookSecret::parse(secret).map(|_| ()),
            Self::GenericHmac => generic::key(secret, settings)
                .map(drop)
                .ok_or_else(|| Error::field("/secret", "is not in the encoding that settings.secretEncoding names")),
            _ => Ok(()),
        }
    }
}

/// Longest secret, in characters.
const MAX_SECRET: usize = 1000;

impl FromStr for Provider {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| Error::internal(format!("there is no provider {text:?}")))
    }
}

/// What a call is verified by.
pub(crate) struct Check<'a> {
    pub(crate) call: &'a Call,
    pub(crate) settings: &'a SourceSettings,
    pub(crate) template: Option<&'a Template>,
    /// Those that are valid now, the newest first.
    pub(crate) secrets: &'a [&'a str],
    /// The address as the vendor was given it, without a query.
    pub(crate) url: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) provider: Provider,
}

impl Check<'_> {
    /// A header that must be there.
    fn header(&self, name: &str) -> Result<&str, Refusal> {
        self.call.header(name).ok_or(Refusal::MissingSignature)
    }

    /// The whole address, with the query as it came.
    fn whole_url(&self) -> String {
        match &self.call.query {
            Some(query) => format!("{}?{query}", self.url),
            None => self.url.to_owned(),
        }
    }

    /// Whether the time of signing is near enough. Seconds or milliseconds, as its size tells.
    fn is_fresh(&self, text: &str) -> Result<(), Refusal> {
        /// Milliseconds that lie in 1973: as seconds, the year 5138.
        const MILLISECONDS: i64 = 100_000_000_000;
        let number = text.parse::<i64>().map_err(|_| Refusal::InvalidTimestamp)?;
        let at = if number.unsigned_abs() >= MILLISECONDS.unsigned_abs() { number } else { number * 1000 };
        if self.now.millis().abs_diff(at) > u64::try_from(self.tolerance().as_millis()).unwrap_or(u64::MAX) {
            return Err(Refusal::StaleTimestamp);
        }
        Ok(())
    }

    fn tolerance(&self) -> Duration {
        self.settings.tolerance_seconds.map_or(self.provider.tolerance(), |seconds| Duration::from_secs(seconds.into()))
    }

    /// `given` against the HMAC of `parts` under each secret.
    fn by_mac(&self, algorithm: Algorithm, given: Option<Vec<u8>>, parts: &[&[u8]]) -> Result<(), Refusal> {
        let expected: Vec<Vec<u8>> = self.secrets.iter().map(|secret| macs::mac(algorithm, secret.as_bytes(), parts)).collect();
        refusal::unless(given.is_some_and(|given| macs::any_equal(&[given], &expected)))
    }
}

/// Whether the call is the provider's.
pub(crate) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    if check.secrets.is_empty() {
        return Err(Refusal::NoSecret);
    }
    match check.provider {
        Provider::Github => github::verify(check),
        Provider::Stripe => stripe::verify(check),
        Provider::Slack => slack::verify(check),
        Provider::Hubspot => hubspot::verify(check),
        Provider::Razorpay => razorpay::verify(check),
        Provider::Twilio => twilio::verify(check),
        Provider::Sendgrid => sendgrid::verify(check),
        Provider::Shopify => shopify::verify(check),
        Provider::Zoho => passwords::verify_zoho(check),
        Provider::Pipedrive | Provider::Basic => passwords::verify_basic(check),
        Provider::Bearer => passwords::verify_bearer(check),
        Provider::GenericHmac => generic::verify(check),
        Provider::StandardWebhooks => standard::verify(check),
    }
}

/// What one event in a call is, in the provider's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) event_type: Option<String>,
    /// The provider's id of it: the same for a repeated call.
    pub(crate) id: Option<String>,
}

/// Reads a verified call, or one element of it. `value` is its content as JSON.
pub(crate) fn meaning(provider: Provider, call: &Call, content: &Content, value: &Value) -> Meaning {
    let header = |name: &str| call.header(name).map(str::to_owned);
    match provider {
        Provider::Github => Meaning { event_type: header("x-github-event"), id: header("x-github-delivery") },
        Provider::Shopify => Meaning { event_type: header("x-shopify-topic"), id: header("x-shopify-webhook-id") },
        Provider::Razorpay => Meaning { event_type: text_at(value, &["event"]), id: header("x-razorpay-event-id") },
        Provider::Stripe => Meaning { event_type: text_at(value, &["type"]), id: text_at(value, &["id"]) },
        Provider::Slack => slack::meaning(content, value),
        Provider::Hubspot => hubspot::meaning(value),
        Provider::Twilio => twilio::meaning(call, value),
        Provider::Sendgrid => Meaning { event_type: text_at(value, &["event"]), id: text_at(value, &["sg_event_id"]) },
        Provider::Zoho => passwords::zoho_meaning(value),
        Provider::Pipedrive => passwords::pipedrive_meaning(value),
        Provider::GenericHmac | Provider::Basic | Provider::Bearer => generic::meaning(call, value),
        Provider::StandardWebhooks => Meaning { event_type: text_at(value, &["type"]), id: standard::id(call).map(str::to_owned) },
    }
}

/// What a call asks for instead of telling something: the text to answer with.
pub(crate) fn challenge(provider: Provider, value: &Value) -> Option<String> {
    (provider == Provider::Slack).then(|| slack::challenge(value)).flatten()
}

/// Whether a call of this provider is a list of events.
pub(crate) fn sends_lists(provider: Provider) -> bool {
    matches!(provider, Provider::Hubspot | Provider::Sendgrid)
}

/// The text or number at a place in `value`.
pub(crate) fn text_at(value: &Value, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })?;
    match found {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
