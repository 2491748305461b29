//! What becomes of calls.

use kernel::{Caller, IdRef};
use serde_json::{Value, json};

use crate::bed::{Bed, Call};
use crate::signing::{generic, github, slack, stripe};

testkit::engines! {
    /// Byte for byte, under an id that the repetition shares.
    async fn a_good_call_becomes_an_event(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let body = "{\"ref\" : \"refs/heads/main\",  \"n\": 1.0, \"u\":\"\\u00e9\"}\n";
        let push = github("s", "push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", body);
        let first = bed.call(&id, &push).await.expect(200).json();
        let event = format!("{id}:72d3162e-cc78-11e3-81ab-4c9367dc0958");
        assert_eq!(first, json!({"events": [event], "repeated": 0, "filtered": 0}));
        let again = bed.call(&id, &push).await.expect(200).json();
        assert_eq!(again, json!({"events": [event], "repeated": 1, "filtered": 0}));
        let stored = bed.inbound().await;
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].event_type.as_str(), stored[0].data.as_str()), ("inbound.github.push", body.trim()));
        assert_eq!(stored[0].id, event);
        // The same delivery at another source is another event.
        let other = bed.source(json!({"provider": "github", "secret": "s"})).await;
        bed.call(&other, &push).await.expect(200);
        assert_eq!(bed.inbound().await.len(), 2);
    }

    async fn what_is_not_good_is_refused(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let good = github("s", "push", "1", "{}");
        let forged = bed.call(&id, &github("wrong", "push", "1", "{}")).await.expect(401);
        assert_eq!(forged.json()["code"], "call_not_verified");
        bed.call(&id, &Call { body: b"{ }".to_vec(), ..good.clone() }).await.expect(401);
        bed.call(&id, &Call::new("{}", &[])).await.expect(401);
        for unknown in ["src_00000000000000000000000000", "nonsense", &format!("{}x", &id[..id.len() - 1])] {
            bed.call(unknown, &good).await.expect(404);
        }
        bed.call(&id, &Call { method: "GET", ..good.clone() }).await.expect(405);
        let long = format!("{}{{}}", " ".repeat(1_048_575));
        bed.call(&id, &github("s", "push", "2", &long)).await.expect(413);
        assert_eq!(bed.inbound().await, []);
        bed.api("PATCH", &format!("/{id}"), Some(json!({"enabled": false}))).await.expect(200);
        bed.call(&id, &good).await.expect(404);
        bed.api("PATCH", &format!("/{id}"), Some(json!({"enabled": true}))).await.expect(200);
        bed.call(&id, &good).await.expect(200);
        let operator = Caller::system("test", None);
        for (status, expected) in [("suspended", 404), ("active", 200)] {
            let update = serde_json::from_value(json!({"status": status})).unwrap();
            bed.access.update_tenant(&operator, IdRef::Id(bed.tenant), update).await.unwrap();
            bed.call(&id, &good).await.expect(expected);
        }
    }

    /// As many at once as one likes: one event.
    async fn repetitions_at_the_same_moment_are_one_event(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let call = github("s", "push", "1", "{}");
        let answers = (0..20).map(|_| {
            let (router, id, call) = (bed.router.clone(), id.clone(), call.clone());
            async move { crate::bed::call_at(&router, &id, &call).await.expect(200).json()["repeated"].as_u64().unwrap() }
        });
        let repeated: u64 = answers.collect::<tokio::task::JoinSet<_>>().join_all().await.into_iter().sum();
        assert_eq!((repeated, bed.inbound().await.len()), (19, 1));
    }

    /// During the overlap both secrets are good, afterwards the new one only.
    async fn a_secret_is_rotated_with_an_overlap(bed: Bed) {
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "old"})).await;
        bed.call(&id, &generic("old", "1")).await.expect(200);
        let rotated = bed.api("POST", &format!("/{id}/rotate-secret"), Some(json!({"overlapSeconds": 60}))).await.expect(200).json();
        let new = rotated["secret"].as_str().unwrap();
        bed.call(&id, &generic("old", "2")).await.expect(200);
        bed.call(&id, &generic(new, "3")).await.expect(200);
        let shown = bed.api("GET", &format!("/{id}"), None).await.json();
        assert_eq!(shown["previousSecretValidUntil"], rotated["previousValidUntil"]);
        bed.wait(60);
        bed.call(&id, &generic("old", "4")).await.expect(401);
        bed.call(&id, &generic(new, "5")).await.expect(200);
        assert_eq!(bed.api("GET", &format!("/{id}"), None).await.json()["previousSecretValidUntil"], Value::Null);
        // A given one, at once.
        let body = json!({"overlapSeconds": 0, "secret": "given"});
        assert_eq!(bed.api("POST", &format!("/{id}/rotate-secret"), Some(body)).await.expect(200).json().get("secret"), None);
        bed.call(&id, &generic(new, "6")).await.expect(401);
        bed.call(&id, &generic("given", "7")).await.expect(200);
    }

    /// An old call cannot be played again, however good its signature.
    async fn a_signed_time_has_its_window(bed: Bed) {
        let id = bed.source(json!({"provider": "stripe", "secret": "whsec_x"})).await;
        let call = stripe("whsec_x", bed.seconds(), r#"{"id":"evt_1","type":"payment_intent.succeeded"}"#);
        bed.call(&id, &call).await.expect(200);
        bed.wait(301);
        bed.call(&id, &call).await.expect(401);
        let narrow = bed.source(json!({"provider": "slack", "secret": "s", "settings": {"toleranceSeconds": 10}})).await;
        let call = slack("s", bed.seconds() - 11, "application/json", r#"{"type":"event_callback","event":{"type":"message"}}"#);
        bed.call(&narrow, &call).await.expect(401);
        assert_eq!(bed.inbound().await.len(), 1);
    }

    /// `events` and `filter` say which calls become events; the others are answered like them.
    async fn only_what_is_wanted_becomes_an_event(bed: Bed) {
        let body = json!({"provider": "github", "secret": "s", "events": ["push", "inbound.github.issue_comment", "check.*"], "filter": {"data.keep": true}});
        let id = bed.source(body).await;
        for (n, (event, body, wanted)) in [
            ("push", r#"{"keep":true}"#, true), ("push", r#"{"keep":false}"#, false), ("star", r#"{"keep":true}"#, false),
            ("issue_comment", r#"{"keep":true}"#, true), ("check/run", r#"{"keep":true}"#, true),
        ].into_iter().enumerate() {
            let answer = bed.call(&id, &github("s", event, &n.to_string(), body)).await.expect(200).json();
            assert_eq!((answer["events"].as_array().unwrap().len(), answer["filtered"].as_u64()), (usize::from(wanted), Some(u64::from(!wanted))), "{event} {body}");
        }
        let types: Vec<String> = bed.inbound().await.into_iter().map(|event| event.event_type).collect();
        assert_eq!(types, ["inbound.github.push", "inbound.github.issue_comment", "inbound.github.check.run"]);
    }

    /// The answer to a good call is the source's own, if it has one; the others are problems.
    async fn a_source_may_answer_in_its_own_words(bed: Bed) {
        let response = json!({"status": 201, "contentType": "text/xml", "body": "<taken/>"});
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "s", "response": response})).await;
        let answer = bed.call(&id, &generic("s", "{}")).await.expect(201);
        assert_eq!((answer.text().as_str(), answer.headers["content-type"].to_str().unwrap()), ("<taken/>", "text/xml"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(bed.call(&id, &generic("s", "{}")).await.expect(201).text(), "<taken/>", "also a repeated one");
        bed.call(&id, &generic("wrong", "{}")).await.expect(401);
        bed.api("PATCH", &format!("/{id}"), Some(json!({"response": {"status": 204}}))).await.expect(200);
        let empty = bed.call(&id, &generic("s", "[]")).await.expect(204);
        assert!(empty.body.is_empty() && !empty.headers.contains_key("content-type"));
    }

    /// Without an id of the provider's, a call is its content: for a day, or for ever where a time is signed with it.
    async fn calls_without_an_id_are_told_by_their_content(bed: Bed) {
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "s"})).await;
        let repeated = async |source: &str, call: &Call| bed.call(source, call).await.expect(200).json()["repeated"].as_u64().unwrap();
        assert_eq!(repeated(&id, &generic("s", "{}")).await, 0);
        bed.wait(3600);
        assert_eq!(repeated(&id, &generic("s", "{}")).await, 1);
        bed.wait(24 * 3600);
        assert_eq!(repeated(&id, &generic("s", "{}")).await, 0, "another day's is another");
        assert_eq!(repeated(&id, &generic("s", "{}").with("webhook-id", "a")).await, 0);
        assert_eq!(repeated(&id, &generic("s", "{\"x\":1}").with("webhook-id", "a")).await, 1, "by its id, whatever it says");
        let off = bed.source(json!({"provider": "generic-hmac", "secret": "s", "settings": {"deduplicate": "off"}})).await;
        assert_eq!((repeated(&off, &generic("s", "{}")).await, repeated(&off, &generic("s", "{}")).await), (0, 0));
        let path = bed.source(json!({"provider": "generic-hmac", "secret": "s", "settings": {"idPath": "meta.id", "typeHeader": "X-Topic"}})).await;
        for (body, expected) in [(r#"{"meta":{"id":7}}"#, 0), (r#"{"meta":{"id":7},"try":2}"#, 1), (r#"{"meta":{"id":8}}"#, 0)] {
            assert_eq!(repeated(&path, &generic("s", body).with("x-topic", "Order/Paid")).await, expected, "{body}");
        }
        let stored = bed.inbound().await;
        let last = stored.iter().find(|event| event.id == format!("{path}:7")).unwrap();
        assert_eq!(last.event_type, "inbound.generic-hmac.order.paid");
        // An id that no event id can hold is hashed; the repetition is told all the same.
        let odd = generic("s", "[1]").with("webhook-id", &"a/b ".repeat(60));
        assert_eq!((repeated(&id, &odd).await, repeated(&id, &odd).await), (0, 1));
    }

    /// With `data: request` an event tells how it came; no secret is in it.
    async fn an_event_may_carry_the_whole_request(bed: Bed) {
        let id = bed.source(json!({"provider": "bearer", "secret": "hunter2", "settings": {"data": "request"}})).await;
        let mut call = Call::new(r#"{"type":"made"}"#, &[("authorization", "Bearer hunter2"), ("user-agent", "shop/1"), ("x-other", "hunter2")]);
        call.query = "token=hunter2".to_owned();
        bed.call(&id, &call).await.expect(200);
        let stored = bed.inbound().await;
        assert_eq!(stored[0].event_type, "inbound.bearer.made");
        let data: Value = serde_json::from_str(&stored[0].data).unwrap();
        assert_eq!(data, json!({"method": "POST", "query": "token=***", "headers": {"user-agent": "shop/1"}, "body": {"type": "made"}}));
    }
}
