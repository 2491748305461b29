//! Calls that are lists of events.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::bed::{Bed, Call, PUBLIC};
use crate::signing::hubspot;

/// What stands before the point in the DER of a P-256 key.
const HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

struct Sendgrid(EcdsaKeyPair);

impl Sendgrid {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    fn public_key(&self) -> String {
        let head = (0..HEAD.len()).step_by(2).map(|at| u8::from_str_radix(&HEAD[at..at + 2], 16).unwrap());
        STANDARD.encode(head.chain(self.0.public_key().as_ref().iter().copied()).collect::<Vec<u8>>())
    }

    fn call(&self, at: i64, body: &str) -> Call {
        let signature = self.0.sign(&SystemRandom::new(), format!("{at}{body}").as_bytes()).unwrap();
        let headers = [
            ("x-twilio-email-event-webhook-signature", STANDARD.encode(signature.as_ref())),
            ("x-twilio-email-event-webhook-timestamp", at.to_string()),
        ];
        headers.iter().fold(Call::new(body, &[("content-type", "application/json")]), |call, (name, value)| call.with(name, value))
    }
}

testkit::engines! {
    /// HubSpot regroups what it sends again, and counts its tries: each event is told by itself.
    async fn each_of_hubspots_events_is_one(bed: Bed) {
        let id = bed.source(json!({"provider": "hubspot", "secret": "app"})).await;
        let url = format!("{PUBLIC}/in/{id}");
        let event = |n: u32, kind: &str, attempt: u32| format!(
            r#"{{"eventId":{n}, "subscriptionId":9,"portalId":62,"occurredAt":1700000000{n},"subscriptionType":"{kind}","attemptNumber":{attempt},"objectId":{n}}}"#
        );
        let at = bed.seconds() * 1000;
        let body = format!("[{},\n {}]", event(1, "contact.creation", 0), event(2, "contact.propertyChange", 0));
        let first = bed.call(&id, &hubspot("app", &url, at, &body)).await.expect(200).json();
        assert_eq!((first["events"].as_array().unwrap().len(), &first["repeated"]), (2, &json!(0)));
        let body = format!("[{},{}]", event(2, "contact.propertyChange", 1), event(3, "deal.creation", 0));
        let second = bed.call(&id, &hubspot("app", &url, at, &body)).await.expect(200).json();
        assert_eq!((second["events"].as_array().unwrap().len(), &second["repeated"]), (2, &json!(1)));
        let mut stored: Vec<(String, String)> = bed.inbound().await.into_iter().map(|event| (event.event_type, event.data)).collect();
        stored.sort();
        let expected = [(1, "contact.creation"), (2, "contact.propertyChange"), (3, "deal.creation")];
        let expected = expected.map(|(n, kind)| (format!("inbound.hubspot.{}", kind.to_lowercase()), event(n, kind, 0)));
        assert_eq!(stored, expected);
    }

    async fn each_of_sendgrids_events_is_one(bed: Bed) {
        let vendor = Sendgrid::new();
        let id = bed.source(json!({"provider": "sendgrid", "secret": vendor.public_key(), "events": ["delivered", "bounce"]})).await;
        let body = "[{\"email\":\"a@b.co\",\"event\":\"delivered\",\"sg_event_id\":\"x==\"},{\"event\":\"open\",\"sg_event_id\":\"y\"},{\"event\":\"bounce\",\"sg_event_id\":\"z\"}]\r\n";
        let call = vendor.call(bed.seconds(), body);
        let answer = bed.call(&id, &call).await.expect(200).json();
        assert_eq!((answer["events"].as_array().unwrap().len(), &answer["filtered"]), (2, &json!(1)));
        assert_eq!(bed.call(&id, &call).await.expect(200).json()["repeated"], json!(2));
        bed.call(&id, &Sendgrid::new().call(bed.seconds(), body)).await.expect(401);
        let stored = bed.inbound().await;
        assert_eq!(stored.len(), 2);
        assert!(stored.iter().any(|event| event.event_type == "inbound.sendgrid.delivered" && event.data == r#"{"email":"a@b.co","event":"delivered","sg_event_id":"x=="}"#));
    }

    /// More than a few thousand come as one event, so that a call has a bounded price and nothing is lost.
    async fn a_list_that_is_too_long_is_one_event(bed: Bed) {
        let vendor = Sendgrid::new();
        let id = bed.source(json!({"provider": "sendgrid", "secret": vendor.public_key()})).await;
        for (count, events) in [(3000, 3000), (5001, 1), (0, 1)] {
            let items: Vec<String> = (0..count).map(|n| format!("{{\"event\":\"open\",\"sg_event_id\":\"{count}-{n}\"}}")).collect();
            let answer = bed.call(&id, &vendor.call(bed.seconds(), &format!("[{}]", items.join(",")))).await.expect(200).json();
            assert_eq!(answer["events"].as_array().unwrap().len(), events, "{count}");
        }
        assert_eq!(bed.inbound().await.iter().filter(|event| event.event_type == "inbound.sendgrid.received").count(), 2);
    }
}
