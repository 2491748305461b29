//! From a verified call to events: their types, their ids, their data. Pure.
//!
//! An id is made of the source and the provider's id, so that the event log itself tells a repeated call from a new one, durably and in the
//! transaction of the event. A call without an id is named by its content: for ever where a time is signed with it, otherwise for a day.

use bytes::Bytes;
use kernel::{Error, EventId, EventType, Kind, Result, SourceId, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Call, Content, MAX_BODY};
use crate::cache::Loaded;
use crate::providers::{self, Meaning, Provider};
use crate::quarantine::mask;
use crate::sources::{DataForm, Deduplicate, SourceSettings};

/// Most elements of a list that become events of their own; a longer list is one event.
const MAX_ELEMENTS: usize = 5000;
/// The type of a call that names none.
const UNNAMED: &str = "received";

/// What a call comes to.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Answer with this text, and no event.
    Challenge(String),
    /// Events, in order.
    Events(Vec<Found>),
}

/// One event in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) event_type: EventType,
    /// None: its repetitions are not to be told from it.
    pub(crate) id: Option<EventId>,
    pub(crate) data: Bytes,
}

/// Reads a verified call. `at` is when it came. Error: 413 `body_too_large` when the data of an event would be.
pub(crate) fn interpret(source: &Loaded, call: &Call, at: Timestamp) -> Result<Reading> {
    let content = Content::of(source.provider, call);
    let value = content.value();
    if let Some(text) = providers::challenge(source.provider, &value) {
        return Ok(Reading::Challenge(text));
    }
    let reader = Reader { source, call, content: &content, at };
    let found = match elements(source.provider, &content) {
        Some(elements) => elements.into_iter().map(|(raw, value)| reader.read(raw, &value)).collect::<Result<_>>()?,
        None => vec![reader.read(content.bytes(), &value)?],
    };
    Ok(Reading::Events(found))
}

/// The elements of a list of events, each as it stands in the body.
fn elements(provider: Provider, content: &Content) -> Option<Vec<(Bytes, Value)>> {
    let Content::Json(text) = content else { return None };
    if !providers::sends_lists(provider) {
        return None;
    }
    let raw: Vec<&RawValue> = serde_json::from_slice(text).ok()?;
    if raw.is_empty() || raw.len() > MAX_ELEMENTS {
        return None;
    }
    Some(raw.into_iter().map(|raw| (text.slice_ref(raw.get().as_bytes()), serde_json::from_str(raw.get()).unwrap_or_default())).collect())
}

struct Reader<'a> {
    source: &'a Loaded,
    call: &'a Call,
    content: &'a Content,
    at: Timestamp,
}

impl Reader<'_> {
    fn read(&self, raw: Bytes, value: &Value) -> Result<Found> {
        let (source, settings) = (self.source, &self.source.settings);
        let meaning = self.meaning(value);
        let event_type = event_type(source.provider, meaning.event_type.as_deref());
        let id = match settings.deduplicate.unwrap_or_default() {
            Deduplicate::Off => None,
            Deduplicate::Auto => {
                let key = meaning.id.unwrap_or_else(|| self.content_key(&raw));
                Some(event_id(source.id, &key))
            }
        };
        let data = self.data(raw, value);
        if data.len() > MAX_BODY {
            return Err(Error::new(Kind::TooLarge, "body_too_large", format!("As an event this call has more than {MAX_BODY} bytes.")));
        }
        Ok(Found { event_type, id, data })
    }

    /// What the settings name comes first, then what the provider is known to say.
    fn meaning(&self, value: &Value) -> Meaning {
        let settings: &SourceSettings = &self.source.settings;
        let header = |name: &Option<String>| name.as_deref().and_then(|name| self.call.header(name)).map(str::to_owned);
        let place = |path: &Option<String>| {
            let steps: Vec<&str> = path.as_deref()?.split('.').collect();
            providers::text_at(value, &steps)
        };
        let usual = providers::meaning(self.source.provider, self.call, self.content, value);
        Meaning {
            event_type: header(&settings.type_header).or_else(|| place(&settings.type_path)).or(usual.event_type),
            // One that is empty names nothing: all such calls would be one.
            id: header(&settings.id_header).or_else(|| place(&settings.id_path)).or(usual.id).filter(|id| !id.trim().is_empty()),
        }
    }

    /// Names a call by what it says and when.
    fn content_key(&self, raw: &[u8]) -> String {
        let source = self.source;
        let signed = source.provider.timestamp_header(&source.settings).and_then(|name| self.call.header(name));
        let when = match signed {
            Some(text) => format!("t{text}"),
            None => format!("d{}", self.at.millis().div_euclid(86_400_000)),
        };
        let mut hasher = blake3::Hasher::new();
        for part in [when.as_bytes(), raw] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        format!("content-{}", &hasher.finalize().to_hex()[..32])
    }

    /// What the event carries: the call's content without the secret that Zoho puts there, or the whole request.
    fn data(&self, raw: Bytes, value: &Value) -> Bytes {
        let (source, call) = (self.source, self.call);
        let scrubbed = (source.provider == Provider::Zoho).then(|| mask::without_token(value.clone()));
        if source.settings.data.unwrap_or_default() == DataForm::Body {
            return scrubbed.map_or(raw, |value| Bytes::from(value.to_string()));
        }
        let whole = json!({
            "method": call.method.as_str(),
            "query": call.query.as_deref().map(mask::query),
            "headers": mask::shown_only(&call.headers, &source.settings),
            "body": scrubbed.as_ref().unwrap_or(value),
        });
        Bytes::from(whole.to_string())
    }
}

/// `inbound.<provider>.<type>`: lower case, words between dots, at most as long as a type may be.
pub(crate) fn event_type(provider: Provider, named: Option<&str>) -> EventType {
    let prefix = format!("inbound.{}.", provider.as_str());
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let lower = named.unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !fits(c)).filter(|word| !word.is_empty()).collect();
    let mut tail = words.join(".");
    tail.truncate(EventType::MAX_LEN - prefix.len());
    let tail = tail.trim_end_matches('.');
    let text = format!("{prefix}{}", if tail.is_empty() { UNNAMED } else { tail });
    text.parse().expect("words of letters, digits, _ and - between dots, within the length")
}

/// The provider's id below the source's. One that an event id cannot hold is named by its hash.
pub(crate) fn event_id(source: SourceId, key: &str) -> EventId {
    let plain = format!("{source}:{key}").parse();
    plain.unwrap_or_else(|_| {
        let hash = blake3::hash(key.as_bytes()).to_hex();
        format!("{source}:hash-{}", &hash[..32]).parse().expect("hexadecimal digits after an id are an event id")
    })
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;
    use proptest::prelude::*;

    use super::{event_id, event_type};
    use crate::providers::Provider;

    #[test]
    fn types_are_words_between_dots() {
        for (provider, named, expected) in [
            (Provider::Github, Some("push"), "inbound.github.push"),
            (Provider::Github, Some("pull_request"), "inbound.github.pull_request"),
            (Provider::Shopify, Some("orders/create"), "inbound.shopify.orders.create"),
            (Provider::Hubspot, Some("contact.propertyChange"), "inbound.hubspot.contact.propertychange"),
            (Provider::GenericHmac, Some("..Ünter  Weg:x.."), "inbound.generic-hmac.nter.weg.x"),
            (Provider::Stripe, Some("./."), "inbound.stripe.received"),
            (Provider::Stripe, None, "inbound.stripe.received"),
        ] {
            assert_eq!(event_type(provider, named).as_str(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_name_gives_a_type_and_any_key_an_id(name in ".{0,300}", key in ".{0,300}") {
            for provider in Provider::ALL {
                let made = event_type(provider, Some(&name));
                prop_assert!(made.as_str().len() <= 128);
                prop_assert_eq!(made.as_str().to_lowercase(), made.as_str());
            }
            let source = Ambient::system().id();
            prop_assert_eq!(event_id(source, &key), event_id(source, &key));
            prop_assert_ne!(event_id(source, &key), event_id(source, &format!("{key}x")));
        }
    }
}
