//! Outbound messages: SOAP calls about changed rows, repeated until they are acknowledged. Salesforce signs nothing: whoever receives them
//! knows the caller by the organisation's id, the address and a client certificate (which a double has none of).

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::org::{ORG_ID, Org};
use super::records::value;
use super::schema::Object;
use super::{Salesforce, ids};
use crate::outbox::{Content, Message};

/// Which changes are told to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    /// Rows of this object.
    pub object: String,
    /// These fields of them.
    pub fields: Vec<String>,
    /// A loopback URL.
    pub url: String,
}

impl Salesforce {
    /// From now on tells of new and changed rows.
    pub fn tell(&self, message: OutboundMessage) {
        self.org().messages.push(message);
    }
}

/// Tells everyone who wants to know of a row.
pub(super) fn tell(org: &mut Org, object: &Object, number: u64) {
    let wanted: Vec<_> = org.messages.iter().filter(|one| one.object.eq_ignore_ascii_case(&object.name)).cloned().collect();
    for message in wanted {
        let id = ids::id("04l", org.next_message);
        org.next_message += 1;
        let body = envelope(org, object, number, &message, &id);
        org.pending.push(Message {
            url: message.url,
            content: Content::Whole(body.into()),
            sign: Arc::new(|_, _, _| vec![("soapaction", "\"\"".to_owned())]),
            content_type: "text/xml; charset=utf-8",
            accepted: |answer| String::from_utf8_lossy(answer).replace(char::is_whitespace, "").contains("Ack>true<"),
        });
    }
}

fn envelope(org: &Org, object: &Object, number: u64, message: &OutboundMessage, id: &str) -> String {
    let mut fields = String::new();
    if let Some(row) = org.table(&object.name).any(number) {
        for field in std::iter::once("Id").chain(message.fields.iter().map(String::as_str)).filter_map(|name| object.field(name)) {
            let shown = value(object, field, row, &row.fields, row.changed_at);
            if !shown.is_null() {
                let text = shown.as_str().map_or_else(|| shown.to_string(), escaped);
                let _ = write!(fields, "<sf:{0}>{text}</sf:{0}>", field.name);
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\"><OrganizationId>{ORG_ID}</OrganizationId>\
         <ActionId>04k5g0000000001AAA</ActionId><SessionId xsi:nil=\"true\"/><EnterpriseUrl>http://double.invalid/</EnterpriseUrl>\
         <PartnerUrl>http://double.invalid/</PartnerUrl><Notification><Id>{id}</Id><sObject xsi:type=\"sf:{}\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">{fields}</sObject></Notification>\
         </notifications></soapenv:Body></soapenv:Envelope>",
        object.name
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A value that a JSON text gives, or nothing.
pub(super) fn message(arguments: &Value) -> Option<OutboundMessage> {
    let fields = arguments["fields"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(OutboundMessage { object: arguments["object"].as_str()?.to_owned(), fields, url: arguments["url"].as_str()?.to_owned() })
}
