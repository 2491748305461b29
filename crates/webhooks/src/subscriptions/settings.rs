//! All that an author can set, in one place: from a body, from storage, changed by a PATCH; and the checks on it.

use blueprint::Blueprint;
use dispatch::{Destination, Policy};
use events::{Filter, Path};
use kernel::{Error, Result, text};
use serde_json::Value;

use super::destination;
use super::target::Target;
use super::{AuthInput, RetryConfig, Row, WebhookInput, WebhookPatch};
use crate::pattern;

/// Most channels that a webhook listens to, and their longest name: as events have them.
const MAX_CHANNELS: usize = events::MAX_CHANNELS;
/// Longest time that events stay worth delivering: 30 days in seconds.
const MAX_EXPIRY: u32 = 30 * 86_400;
/// Highest rate.
const MAX_RATE: u32 = 10_000;

/// What an author can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) filter: Option<Value>,
    pub(crate) retry_config: Option<RetryConfig>,
    pub(crate) rate_per_second: Option<u32>,
    pub(crate) ordered: bool,
    pub(crate) ordering_path: Option<String>,
    pub(crate) expires_after_seconds: Option<u32>,
    pub(crate) target: Target,
}

impl Settings {
    /// From a body.
    pub(crate) fn of_input(input: WebhookInput) -> Result<Self> {
        Ok(Self {
            name: input.name,
            description: input.description,
            events: input.events,
            channels: input.channels.unwrap_or_default(),
            filter: input.filter,
            retry_config: input.retry_config,
            rate_per_second: input.rate_limit_per_second,
            ordered: input.ordered.unwrap_or(input.ordering_key_path.is_some()),
            ordering_path: input.ordering_key_path,
            expires_after_seconds: input.expires_after_seconds,
            target: Target {
                url: given_url(input.url)?.unwrap_or_default(),
                destination: input.destination,
                method: input.http_method.unwrap_or_else(Target::default_method),
                headers: input.custom_headers.unwrap_or_default(),
                auth: input.auth.unwrap_or(AuthInput::None),
                transform: input.transform,
                content: input.content.unwrap_or_default(),
                signature: input.signature.unwrap_or_default(),
                ca_certificate: input.ca_certificate,
            },
        })
    }

    /// As it is stored.
    pub(crate) fn of_stored(row: &Row, destination: &Destination) -> Result<Self> {
        Ok(Self {
            name: row.name.clone(),
            description: row.description.clone(),
            events: row.events.clone(),
            channels: row.channels.clone(),
            filter: row.filter.clone(),
            retry_config: row.retry_config.clone(),
            rate_per_second: destination.policy.rate_per_second,
            ordered: destination.policy.ordered,
            ordering_path: row.ordering_path.clone(),
            expires_after_seconds: destination.policy.expires_after_ms.and_then(|ms| u32::try_from(ms / 1000).ok()),
            target: Target::of_config(&destination.config)?,
        })
    }

    /// Changed by a PATCH.
    pub(crate) fn patched(self, patch: WebhookPatch) -> Result<Self> {
        let old = self.target;
        let headers = patch.custom_headers.change();
        let new_path = patch.ordering_key_path.change();
        let begins_order = matches!(new_path, Some(Some(_)));
        let ordered = patch.ordered.unwrap_or(self.ordered || begins_order);
        let old_path = self.ordering_path.filter(|_| ordered);
        Ok(Self {
            name: patch.name.apply(self.name),
            description: patch.description.apply(self.description),
            events: patch.events.unwrap_or(self.events),
            channels: patch.channels.change().map_or(self.channels, Option::unwrap_or_default),
            filter: patch.filter.apply(self.filter),
            retry_config: patch.retry_config.apply(self.retry_config),
            rate_per_second: patch.rate_limit_per_second.apply(self.rate_per_second),
            ordered,
            ordering_path: new_path.unwrap_or(old_path),
            expires_after_seconds: patch.expires_after_seconds.apply(self.expires_after_seconds),
            target: Target {
                url: given_url(patch.url)?.unwrap_or_else(|| old.url.clone()),
                destination: patch.destination.or_else(|| old.destination.clone()),
                method: patch.http_method.change().map_or_else(|| old.method.clone(), |to| to.unwrap_or_else(Target::default_method)),
                auth: patch.auth.change().map_or_else(|| old.auth.clone(), |to| to.unwrap_or(AuthInput::None)),
                transform: patch.transform.apply(old.transform.clone()),
                content: patch.content.change().map_or(old.content, Option::unwrap_or_default),
                headers: headers.map_or_else(|| old.headers.clone(), Option::unwrap_or_default),
                signature: patch.signature.change().map_or(old.signature, Option::unwrap_or_default),
                ca_certificate: patch.ca_certificate.apply(old.ca_certificate.clone()),
            }
            .unmasked(&old),
        })
    }

    /// Everything that can be checked without a look-up. Errors: 422 `validation_failed`, `unknown_event_type`, `not_supported`.
    pub(crate) fn check(&self, blueprint: &Blueprint) -> Result<()> {
        if let Some(name) = &self.name {
            text::line("/name", name, 1, text::MAX_NAME)?;
        }
        if let Some(description) = &self.description {
            text::prose("/description", description, text::MAX_TEXT)?;
        }
        pattern::parse_all(&self.events, blueprint)?;
        if self.channels.len() > MAX_CHANNELS {
            return Err(Error::field("/channels", format!("must have at most {MAX_CHANNELS} items")));
        }
        for (n, channel) in self.channels.iter().enumerate() {
            text::line(&format!("/channels/{n}"), channel, 1, events::MAX_CHANNEL)?;
        }
        if let Some(filter) = &self.filter {
            Filter::parse(filter)?;
        }
        if self.rate_per_second.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
            return Err(Error::field("/rateLimitPerSecond", format!("must be 1 to {MAX_RATE}")));
        }
        if self.expires_after_seconds.is_some_and(|seconds| !(10..=MAX_EXPIRY).contains(&seconds)) {
            return Err(Error::field("/expiresAfterSeconds", format!("must be 10 to {MAX_EXPIRY}")));
        }
        if let Some(path) = &self.ordering_path {
            Path::parse(path, "/orderingKeyPath")?;
            if !self.ordered {
                return Err(Error::field(
                    "/orderingKeyPath",
                    "means something for an ordered webhook only; leave `ordered` out or set it to true",
                ));
            }
        }
        destination::check(&self.target)?;
        self.retry_config.as_ref().map_or(Ok(()), check_retries)?;
        self.target.check_masks()
    }

    /// How the destination is to be treated: by the retry configuration, else as the blueprint says, else natively.
    pub(crate) fn policy(&self, blueprint: &Blueprint) -> Policy {
        let product = &blueprint.webhooks;
        let policy = match (&self.retry_config, &product.retry_schedule_ms) {
            (Some(config), _) => Policy::from_retry_config(
                config.max_retries,
                f64::from(config.retry_delay),
                config.backoff_multiplier.as_f64().unwrap_or(1.0),
                f64::from(config.timeout),
            ),
            (None, Some(schedule)) => Policy { schedule_ms: schedule.clone(), timeout_ms: product.timeout_ms, ..Policy::default() },
            (None, None) => Policy { timeout_ms: product.timeout_ms, ..Policy::default() },
        };
        let expires_after_ms = self.expires_after_seconds.map(|seconds| u64::from(seconds) * 1000);
        Policy { rate_per_second: self.rate_per_second, ordered: self.ordered, expires_after_ms, ..policy }
    }

    /// Puts what belongs there into a row.
    pub(crate) fn put_into(&self, row: &mut Row) {
        row.name.clone_from(&self.name);
        row.description.clone_from(&self.description);
        row.events.clone_from(&self.events);
        row.channels.clone_from(&self.channels);
        row.filter.clone_from(&self.filter);
        row.retry_config.clone_from(&self.retry_config);
        row.ordering_path.clone_from(&self.ordering_path);
    }
}

/// An address that is given and empty is refused like any other that cannot be used: none is what is absent. Error: 422 `url_refused`.
fn given_url(url: Option<String>) -> Result<Option<String>> {
    match url {
        Some(text) if text.is_empty() => {
            Err(Error::invalid("url_refused", "This URL cannot be sent to; see errors.").at("/url", "must be an absolute URL: it is empty"))
        }
        url => Ok(url),
    }
}

fn check_retries(config: &RetryConfig) -> Result<()> {
    let within = |name: &str, value: f64, least: f64, most: f64| {
        let fits = (least..=most).contains(&value);
        if fits { Ok(()) } else { Err(Error::field(format!("/retryConfig/{name}"), format!("must be {least} to {most}"))) }
    };
    within("maxRetries", f64::from(config.max_retries), 0.0, 20.0)?;
    within("retryDelay", f64::from(config.retry_delay), 1.0, 86_400.0)?;
    within("backoffMultiplier", config.backoff_multiplier.as_f64().unwrap_or(f64::NAN), 1.0, 10.0)?;
    within("timeout", f64::from(config.timeout), 1.0, 60.0)
}
