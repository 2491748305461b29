//! A webhook whose destination is a broker, from outside: made, masked, changed, delivered to, and nobody else's.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use testkit::wait;

use crate::world::{SOON, World, rows, text};

/// What Redis answers to `command`, as it stands on the wire.
fn redis(command: &str) -> String {
    let url = testkit::redis::url();
    let mut stream = TcpStream::connect(url.strip_prefix("redis://").unwrap()).unwrap();
    stream.write_all(format!("{command}\r\nPING\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while !answer.ends_with(b"+PONG\r\n") {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "Redis ended the connection");
        answer.extend_from_slice(&part[..read]);
    }
    String::from_utf8(answer).unwrap()
}

/// A body's code, and where its first fault is.
fn fault(problem: &Value) -> (String, String) {
    (text(&problem["code"]), text(&problem["errors"][0]["pointer"]))
}

testkit::engines! {
    async fn events_go_to_a_stream_and_credentials_stay_ours(world: World) {
        let (acme, other) = (world.tenant("Acme").await, world.tenant("Other").await);
        let (stream, user) = (testkit::unique("stream"), testkit::unique("user"));
        assert!(redis(&format!("ACL SETUSER {user} on >hush-hush ~{stream} +xadd")).starts_with("+OK"));
        let path = format!("/api/v1/api-clients/{}/webhooks", acme.client);
        let destination = json!({"type": "redis-stream", "url": testkit::redis::url(), "stream": stream, "username": user, "password": "hush-hush"});
        let made = acme.host.post(&path, &json!({"destination": destination, "events": ["lead.*"]})).await.expect(201).json();
        let (id, secret) = (text(&made["id"]), text(&made["secret"]));
        assert!(secret.starts_with("whsec_") && made.get("url").is_none(), "{made}");
        assert_eq!((&made["destination"]["password"], &made["destination"]["username"]), (&json!("***"), &json!(user)));

        let event = text(&acme.publish("lead.created", &json!({"leadId": "1"})).await["id"]);
        acme.delivery(&event, |row| row["status"] == "delivered").await;
        let stored = redis(&format!("XRANGE {stream} - +"));
        assert!(stored.contains(&event) && stored.contains("webhook-signature") && stored.contains("{\"leadId\":\"1\"}"), "{stored}");

        // The mask that comes back means: as it was. Another password is another password.
        let one = format!("/api/v1/webhooks/{id}");
        let seen = acme.host.get(&one).await.expect(200).json();
        let kept = acme.host.patch(&one, &json!({"destination": seen["destination"], "name": "Stream"})).await.expect(200).json();
        assert_eq!((&kept["name"], &kept["destination"]), (&json!("Stream"), &seen["destination"]));
        let tested = acme.host.post(&format!("{one}/test"), &json!({})).await.expect(200).json();
        assert_eq!(tested["success"], json!(true), "{tested}");
        let rotated = acme.host.post(&format!("{one}/rotate-secret"), &json!({})).await.expect(200).json();
        assert_ne!(rotated["secret"], made["secret"]);
        let mut wrong = destination.clone();
        wrong["password"] = json!("other-hush");
        acme.host.patch(&one, &json!({"destination": wrong})).await.assert_status(200);
        let tested = acme.host.post(&format!("{one}/test"), &json!({})).await.expect(200).json();
        assert!(tested["success"] == json!(false) && text(&tested["error"]).contains("credentials"), "{tested}");

        // Nobody else's, and no credential in any answer or log.
        for (name, answer) in [
            ("get", other.host.get(&one).await),
            ("patch", other.host.patch(&one, &json!({"destination": destination})).await),
            ("test", other.host.post(&format!("{one}/test"), &json!({})).await),
            ("delete", other.host.delete(&one).await),
        ] {
            assert_eq!(answer.status.as_u16(), 404, "{name}");
        }
        let shown = wait::until("the attempts' log rows", SOON, || async {
            let mut all = String::new();
            for delivery in rows(&acme.host.get("/api/v1/deliveries").await.expect(200).json()) {
                let attempts = acme.host.get(&format!("/api/v1/deliveries/{}/attempts", text(&delivery["id"]))).await.expect(200).json();
                if rows(&attempts).is_empty() {
                    return None;
                }
                all.push_str(&attempts.to_string());
            }
            Some(all)
        })
        .await;
        let all = format!("{made}{seen}{kept}{tested}{shown}");
        assert!(!all.contains("hush") && shown.contains("webhook-type"), "{all}");
    }

    async fn faults_of_a_destination_have_their_place(world: World) {
        let tenant = world.tenant("Acme").await;
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let nats = json!({"type": "nats", "url": "nats://127.0.0.1:4222", "subject": "s"});
        for (body, pointer) in [
            (json!({}), "/url"),
            (json!({"url": "http://127.0.0.1:9/", "destination": nats}), "/destination"),
            (json!({"destination": "nats"}), "/destination/type"),
            (json!({"destination": {"type": "carrier-pigeon"}}), "/destination/type"),
            (json!({"destination": {"type": "http", "url": "http://127.0.0.1:9/"}}), "/destination/type"),
            (json!({"destination": {"type": "nats", "url": "nats://127.0.0.1"}}), "/destination/subject"),
            (json!({"destination": {"type": "nats", "url": "nats://10.0.0.1", "subject": "s"}}), "/destination/url"),
            (json!({"destination": nats, "customHeaders": {"X-A": "1"}}), "/customHeaders"),
            (json!({"destination": nats, "httpMethod": "PUT"}), "/httpMethod"),
            (json!({"destination": nats, "auth": {"type": "bearer", "token": "t"}}), "/auth"),
            (json!({"destination": nats, "transform": "function handler(w) { return w }"}), "/transform"),
        ] {
            let mut whole = json!({"events": ["*"]});
            whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            let problem = tenant.host.post(&path, &whole).await.expect(422).json();
            assert_eq!(fault(&problem).1, pointer, "{body} {problem}");
        }
        let made = tenant.webhook_with(json!({"destination": nats, "events": ["*"]})).await;
        let one = format!("/api/v1/webhooks/{}", made.id);
        let redis = json!({"destination": {"type": "redis-stream", "url": "redis://127.0.0.1", "stream": "s"}});
        let problem = tenant.host.patch(&one, &redis).await.expect(422).json();
        assert_eq!(fault(&problem), ("validation_failed".into(), "/destination/type".into()));
        let problem = tenant.host.put(&one, &json!({"url": "http://127.0.0.1:9/", "events": ["*"]})).await.expect(422).json();
        assert_eq!(fault(&problem).1, "/url");
    }
}
