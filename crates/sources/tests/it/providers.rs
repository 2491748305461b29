//! What is particular to one provider, end to end.

use serde_json::{Value, json};

use crate::bed::{Bed, Call, PUBLIC};
use crate::signing::{hex, sha256, slack, twilio};

const FORM: &str = "application/x-www-form-urlencoded";

testkit::engines! {
    /// The challenge is answered when it is signed, and is no event; commands and interactions are forms.
    async fn slack_in_its_three_forms(bed: Bed) {
        let id = bed.source(json!({"provider": "slack", "secret": "s"})).await;
        let at = bed.seconds();
        let challenge = r#"{"token":"t","challenge":"3eZbrw1aB","type":"url_verification"}"#;
        let answer = bed.call(&id, &slack("s", at, "application/json", challenge)).await.expect(200);
        assert_eq!((answer.text().as_str(), answer.headers["content-type"].to_str().unwrap()), ("3eZbrw1aB", "text/plain; charset=utf-8"));
        bed.call(&id, &slack("wrong", at, "application/json", challenge)).await.expect(401);
        assert_eq!(bed.inbound().await, []);
        for (content_type, body) in [
            ("application/json", r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}"#),
            (FORM, "command=%2Fweather&text=94070&trigger_id=1.2"),
            (FORM, "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%223.4%22%7D"),
        ] {
            let answer = bed.call(&id, &slack("s", at, content_type, body)).await.expect(200);
            assert!(answer.body.is_empty(), "Slack would show it as a message");
            // Slack tries again under a new signature.
            bed.call(&id, &slack("s", at + 1, content_type, body)).await.expect(200);
        }
        let stored: Vec<(String, Value)> = bed.inbound().await.into_iter().map(|event| (event.event_type, serde_json::from_str(&event.data).unwrap())).collect();
        assert_eq!(stored.len(), 3);
        assert_eq!(stored.iter().find(|(name, _)| name == "inbound.slack.command").unwrap().1["command"], "/weather");
        assert_eq!(stored.iter().find(|(name, _)| name == "inbound.slack.block_actions").unwrap().1, json!({"type": "block_actions", "trigger_id": "3.4"}));
        assert!(stored.iter().any(|(name, _)| name == "inbound.slack.app_mention"));
    }

    /// Twilio signs the address: ours as it was given out, with or without the port; forms, JSON and GET.
    async fn twilio_by_post_and_get(bed: Bed) {
        let id = bed.source(json!({"provider": "twilio", "secret": "12345"})).await;
        let url = format!("{PUBLIC}/in/{id}");
        let body = "MessageSid=SM1&MessageStatus=delivered&Body=a+b";
        let covered = format!("{url}?x=1Bodya bMessageSidSM1MessageStatusdelivered");
        let mut form = Call::new(body, &[("content-type", FORM), ("i-twilio-idempotency-token", "tok-1")]).with("x-twilio-signature", &twilio("12345", &covered));
        form.query = "x=1".to_owned();
        let answer = bed.call(&id, &form).await.expect(200);
        assert_eq!((answer.text().as_str(), answer.headers["content-type"].to_str().unwrap()), ("<Response/>", "text/xml"));
        let text = r#"{"type":"conversation.added"}"#;
        let hash = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref());
        let with_port = format!("https://hooks.example:443/in/{id}?bodySHA256={hash}");
        let mut json = Call::new(text, &[("content-type", "application/json"), ("x-twilio-signature", &twilio("12345", &with_port))]);
        json.query = format!("bodySHA256={hash}");
        bed.call(&id, &json).await.expect(200);
        bed.call(&id, &Call { body: b"{}".to_vec(), ..json }).await.expect(401);
        let mut get = Call::new("", &[("x-twilio-signature", &twilio("12345", &format!("{url}?CallSid=CA1&CallStatus=in-progress")))]);
        (get.method, get.query) = ("GET", "CallSid=CA1&CallStatus=in-progress".to_owned());
        bed.call(&id, &get).await.expect(200);
        get.query.push('x');
        bed.call(&id, &get).await.expect(401);
        let mut types: Vec<String> = bed.inbound().await.into_iter().map(|event| event.event_type).collect();
        types.sort();
        assert_eq!(types, ["inbound.twilio.call.in-progress", "inbound.twilio.conversation.added", "inbound.twilio.message.delivered"]);
        // Behind a gateway that has another address, that one is named.
        let behind = bed.source(json!({"provider": "twilio", "secret": "12345", "settings": {"signedUrl": "https://gate.example/hooks/twilio"}})).await;
        let get = Call::new("", &[("x-twilio-signature", &twilio("12345", "https://gate.example/hooks/twilio?CallSid=CA1"))]);
        bed.call(&behind, &Call { method: "GET", query: "CallSid=CA1".into(), ..get }).await.expect(200);
    }

    /// Zoho's proof stands in the body: it goes no further.
    async fn zohos_token_is_in_no_event(bed: Bed) {
        let id = bed.source(json!({"provider": "zoho", "secret": "hunter2"})).await;
        let body = r#"{"module":"Leads","operation":"update","ids":["1"],"token":"hunter2","server_time":1}"#;
        bed.call(&id, &Call::new(body, &[])).await.expect(200);
        assert_eq!(bed.call(&id, &Call::new(body, &[])).await.expect(200).json()["repeated"], json!(1));
        bed.call(&id, &Call::new(body.replace("hunter2", "hunter3"), &[])).await.expect(401);
        let stored = bed.inbound().await;
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].event_type.as_str(), stored[0].data.as_str()), ("inbound.zoho.leads.update", r#"{"module":"Leads","operation":"update","ids":["1"],"server_time":1}"#));
        let kept = bed.api("GET", &format!("/{id}/quarantine"), None).await.json()["data"][0]["id"].as_str().unwrap().to_owned();
        let kept = bed.api("GET", &format!("/{id}/quarantine/{kept}"), None).await.expect(200);
        assert!(!kept.text().contains("hunter"), "{}", kept.text());
    }

    /// The others: type and id where each has them, and data as it came.
    async fn types_and_ids_of_the_others(bed: Bed) {
        let standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let at = bed.seconds();
        let base64 = |bytes: &[u8]| { use base64::Engine as _; base64::engine::general_purpose::STANDARD.encode(bytes) };
        let sign_standard = |body: &str| web::signature::sign_standard(&[web::signature::WebhookSecret::parse(standard).unwrap()], "msg_1", at, body.as_bytes());
        let shop = r#"{"id":1}"#;
        let razor = r#"{"entity":"event","event":"payment.captured"}"#;
        let drive = r#"{"meta":{"action":"change","entity":"deal","id":"9b","version":"2.0"},"data":{}}"#;
        let message = r#"{"type":"user.created"}"#;
        for (source, call, event_type, key) in [
            (json!({"provider": "shopify", "secret": "hush"}),
             Call::new(shop, &[("x-shopify-topic", "orders/create"), ("x-shopify-webhook-id", "w-1"), ("x-shopify-hmac-sha256", &base64(&sha256("hush", shop.as_bytes())))]),
             "inbound.shopify.orders.create", "w-1"),
            (json!({"provider": "razorpay", "secret": "rzp"}),
             Call::new(razor, &[("x-razorpay-event-id", "ev1"), ("x-razorpay-signature", &hex(&sha256("rzp", razor.as_bytes())))]),
             "inbound.razorpay.payment.captured", "ev1"),
            (json!({"provider": "pipedrive", "secret": "pass", "settings": {"username": "user"}}),
             Call::new(drive, &[("authorization", "Basic dXNlcjpwYXNz")]),
             "inbound.pipedrive.deal.change", "9b"),
            (json!({"provider": "standard-webhooks", "secret": standard}),
             Call::new(message, &[("webhook-id", "msg_1"), ("webhook-timestamp", &at.to_string()), ("webhook-signature", &sign_standard(message))]),
             "inbound.standard-webhooks.user.created", "msg_1"),
            (json!({"provider": "standard-webhooks", "secret": standard}),
             Call::new(message, &[("svix-id", "msg_1"), ("svix-timestamp", &at.to_string()), ("svix-signature", &sign_standard(message))]),
             "inbound.standard-webhooks.user.created", "msg_1"),
        ] {
            let id = bed.source(source).await;
            bed.call(&id, &call).await.expect(200);
            let stored = bed.inbound().await;
            let event = stored.iter().find(|event| event.id == format!("{id}:{key}")).unwrap_or_else(|| panic!("{event_type}: {stored:?}"));
            assert_eq!((event.event_type.as_str(), event.data.as_bytes()), (event_type, call.body.as_slice()));
        }
    }
}
