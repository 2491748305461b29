//! Ed25519 signatures, verified by the published key set with other implementations than ours: Node's and Python's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::receiver::Receiver;

use super::libraries::{captured, judge_counted, script};
use crate::world::{World, received, text};
use testkit::tools;

/// Three deliveries by two keys in turn, and the key set as a receiver fetches it.
async fn signed(world: &World) -> Value {
    let tenant = world.tenant("Acme").await;
    let receiver = Receiver::start();
    tenant.webhook_with(json!({"url": receiver.url("/"), "events": ["*"], "signature": "v1a"})).await;
    tenant.publish("lead.created", &json!({"leadId": "1", "note": "ünïcödé ☃ 😀"})).await;
    received(&receiver, 1).await;
    let kid = text(&tenant.host.post("/api/v1/webhook-keys/rotate", &json!({"overlapSeconds": 3600})).await.expect(200).json()["kid"]);
    for note in ["after", ""] {
        tenant.publish("lead.created", &json!({"leadId": "1", "note": note})).await;
    }
    let all = received(&receiver, 3).await;
    assert!(all.iter().all(|one| !one.header("webhook-signature").unwrap().contains("v1,")), "nothing is signed with a secret");
    let path = format!("/.well-known/webhook-keys?tenant={}", tenant.id);
    let answer = world.server.client().get(&path).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let set = answer.json();
    assert_eq!((set["keys"].as_array().unwrap().len(), &set["keys"][0]["kid"]), (2, &json!(kid)));
    // The same keys stand in the set of all tenants; there is none for a stranger.
    assert_eq!(world.server.client().get("/.well-known/webhook-keys").await.expect(200).json()["keys"].as_array().unwrap().len(), 2);
    let nobody = world.server.client().get("/.well-known/webhook-keys?tenant=ten_00000000000000000000000000").await.expect(200).json();
    assert_eq!(nobody, json!({"keys": []}));
    // The first delivery knows the old key only, which is still published.
    json!({"keys": set["keys"], "deliveries": captured(&all, "")})
}

testkit::engines! {
    async fn others_verify_by_the_published_keys(world: World) {
        let all = signed(&world).await;
        if tools::present("node", "asymmetric signatures with Node") {
            let mut command = Command::new("node");
            command.arg(script("verify_v1a.mjs"));
            judge_counted(&all, 3, command);
        }
        if tools::present("python3", "asymmetric signatures with Python") {
            let python = tools::pip("cryptography-pypi", "cryptography>=44,<50");
            let mut command = Command::new(Path::new(&python));
            command.arg(script("verify_v1a.py"));
            judge_counted(&all, 3, command);
        }
    }
}
