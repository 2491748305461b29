//! Destinations other than a URL: a webhook's `destination` in place of its `url`, carried by another channel, whose name is its `type`.

use dispatch::{SECRET_FIELDS, http};
use kernel::{Error, Result};
use serde_json::{Map, Value};

use super::AuthInput;
use super::target::{MASK, Target};

/// The channel that carries a configuration's deliveries. Every configuration has the HTTP channel's form; one with a `destination` is
/// another channel's.
pub(crate) fn channel_of(config: &Value) -> &str {
    kind(config.get("destination")).unwrap_or(http::NAME)
}

fn kind(destination: Option<&Value>) -> Option<&str> {
    destination?.get("type")?.as_str()
}

/// A webhook has a URL or a destination, and what belongs to requests belongs to URLs. Error: 422 at the field.
pub(crate) fn check(target: &Target) -> Result<()> {
    let Some(destination) = &target.destination else {
        return if target.url.is_empty() { Err(Error::field("/url", "is required, or destination in its place")) } else { Ok(()) };
    };
    if !target.url.is_empty() {
        return Err(Error::field("/destination", "must not stand beside url"));
    }
    if kind(Some(destination)).is_none_or(|kind| kind == http::NAME) {
        return Err(Error::field("/destination/type", "must name a kind of destination, such as nats"));
    }
    let requests = [
        ("httpMethod", target.method != Target::default_method()),
        ("customHeaders", !target.headers.is_empty()),
        ("auth", target.auth != AuthInput::None),
        ("signature", target.signature.is_asymmetric()),
        ("caCertificate", target.ca_certificate.is_some()),
        ("transform", target.transform.is_some()),
        ("content", target.content != http::Content::Full),
    ];
    match requests.into_iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(Error::field(format!("/{field}"), "belongs to a url; leave it out beside a destination")),
        None => Ok(()),
    }
}

/// What is kept of a webhook through a change is its kind: the deliveries that wait were made for it. Error: 422.
pub(crate) fn check_kind(old: &Value, new: &Value) -> Result<()> {
    if channel_of(old) == channel_of(new) {
        return Ok(());
    }
    let place = if new.get("destination").is_some() { "/destination/type" } else { "/url" };
    Err(Error::field(place, "cannot be changed to another kind of destination; make another webhook"))
}

/// A destination as readers see it: credentials masked.
pub(crate) fn shown(destination: &Value) -> Value {
    replaced(destination, |name, value| if is_secret(name) { Value::from(MASK) } else { value.clone() })
}

/// With the credentials of `old` where the mask came back.
pub(crate) fn unmasked(destination: &Value, old: Option<&Value>) -> Value {
    let kept = |name: &str| old.and_then(|old| old.get(name));
    replaced(destination, |name, value| match kept(name) {
        Some(kept) if is_secret(name) && value == MASK => kept.clone(),
        _ => value.clone(),
    })
}

fn replaced(destination: &Value, with: impl Fn(&str, &Value) -> Value) -> Value {
    let Value::Object(fields) = destination else { return destination.clone() };
    Value::Object(fields.iter().map(|(name, value)| (name.clone(), with(name, value))).collect::<Map<_, _>>())
}

fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credentials_are_masked_and_come_back() {
        let stored = json!({"type": "nats", "url": "tls://n.example", "username": "u", "password": "hush", "token": "t0k"});
        let seen = shown(&stored);
        assert_eq!(seen, json!({"type": "nats", "url": "tls://n.example", "username": "u", "password": "***", "token": "***"}));
        assert_eq!(unmasked(&seen, Some(&stored)), stored);
        let changed = json!({"type": "nats", "password": "new", "url": "***"});
        assert_eq!(unmasked(&changed, Some(&stored)), changed);
        assert_eq!(unmasked(&seen, None), seen);
    }

    #[test]
    fn the_kind_is_the_channel_and_stays() {
        let (url, nats, s3) =
            (json!({"url": "https://x"}), json!({"destination": {"type": "nats"}}), json!({"destination": {"type": "s3"}}));
        assert_eq!([&url, &nats, &s3].map(channel_of), ["http", "nats", "s3"]);
        assert!(check_kind(&nats, &nats).is_ok());
        for (old, new, place) in [(&nats, &s3, "/destination/type"), (&url, &s3, "/destination/type"), (&s3, &url, "/url")] {
            assert_eq!(check_kind(old, new).unwrap_err().fields()[0].pointer, place);
        }
    }
}
