//! `Idempotency-Key`: one effect and one answer, whatever happens in between.

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::receiver::Receiver;

use crate::world::{Contractors, World, lead, received, rows};

async fn post(who: &Client, key: &str, path: &str, body: &Value) -> Response {
    who.request("POST".parse().unwrap(), path).header("idempotency-key", key).json(body).send().await
}

fn is_replay(answer: &Response) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

async fn leads(who: &Client) -> usize {
    rows(&who.get("/api/v1/leads?limit=100").await.expect(200).json()).len()
}

testkit::engines! {
    async fn the_same_request_gets_the_same_answer(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let first = post(&key.http, "a", "/api/v1/leads", &lead("Ada")).await.expect(201);
        let again = post(&key.http, "a", "/api/v1/leads", &lead("Ada")).await.expect(201);
        assert!(!is_replay(&first) && is_replay(&again));
        assert_eq!((&first.body, first.header("content-type")), (&again.body, again.header("content-type")));
        assert_eq!(first.header("location"), again.header("location"), "the whole answer again");
        assert_ne!(first.header("x-request-id"), again.header("x-request-id"), "each request has its own id");
        assert_eq!(leads(&key.http).await, 1);

        post(&key.http, "a", "/api/v1/leads", &lead("Eve")).await.assert_problem(422, "idempotency_key_reused");
        post(&key.http, "a", "/api/v1/quotes", &lead("Ada")).await.assert_problem(422, "idempotency_key_reused");
        assert_eq!(leads(&key.http).await, 1);
        let other = post(&key.http, "b", "/api/v1/leads", &lead("Ada")).await.expect(201);
        assert_ne!(other.json()["id"], first.json()["id"]);
        // Another credential's key of the same name is another key.
        let colleague = tenant.key().await;
        let theirs = post(&colleague.http, "a", "/api/v1/leads", &lead("Bob")).await.expect(201);
        assert!(!is_replay(&theirs));
        assert_eq!(leads(&key.http).await, 3);
    }

    async fn service_keys_have_a_key_for_each_tenant(world: World) {
        let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
        let first = post(&one.host, "same", "/api/v1/leads", &lead("Ada")).await.expect(201).json();
        let second = post(&two.host, "same", "/api/v1/leads", &lead("Ada")).await.expect(201);
        assert!(!is_replay(&second) && second.json()["id"] != first["id"]);
        assert_eq!((leads(&one.host).await, leads(&two.host).await), (1, 1));
    }

    /// An import is done once, part by part: one that was cut off goes on where it stood.
    async fn an_import_happens_once(world: World) {
        let tenant = world.tenant("Acme").await;
        let line = |n: usize| lead(&format!("Ada{n}")).to_string();
        let lines = |some: std::ops::Range<usize>| some.map(line).collect::<Vec<_>>().join("\n");
        let send = async |key: &str, body: String| {
            let request = tenant.host.request("POST".parse().unwrap(), "/api/v1/records/lead/import");
            request.header("idempotency-key", key).body("application/x-ndjson", body).send().await
        };
        let count = async || tenant.host.get("/api/v1/records/lead?limit=1&total=true").await.expect(200).json()["pagination"]["total"].clone();
        // The first hundred lines of it, as if the connection had broken after them.
        let cut = send("a", lines(0..100)).await.expect(200);
        assert!(!is_replay(&cut) && cut.json()["summary"]["created"] == 100, "{}", cut.text());
        let whole = send("a", lines(0..130)).await.expect(200);
        assert!(!is_replay(&whole), "a part of it is new");
        assert_eq!((&whole.json()["summary"]["created"], count().await), (&json!(130), json!(130)));
        assert_eq!(whole.json()["data"][99], cut.json()["data"][99]);
        let again = send("a", lines(0..130)).await.expect(200);
        assert!(is_replay(&again));
        assert_eq!((again.json(), count().await), (whole.json(), json!(130)));
        // Other lines are another import.
        send("a", lines(1..130)).await.assert_problem(422, "idempotency_key_reused");
        let stopped = send("a", format!("{}\n{}", lines(0..100), lines(200..205))).await.expect(200).json();
        assert_eq!((&stopped["summary"]["lines"], &stopped["summary"]["stopped"]["code"]), (&json!(100), &json!("idempotency_key_reused")));
        let csv = "source,email,firstName,lastName,insuranceType\nweb,c@example.com,C,D,AUTO\n";
        let table = async |text: String| {
            let request = tenant.host.request("POST".parse().unwrap(), "/api/v1/records/lead/import");
            request.header("idempotency-key", "csv").body("text/csv", text).send().await
        };
        let first = table(csv.to_owned()).await.expect(200);
        assert_eq!((table(csv.to_owned()).await.expect(200).json(), count().await), (first.json(), json!(131)));
        table(csv.replace("firstName,lastName", "lastName,firstName")).await.assert_problem(422, "idempotency_key_reused");
        send(&"x".repeat(256), lines(0..1)).await.assert_problem(400, "invalid_idempotency_key");
        send("b", lines(0..1)).await.assert_status(200);
        assert_eq!(count().await, json!(132), "without a key, or with another, it is done again");
    }

    async fn a_refusal_is_an_answer_too(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let bad = json!({"source": 7});
        let first = post(&key.http, "bad", "/api/v1/leads", &bad).await.expect(422);
        let again = post(&key.http, "bad", "/api/v1/leads", &bad).await.expect(422);
        assert!(is_replay(&again));
        assert_eq!(first.json()["errors"], again.json()["errors"]);
        post(&key.http, "bad", "/api/v1/leads", &lead("Ada")).await.assert_problem(422, "idempotency_key_reused");
        // What may change is not kept: a key without the scope gets it later.
        let weak = tenant.key_scoped(&["leads:read"]).await;
        post(&weak.http, "later", "/api/v1/leads", &lead("Ada")).await.assert_problem(403, "insufficient_scope");
        tenant
            .host
            .patch(&format!("/api/v1/api-keys/{}", weak.id), &json!({"scopes": ["leads:read", "leads:write"]}))
            .await
            .assert_status(200);
        let now = post(&weak.http, "later", "/api/v1/leads", &lead("Ada")).await.expect(201);
        assert!(!is_replay(&now));
    }

    async fn duplicates_at_the_same_moment_have_one_effect(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        for round in 0..5 {
            let name = format!("race-{round}");
            let mut running = tokio::task::JoinSet::new();
            for _ in 0..16 {
                let (http, name) = (key.http.clone(), name.clone());
                running.spawn(async move { post(&http, &name, "/api/v1/leads", &lead("Ada")).await });
            }
            let mut ids = Vec::new();
            for answer in running.join_all().await {
                match answer.status.as_u16() {
                    201 => ids.push(answer.json()["id"].clone()),
                    409 => assert!(answer.header("retry-after").is_some(), "{}", answer.text()),
                    other => panic!("{other}: {}", answer.text()),
                }
            }
            assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            assert_eq!(leads(&key.http).await, round + 1);
        }
    }

    async fn an_answer_with_a_secret_survives_a_kill(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let key = json!({"clientId": tenant.client, "name": "Precious"});
        let hook = json!({"url": receiver.url("/"), "events": ["lead.created"]});
        let event = json!({"type": "lead.created", "data": {"leadId": "1"}});
        let hooks = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let calls = [
            ("k", "/api/v1/api-keys", &key),
            ("h", hooks.as_str(), &hook),
            ("e", "/api/v1/events", &event),
            ("c", "/api/v1/api-clients", &json!({"name": "Second"})),
        ];
        let mut first = Vec::new();
        for (name, path, body) in calls {
            let answer = post(&tenant.host, name, path, body).await;
            assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text());
            first.push(answer);
        }
        assert!(first[0].json()["key"].is_string() && first[1].json()["secret"].is_string() && first[3].json()["clientSecret"].is_string());
        received(&receiver, 1).await;
        world.server.kill9();
        world.server.restart();
        for ((name, path, body), first) in calls.into_iter().zip(&first) {
            let again = post(&tenant.host, name, path, body).await;
            assert!(is_replay(&again), "{path}: {}", again.text());
            assert_eq!((again.status, &again.body), (first.status, &first.body), "{path}");
        }
        let keys = tenant.host.get(&format!("/api/v1/api-clients/{}/api-keys", tenant.client)).await.expect(200).json();
        assert_eq!(rows(&keys).len(), 1);
        let token = first[0].json()["key"].as_str().unwrap().to_owned();
        world.server.client().bearer(&token).get("/api/v1/scopes").await.assert_status(200);
        // Answers with secrets are sealed: no file of the database shows them.
        for entry in std::fs::read_dir(world.engine.data_dir()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
            let bytes = std::fs::read(entry.path()).unwrap();
            let shows = bytes.windows(token.len()).any(|part| part == token.as_bytes());
            assert!(!shows, "{} holds a key in the clear", entry.path().display());
        }
    }

    async fn puts_and_patches_honour_it_in_the_blueprints_style(world: Contractors) {
        let tenant = world.0.tenant("Acme").await;
        let key = tenant.key().await;
        tenant.host.post("/api/v1/records/lead", &json!({"first_name": "Grace"})).await.assert_status(201);
        let id = key.http.get("/api/partner-api/leads").await.expect(200).json()["data"][0]["id"].clone();
        let path = format!("/api/partner-api/lead/{id}");
        let put = async |notes: &str| {
            let request = key.http.request("PUT".parse().unwrap(), &path).header("idempotency-key", "put");
            request.json(&json!({"notes": notes})).send().await
        };
        let first = put("one").await.expect(200);
        let again = put("one").await.expect(200);
        assert!(is_replay(&again));
        assert_eq!(first.body, again.body);
        let reused = put("two").await;
        // What all routes share keeps its status; this product's 400 is for its own validation.
        assert_eq!((reused.status.as_u16(), &reused.json()["success"]), (422, &json!(false)), "{}", reused.text());
        assert_eq!(key.http.get("/api/partner-api/leads").await.expect(200).json()["data"][0]["notes"], "one");
    }
}
