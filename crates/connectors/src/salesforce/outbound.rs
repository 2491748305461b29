//! Outbound messages: SOAP calls that an administrator of the org sets up, repeated for a day until they are acknowledged.
//!
//! Salesforce signs nothing. What proves a message is its address, which holds one of the secrets (as a part of the path or as a value of
//! the query), and the organisation's id in it, which whoever routes the hints compares with the account's. A message is a hint to read a
//! record again: whoever forged one would cost a read and change nothing. The session id that an org may put into messages is not read.

use kernel::Timestamp;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use subtle::{Choice, ConstantTimeEq as _};

use super::{ids, names, times};
use crate::{Hint, HintKind, InboundCall, Verified};

/// The namespace of messages.
const MESSAGES: Namespace<'static> = Namespace("http://soap.sforce.com/2005/09/outbound");
/// Shorter secrets are none.
const SECRET: usize = 16;
/// A message's elements stand in each other so deep at the most: envelope, body, notifications, notification, record, field.
const DEPTH: usize = 12;
/// Notifications of one message.
const MAX: usize = 100;
/// What Salesforce wants to hear.
const ACK: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
     <soapenv:Body><notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse>\
     </soapenv:Body></soapenv:Envelope>";

/// Verifies a call and reads it. `None`: it is not Salesforce's.
pub(super) fn webhook(call: &InboundCall<'_>) -> Option<Verified> {
    if call.method != http::Method::POST || !is_addressed(call) {
        return None;
    }
    let hints = read(call.body)?;
    Some(Verified { hints, answer: Some(("text/xml; charset=utf-8".to_owned(), ACK.as_bytes().to_vec())) })
}

/// Whether the address holds a secret. Every one is compared with every part, in a time that does not depend on which fits.
fn is_addressed(call: &InboundCall<'_>) -> bool {
    let Ok(url) = url::Url::parse(call.url) else { return false };
    let parts = url.path_segments().into_iter().flatten().map(|part| percent_encoding::percent_decode_str(part).collect::<Vec<u8>>());
    let values = url.query_pairs().map(|(_, value)| value.into_owned().into_bytes());
    let given: Vec<_> = parts.chain(values).collect();
    let mut is_there = Choice::from(0);
    for secret in call.secrets.iter().filter(|secret| secret.reveal().len() >= SECRET) {
        for part in &given {
            is_there |= part.as_slice().ct_eq(secret.reveal().as_bytes());
        }
    }
    is_there.into()
}

/// What a message has said so far.
#[derive(Default)]
struct Heard {
    organization: String,
    hints: Vec<Hint>,
    /// The record that is being read: its object, id, time of change and whether it is deleted.
    object: Option<String>,
    id: String,
    modified: String,
    deleted: String,
}

/// Reads a message. Entities are not expanded and a document type is refused: no field that is read here needs either.
fn read(body: &[u8]) -> Option<Vec<Hint>> {
    let mut reader = NsReader::from_str(std::str::from_utf8(body).ok()?);
    reader.config_mut().trim_text(true);
    let (mut path, mut heard, mut is_message): (Vec<String>, _, _) = (Vec::new(), Heard::default(), false);
    loop {
        let (namespace, event) = reader.read_resolved_event().ok()?;
        match event {
            Event::Start(element) => {
                path.push(element.local_name().into_inner().to_owned());
                is_message |= steps(&path) == ["Envelope", "Body", "notifications"] && namespace == ResolveResult::Bound(MESSAGES);
                if path.len() > DEPTH {
                    return None;
                }
                heard.begin(&path, &element)?;
            }
            Event::End(_) => {
                heard.end(&path)?;
                path.pop();
            }
            Event::Text(text) => heard.text(&path, &text),
            // An id and a time have none; in other fields it is not looked at.
            Event::GeneralRef(entity) => {
                if !entity.is_char_ref() && resolve_predefined_entity(&entity).is_none() {
                    return None;
                }
                heard.text(&path, "&");
            }
            Event::CData(text) => heard.text(&path, &text),
            Event::DocType(_) => return None,
            Event::Eof => break,
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    if !is_message || !path.is_empty() {
        return None;
    }
    let account = ids::full(&heard.organization)?;
    heard.hints.iter_mut().for_each(|hint| hint.account = Some(account.clone()));
    Some(heard.hints)
}

fn steps(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// The object of `xsi:type="sf:Lead"`.
fn kind(element: &BytesStart<'_>) -> Option<String> {
    let attribute = element.attributes().flatten().find(|attribute| attribute.key.local_name().into_inner() == "type")?;
    names::object(attribute.value.rsplit(':').next()?).ok().map(str::to_owned)
}

impl Heard {
    fn begin(&mut self, path: &[String], element: &BytesStart<'_>) -> Option<()> {
        if steps(path) == ["Envelope", "Body", "notifications", "Notification", "sObject"] {
            self.object = Some(kind(element)?);
        }
        Some(())
    }

    fn text(&mut self, path: &[String], text: &str) {
        let into = match steps(path).as_slice() {
            ["Envelope", "Body", "notifications", "OrganizationId"] => &mut self.organization,
            ["Envelope", "Body", "notifications", "Notification", "sObject", field] => match *field {
                "Id" => &mut self.id,
                "SystemModstamp" => &mut self.modified,
                "IsDeleted" => &mut self.deleted,
                _ => return,
            },
            _ => return,
        };
        into.push_str(text);
    }

    fn end(&mut self, path: &[String]) -> Option<()> {
        if steps(path) != ["Envelope", "Body", "notifications", "Notification", "sObject"] {
            return Some(());
        }
        let (id, modified, deleted) = (std::mem::take(&mut self.id), std::mem::take(&mut self.modified), std::mem::take(&mut self.deleted));
        let at: Option<Timestamp> = times::parse(&modified);
        let kind = if deleted == "true" { HintKind::Deleted } else { HintKind::Changed };
        self.hints.push(Hint { account: None, object: self.object.take()?, id: ids::full(&id)?, kind, at });
        (self.hints.len() <= MAX).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use kernel::Secret;
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123";

    fn message(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <soapenv:Body>\n  <notifications \
             xmlns=\"http://soap.sforce.com/2005/09/outbound\"><OrganizationId>00D5g0000000001</OrganizationId>\
             <SessionId xsi:nil=\"true\"/>{inner}</notifications></soapenv:Body></soapenv:Envelope>"
        )
    }

    fn notification(object: &str, id: &str, more: &str) -> String {
        format!(
            "<Notification><Id>04l5g0000000001</Id><sObject xsi:type=\"sf:{object}\" xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">\
             <sf:Id>{id}</sf:Id>{more}</sObject></Notification>"
        )
    }

    fn heard(url: &str, body: &str, secrets: &[&str]) -> Option<Verified> {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        let now = Timestamp::from_millis(0);
        webhook(&InboundCall { method: &Method::POST, url, headers: &HeaderMap::new(), body: body.as_bytes(), now, secrets: &secrets })
    }

    #[test]
    fn a_message_names_its_records() {
        let more =
            "<sf:SystemModstamp>2027-01-15T08:00:00.000Z</sf:SystemModstamp><sf:LastName>A &amp; &#66; <![CDATA[<b>]]></sf:LastName>";
        let two = notification("Lead", "00Q5g0000000001", more)
            + &notification("Visit__c", "a015g0000000002", "<sf:IsDeleted>true</sf:IsDeleted>");
        let verified = heard(&format!("https://t.example/in/x/{KEY}"), &message(&two), &[KEY]).unwrap();
        let hint = |object: &str, id: &str, kind: HintKind, at: Option<i64>| Hint {
            account: ids::full("00D5g0000000001"),
            object: object.to_owned(),
            id: ids::full(id).unwrap(),
            kind,
            at: at.map(Timestamp::from_millis),
        };
        let expected = vec![
            hint("Lead", "00Q5g0000000001", HintKind::Changed, Some(1_800_000_000_000)),
            hint("Visit__c", "a015g0000000002", HintKind::Deleted, None),
        ];
        assert_eq!(verified.hints, expected);
        let (media, answer) = verified.answer.unwrap();
        assert!(media.starts_with("text/xml") && String::from_utf8(answer).unwrap().contains("<Ack>true</Ack>"));
    }

    #[test]
    fn the_address_proves_it_under_either_of_two_secrets() {
        let body = message(&notification("Lead", "00Q5g0000000001", ""));
        for url in
            [format!("https://t.example/in/{KEY}"), format!("https://t.example/in/x?secret={KEY}"), format!("https://t.example/{KEY}/x")]
        {
            assert!(heard(&url, &body, &["another-secret-of-length", KEY]).is_some(), "{url}");
            assert!(heard(&url, &body, &["another-secret-of-length"]).is_none(), "{url}");
            assert!(heard(&url, &body, &[]).is_none(), "{url}");
        }
        assert!(heard(&format!("https://t.example/in/x{KEY}"), &body, &[KEY]).is_none());
        assert!(heard("https://t.example/in/", &body, &[""]).is_none(), "an empty secret proves nothing");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let one = notification("Lead", "00Q5g0000000001", "");
        let url = format!("https://t.example/in/{KEY}");
        let bomb = format!(
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>{}",
            message(&notification("Lead", "00Q5g0000000001", "<sf:Name>&b;</sf:Name>"))
        );
        let deep = message(&("<x>".repeat(20_000) + &"</x>".repeat(20_000)));
        for (why, body) in [
            ("nothing", String::new()),
            ("no XML", "{}".to_owned()),
            ("cut", message(&one)[..300].to_owned()),
            ("a document type", bomb),
            ("an unknown entity", message(&notification("Lead", "00Q5g0000000001", "<sf:Name>&b;</sf:Name>"))),
            ("another namespace", message(&one).replace("2005/09/outbound", "2005/09/other")),
            ("no id", message(&notification("Lead", "me&amp;you", ""))),
            ("no object", message(&notification("Le ad", "00Q5g0000000001", ""))),
            ("no organisation", message(&one).replace("00D5g0000000001", "")),
            ("too many", message(&one.repeat(101))),
            ("too deep", deep),
        ] {
            assert!(heard(&url, &body, &[KEY]).is_none(), "{why}");
        }
        assert_eq!(heard(&url, &message(&one.repeat(100)), &[KEY]).unwrap().hints.len(), 100);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_not(body in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..600) {
            let _ = read(&body);
            let whole = message(&notification("Lead", "00Q5g0000000001", ""));
            let _ = read(&whole.as_bytes()[..cut.min(whole.len())]);
        }
    }
}
