//! A product's form of deliveries as data that goes over the wire, and deliveries made in it.

use blueprint::model::{BodyForm, Webhooks};
use bytes::Bytes;
use dispatch::http::Body;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use kernel::{Event, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::signature::{WebhookSecret, sign_legacy, sign_standard};

/// How deliveries look.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookForm {
    /// The body.
    pub body: BodyView,
    /// Header with the event's id, beside `webhook-id`.
    pub id_header: Option<String>,
    /// Header with the event's type.
    pub event_header: Option<String>,
    /// Header with the attempt's time.
    pub timestamp_header: Option<String>,
    /// Header with the older signature, `t=…,v1=…`.
    pub signature_header: Option<String>,
}

/// The form of the body.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "form", rename_all = "kebab-case")]
pub enum BodyView {
    /// `{"id", "type", "timestamp", "data"}`.
    Envelope,
    /// The same four under other names, and constant members after them.
    Legacy {
        /// Name for `id`.
        id: String,
        /// Name for `type`.
        #[serde(rename = "type")]
        event_type: String,
        /// Name for `timestamp`.
        timestamp: String,
        /// Name for `data`.
        data: String,
        /// Names and values of the constants, in order.
        #[schema(value_type = Vec<Vec<Value>>)]
        constants: Vec<(String, Value)>,
    },
    /// `data` alone.
    DataOnly,
}

impl WebhookForm {
    /// Standard Webhooks and nothing else.
    pub fn plain() -> Self {
        Self { body: BodyView::Envelope, id_header: None, event_header: None, timestamp_header: None, signature_header: None }
    }

    /// A blueprint's.
    pub fn of(webhooks: &Webhooks) -> Self {
        let body = match webhooks.body.clone() {
            BodyForm::Envelope => BodyView::Envelope,
            BodyForm::DataOnly => BodyView::DataOnly,
            BodyForm::Legacy { id, event_type, timestamp, data, constants } => {
                BodyView::Legacy { id, event_type, timestamp, data, constants }
            }
        };
        Self {
            body,
            id_header: webhooks.id_header.clone(),
            event_header: webhooks.event_header.clone(),
            timestamp_header: webhooks.timestamp_header.clone(),
            signature_header: webhooks.signature_header.clone(),
        }
    }

    fn body_form(&self) -> BodyForm {
        match self.body.clone() {
            BodyView::Envelope => BodyForm::Envelope,
            BodyView::DataOnly => BodyForm::DataOnly,
            BodyView::Legacy { id, event_type, timestamp, data, constants } => {
                BodyForm::Legacy { id, event_type, timestamp, data, constants }
            }
        }
    }
}

/// Makes deliveries as the product does.
#[derive(Clone, Debug)]
pub struct Imitation {
    form: WebhookForm,
    body: Body,
}

impl Imitation {
    /// In this form.
    pub fn new(form: WebhookForm) -> Self {
        Self { body: Body::new(&form.body_form()), form }
    }

    /// The body.
    pub fn body(&self, event: &Event) -> Bytes {
        self.body.write(event)
    }

    /// The headers of a delivery at `now`, signed with every one of `secrets`.
    pub fn headers(&self, id: &str, event_type: &str, body: &[u8], secrets: &[WebhookSecret], now: Timestamp) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &str, value: &str| {
            // A form whose names are no header names cannot be served by a blueprint that was checked.
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        };
        let at = now.seconds();
        put(header::CONTENT_TYPE.as_str(), "application/json");
        put(header::USER_AGENT.as_str(), concat!("Tradewind/", env!("CARGO_PKG_VERSION")));
        put("webhook-id", id);
        put("webhook-timestamp", &at.to_string());
        put("webhook-signature", &sign_standard(secrets, id, at, body));
        let own = [(&self.form.id_header, id), (&self.form.event_header, event_type), (&self.form.timestamp_header, &now.to_string())];
        for (name, value) in own {
            name.iter().for_each(|name| put(name, value));
        }
        if let Some(name) = &self.form.signature_header {
            put(name, &older(secrets, at, body));
        }
        headers
    }

    /// The header with the older signature, if the product sends one.
    pub fn signature_header(&self) -> Option<&str> {
        self.form.signature_header.as_deref()
    }
}

/// The older signature: one `v1` per secret behind one `t`.
pub(crate) fn older(secrets: &[WebhookSecret], at: i64, body: &[u8]) -> String {
    let signed = secrets.iter().map(|secret| sign_legacy(secret.text().reveal(), at, body));
    let signatures: Vec<String> = signed.filter_map(|one| one.split_once(',').map(|(_, v1)| v1.to_owned())).collect();
    format!("t={at},{}", signatures.join(","))
}
