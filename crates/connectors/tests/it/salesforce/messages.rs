//! Outbound messages, as the double sends them: repeated until they are acknowledged, twice, out of order.

use std::time::Duration;

use connectors::{Connector as _, HintKind, InboundCall, Salesforce, Verified};
use http::{HeaderMap, Method};
use kernel::{Secret, Timestamp};
use serde_json::json;
use testkit::receiver::{Answer, Receiver};
use vendors::salesforce::{Options, OutboundMessage, Salesforce as Org};
use vendors::stand::{Double, Vendor as _};

const KEY: &str = "0123456789abcdef0123";
const OLD: &str = "an-older-secret-of-length";
const SOON: Duration = Duration::from_secs(20);

fn verified(url: &str, body: &[u8]) -> Option<Verified> {
    let secrets = [Secret::new(OLD.to_owned()), Secret::new(KEY.to_owned())];
    let (headers, now) = (HeaderMap::new(), Timestamp::from_millis(0));
    Salesforce::new().webhook(InboundCall { method: &Method::POST, url, headers: &headers, body, now, secrets: &secrets })
}

#[tokio::test]
async fn messages_become_hints_and_the_answer_ends_their_repetition() {
    let org = Double::start(Org::new(Options::new())).await.unwrap();
    org.stand().outbox.set_pause(Duration::from_millis(1));
    org.stand().faults.add(vendors::faults::Fault::parse("duplicate-webhooks").unwrap());
    let receiver = Receiver::start();
    receiver.script([Answer::status(200)]);
    let url = receiver.url(&format!("/in/integrations/int_1/{KEY}"));
    org.tell(OutboundMessage { object: "Lead".into(), fields: vec!["LastName".into(), "SystemModstamp".into()], url: url.clone() });
    let proved = verified(&url, b"nothing");
    assert!(proved.is_none(), "the address alone is no message");
    let id = org.add("Lead", &json!({"LastName": "A & <B>", "Company": "C"})).unwrap();
    let came = receiver.wait_for(1, SOON).await;
    let said = verified(&url, &came[0].body).unwrap();
    let (media, answer) = said.answer.clone().unwrap();
    // What we say is what ends it: until then the double goes on.
    assert!(media.starts_with("text/xml"));
    receiver.answer(Answer::status(200).body(String::from_utf8(answer).unwrap()));
    let again = receiver.wait_for(2, SOON).await;
    let hints: Vec<_> = again.iter().map(|one| verified(&url, &one.body).unwrap().hints).collect();
    for hints in &hints {
        let [hint] = hints.as_slice() else { panic!("{hints:?}") };
        assert_eq!((hint.object.as_str(), &hint.id, &hint.kind), ("Lead", &id, &HintKind::Changed));
        assert_eq!((hint.account.as_deref(), hint.at.is_some()), (Some("00D5g0000000001EAA"), true));
    }
    let idle = || async { org.stand().outbox.is_idle().then_some(()) };
    testkit::wait::until("the double has nothing left to send", SOON, idle).await;
}
