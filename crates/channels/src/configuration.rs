//! Reading configurations: the faults are told where they are, and no fault repeats a value, which may be a credential.

use dispatch::http::SecretEntry;
use kernel::{Error, FieldError, Kind, Result, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};
use web::outbound::{Peer, Security};
use web::signature::WebhookSecret;

/// Longest credential or name in bytes.
pub(crate) const MAX_TEXT: usize = 4096;

/// The secrets that sign messages, and until when.
pub(crate) struct Secrets(Vec<(WebhookSecret, Option<Timestamp>)>);

impl Secrets {
    /// Those that sign at `now`, the newest first.
    pub(crate) fn at(&self, now: Timestamp) -> Vec<WebhookSecret> {
        self.0.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(secret, _)| secret.clone()).collect()
    }
}

/// The channel's own part of a configuration (`destination`), its kind taken off, and the signing secrets. Errors: 422 at the field.
pub(crate) fn read<T: DeserializeOwned>(config: &Value) -> Result<(T, Secrets)> {
    let Some(Value::Object(fields)) = config.get("destination") else { return Err(Error::field("", "must be an object")) };
    let mut fields = fields.clone();
    fields.remove("type");
    let entries = config.get("secrets").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let entries: Vec<SecretEntry> = serde_json::from_value(entries).map_err(|_| Error::internal("stored secrets cannot be read"))?;
    let secrets = entries.iter().map(|entry| Ok((WebhookSecret::parse(&entry.secret)?, entry.expires_at))).collect::<Result<Vec<_>>>()?;
    Ok((own(fields)?, Secrets(secrets)))
}

/// A fault of the channel's own part, where that stands in the whole.
pub(crate) fn placed(error: Error) -> Error {
    if error.kind() != Kind::Invalid {
        return error;
    }
    let below = |field: &FieldError| FieldError { pointer: format!("/destination{}", field.pointer), detail: field.detail.clone() };
    let fields = error.fields().iter().map(below).collect();
    Error::invalid(error.code(), error.detail().to_owned()).with_fields(fields)
}

fn own<T: DeserializeOwned>(fields: serde_json::Map<String, Value>) -> Result<T> {
    let names: Vec<String> = fields.keys().cloned().collect();
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        // serde speaks of `names` it misses or does not know, and shows a wrong value only after "invalid": that is cut off.
        let text = error.to_string();
        let named = text.split('`').nth(1).unwrap_or_default().to_owned();
        if text.starts_with("missing field") {
            Error::field(format!("/{named}"), "is required")
        } else if text.starts_with("unknown field") && names.contains(&named) {
            Error::field(format!("/{}", pointer(&named)), "is not a field of this kind of destination")
        } else {
            Error::field("", "has a field of the wrong type")
        }
    })
}

fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A text of 1 to `most` bytes without control characters.
pub(crate) fn text(field: &str, value: &str, most: usize) -> Result<()> {
    let fits = !value.is_empty() && value.len() <= most && !value.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Error::field(format!("/{field}"), format!("must have 1 to {most} bytes without control characters"))) }
}

/// The same, where it may be absent.
pub(crate) fn optional(field: &str, value: Option<&String>, most: usize) -> Result<()> {
    value.map_or(Ok(()), |value| text(field, value, most))
}

/// A scheme of a broker's address, its protection, and its usual port.
pub(crate) type Scheme = (&'static str, Security, u16);

/// The peer that `address` names: `scheme://host[:port]` and nothing else, so that credentials stand in fields that are masked.
pub(crate) fn peer(field: &str, address: &str, schemes: &[Scheme]) -> Result<Peer> {
    let refuse = |detail: String| Err(Error::field(format!("/{field}"), detail));
    let known: Vec<String> = schemes.iter().map(|(scheme, ..)| format!("{scheme}://host:port")).collect();
    let known = known.join(" or ");
    let odd = address.len() > web::outbound::MAX_URL || address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\');
    let Some(url) = Url::parse(address).ok().filter(|_| !odd) else { return refuse(format!("must be {known}")) };
    let Some((_, security, usual)) = schemes.iter().find(|(scheme, ..)| *scheme == url.scheme()) else {
        return refuse(format!("must be {known}"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not contain a user name or password; they have fields of their own".to_owned());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return refuse(format!("must be {known}, with nothing after it"));
    }
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => return refuse("must name a host".to_owned()),
    };
    match url.port().unwrap_or(*usual) {
        0 => refuse("must not name port 0".to_owned()),
        port => Ok(Peer { host, port, security: *security }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    const SCHEMES: &[Scheme] = &[("nats", Security::Clear, 4222), ("tls", Security::Later, 4222)];

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code, reason = "only read")]
        url: String,
        #[serde(default)]
        #[allow(dead_code, reason = "only read")]
        max_length: Option<u64>,
    }

    #[allow(clippy::needless_pass_by_value, reason = "called with literals")]
    fn fault(config: Value) -> (String, String) {
        let error = placed(read::<Sample>(&json!({"url": "", "destination": config})).err().unwrap());
        (error.fields()[0].pointer.clone(), error.fields()[0].detail.clone())
    }

    #[test]
    fn faults_are_placed_and_do_not_repeat_values() {
        assert_eq!(fault(json!({"type": "x"})).0, "/destination/url");
        assert_eq!(fault(json!({"url": "u", "surprise": "hush"})).0, "/destination/surprise");
        assert_eq!(fault(json!([])).0, "/destination");
        for config in [json!({"url": "u", "maxLength": "hush"}), json!({"url": {"hush": 1}})] {
            assert!(!fault(config).1.contains("hush"));
        }
        assert!(read::<Sample>(&json!({"destination": {"type": "x", "url": "u"}, "secrets": []})).is_ok());
    }

    #[test]
    fn an_address_is_scheme_host_and_port() {
        let host = |text: &str| peer("url", text, SCHEMES).map(|peer| (peer.host, peer.port, peer.security)).ok();
        assert_eq!(host("nats://b.example"), Some(("b.example".into(), 4222, Security::Clear)));
        assert_eq!(host("tls://b.example:1/"), Some(("b.example".into(), 1, Security::Later)));
        assert_eq!(host("nats://[::1]:5"), Some(("::1".into(), 5, Security::Clear)));
        for bad in [
            "",
            "nats:",
            "nats://",
            "http://a",
            "nats://u@a",
            "nats://u:p@a",
            "nats://a/path",
            "nats://a?x",
            "nats://a#x",
            "nats://a:0",
            "nats://a b",
            "nats://a:99999",
            "nats://a\\b",
        ] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_in_a_peer_or_a_fault(text in ".{0,80}") {
            if let Ok(peer) = peer("url", &format!("nats://{text}"), SCHEMES) {
                prop_assert!(peer.port > 0 && !peer.host.is_empty() && !peer.host.contains('@'));
            }
        }
    }
}
