//! Events of the app's webhooks, and their signatures.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::portal::{Portal, Scene};
use crate::outbox::{Content, Message, Sign};
use crate::stand::text::hex;

/// What happened to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Creation,
    /// Property and new value.
    PropertyChange(String, String),
    Deletion,
    PrivacyDeletion,
    Restore,
    /// The row that went into this one.
    Merge(u64),
    /// To which type and row, and whether it was removed.
    Association(String, u64, bool),
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::PropertyChange(..) => "propertyChange",
            Self::Deletion => "deletion",
            Self::PrivacyDeletion => "privacyDeletion",
            Self::Restore => "restore",
            Self::Merge(_) => "merge",
            Self::Association(..) => "associationChange",
        }
    }

    fn put(&self, value: &mut Value) {
        match self {
            Self::PropertyChange(name, text) => {
                value["propertyName"] = json!(name);
                value["propertyValue"] = json!(text);
            }
            Self::Merge(other) => {
                value["primaryObjectId"] = value["objectId"].clone();
                value["mergedObjectIds"] = json!([other]);
            }
            Self::Association(kind, id, is_removed) => {
                value["associationType"] = json!(format!("TO_{}", kind.to_uppercase()));
                value["fromObjectId"] = value["objectId"].clone();
                value["toObjectId"] = json!(id);
                value["associationRemoved"] = json!(is_removed);
            }
            _ => {}
        }
    }
}

impl Portal {
    /// Tells the app of what happened, where it wants to know.
    pub(super) fn tell(&mut self, scene: &Scene<'_>, kind: &str, id: u64, event: &Event) {
        let Some(target) = self.webhooks.target_url.clone() else { return };
        let Ok(found) = self.kind(kind) else { return };
        let (singular, number) = (found.singular.clone(), found.number.clone());
        let wanted: Vec<_> = self
            .webhooks
            .subscriptions
            .iter()
            .filter(|one| one.active && one.wants(&singular, &number, event.name()))
            .filter(|one| !matches!(event, Event::PropertyChange(name, _) if one.property.as_ref() != Some(name)))
            .map(|one| (one.id, one.event.clone()))
            .collect();
        for (subscription, name) in wanted {
            let mut value = json!({
                "eventId": self.next_event, "subscriptionId": subscription, "portalId": self.portal_id, "appId": self.app_id,
                "occurredAt": scene.at, "subscriptionType": name, "attemptNumber": 0, "objectId": id, "changeSource": scene.source.kind,
                "sourceId": scene.source.id,
            });
            if name.starts_with("object.") {
                value["objectTypeId"] = json!(number);
            }
            if *event == Event::Creation || *event == Event::Deletion {
                value["changeFlag"] = json!(if *event == Event::Creation { "CREATED" } else { "DELETED" });
            }
            event.put(&mut value);
            self.next_event += 1;
            let sign = sign(self.client_secret.clone());
            self.pending.push(Message::json(&target, Content::Part(value), sign));
        }
    }
}

/// Signatures v1 and v3 with the app's secret.
fn sign(secret: String) -> Sign {
    Arc::new(move |url, body, now| {
        let mut v1 = Sha256::new();
        v1.update(secret.as_bytes());
        v1.update(body);
        vec![
            ("x-hubspot-signature", hex(&v1.finalize())),
            ("x-hubspot-signature-version", "v1".to_owned()),
            ("x-hubspot-request-timestamp", now.to_string()),
            ("x-hubspot-signature-v3", signature_v3(&secret, "POST", url, body, now)),
        ]
    })
}

/// HubSpot's third signature: of method, URL with some escapes undone, body, and time in milliseconds.
pub fn signature_v3(secret: &str, method: &str, url: &str, body: &[u8], at_ms: i64) -> String {
    const ESCAPES: &[(&str, &str)] = &[
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    let url = ESCAPES.iter().fold(url.to_owned(), |url, (escape, plain)| url.replace(escape, plain).replace(&escape.to_lowercase(), plain));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(method.as_bytes());
    mac.update(url.as_bytes());
    mac.update(body);
    mac.update(at_ms.to_string().as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
