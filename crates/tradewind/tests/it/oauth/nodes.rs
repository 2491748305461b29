//! Two nodes over one database.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Engine, engine, wait};

use super::attacks::App;
use super::person::{Person, parameter};
use super::{OPENID, given, has_node, node};
use crate::two_nodes::second;
use crate::world::{SOON, World, rows, text};
use testkit::tools;

/// Both nodes say the same of where they are.
fn world() -> World {
    World::start(Engine::postgres(), |settings| {
        let public = format!("http://{}", settings.listen());
        settings.set("TRADEWIND_PUBLIC_URL", &public).set("TRADEWIND_REDIS_URL", &testkit::redis::url())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_good_once_is_good_once_on_any_node() {
    if !has_node("proofs and assertions on two nodes") {
        return;
    }
    let world = world();
    let dir = tempfile::tempdir().unwrap();
    let other = second(&world, &dir);
    for node in [world.server.client(), other.client()] {
        let has_redis = async || (node.get("/health/ready").await.expect(200).json()["checks"]["redis"] == "ok").then_some(());
        wait::until("Redis on every node", SOON, has_redis).await;
    }
    let tenant = world.tenant("Acme").await;
    let given = given(&world, &tenant, &json!({"second": other.base()}));
    node("replay.mjs", &tools::npm("openid-npm", &OPENID), &given);
}

#[test]
fn a_code_of_one_node_is_redeemed_on_the_other_and_a_token_revoked_on_one_is_refused_on_the_other_within_a_second() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        for _ in 0..3 {
            let code = parameter(&person.allow(&app.authorize(&[])).await, "code").unwrap();
            let tokens = app.redeem_at(&other.client(), &code).await.expect(200).json();
            let access = text(&tokens["access_token"]);
            let (here, there) = (world.server.client().bearer(&access), other.client().bearer(&access));
            here.get("/api/v1/leads").await.assert_status(200);
            there.get("/api/v1/leads").await.assert_status(200);
            app.revoke(&world.server.client(), &text(&tokens["refresh_token"])).await.assert_status(200);
            let begun = Instant::now();
            here.get("/api/v1/leads").await.assert_status(401);
            wait::until("the token's being refused", SOON, async || (there.get("/api/v1/leads").await.status == 401).then_some(())).await;
            assert!(begun.elapsed() < Duration::from_secs(1), "refused only after {:?}", begun.elapsed());
        }
    });
}

#[test]
fn a_rotated_key_is_published_before_it_signs_and_known_to_every_node() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let path = format!("/api/v1/api-clients/{}/oauth", app.id());
        tenant.host.put(&path, &json!({"tokenFormat": "jwt"})).await.assert_status(200);
        let kid = async || {
            let tokens = app.token(&world, &[("grant_type", "client_credentials")]).await.expect(200).json();
            (header(&text(&tokens["access_token"]))["kid"].clone(), text(&tokens["access_token"]))
        };
        let published = async |client: testkit::http::Client| {
            let set = client.get("/.well-known/jwks.json").await.expect(200);
            assert!(set.header("cache-control").unwrap().contains("max-age=300"));
            let keys = set.json()["keys"].as_array().unwrap().clone();
            assert!(keys.iter().all(|key| key.get("d").is_none() && key["use"] == "sig"));
            keys.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
        };
        let (first, old_token) = kid().await;
        assert_eq!(published(world.server.client()).await, std::slice::from_ref(&first));
        // With a lead the new one is only published.
        let next = world.operator.post("/api/v1/signing-keys/rotate", &json!({"leadSeconds": 600})).await.expect(201).json();
        assert_eq!(kid().await.0, first);
        wait::until("the new key on the other node", SOON, async || {
            (published(other.client()).await == [next["kid"].clone(), first.clone()]).then_some(())
        })
        .await;
        // Without, it signs at once; what the old one signed stays good.
        let now = world.operator.post("/api/v1/signing-keys/rotate", &json!({"leadSeconds": 0})).await.expect(201).json();
        assert_eq!(kid().await.0, now["kid"]);
        world.server.client().bearer(&old_token).get("/api/v1/leads").await.assert_status(200);
        let list = world.operator.get("/api/v1/signing-keys").await.expect(200).json();
        assert_eq!(rows(&list).len(), 3);
        assert!(rows(&list)[0]["retiresAt"].is_null() && rows(&list)[2]["retiresAt"].is_string());
        tenant.key().await.http.get("/api/v1/signing-keys").await.assert_status(403);
        world.operator.post("/api/v1/signing-keys/rotate", &json!({"leadSeconds": 604_801})).await.assert_problem(422, "validation_failed");
    });
}

fn header(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
