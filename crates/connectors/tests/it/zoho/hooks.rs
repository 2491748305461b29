use bytes::Bytes;
use connectors::{Connector as _, HintKind, InboundCall};
use http::{HeaderMap, Method};
use kernel::{Clock as _, Secret};
use serde_json::json;
use vendors::outbox::Content;
use vendors::stand::Vendor as _;

use super::{Scene, scene};

const URL: &str = "http://127.0.0.1:9/in/integrations/int_1";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// What Zoho has posted since.
fn posted(scene: &Scene) -> Vec<Bytes> {
    let whole = |content: Content| match content {
        Content::Whole(body) => body,
        Content::Part(_) => panic!("Zoho sends one at a time"),
    };
    scene.org.stand().outbox.take().into_iter().map(|message| whole(message.content)).collect()
}

fn read(scene: &Scene, body: &[u8], secrets: &[&str]) -> Option<Vec<(String, String, HintKind)>> {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    let call = InboundCall { method: &Method::POST, url: URL, headers: &HeaderMap::new(), body, now: scene.clock.now(), secrets: &secrets };
    let verified = scene.connector.webhook(call)?;
    Some(verified.hints.into_iter().map(|hint| (hint.object, hint.id, hint.kind)).collect())
}

#[tokio::test]
async fn a_channel_is_made_called_renewed_and_ended() {
    let scene = scene();
    let secret = secret("whsec_a-long-secret-that-zoho-would-not-take-as-it-is-0123456789");
    let plan = scene.connector.watch(&scene.session, "Leads", URL, &secret, None).await.unwrap().unwrap();
    // We ask for a week, Zoho says a day.
    assert_eq!(plan.expires_at, Some(scene.clock.now().plus(std::time::Duration::from_hours(24))));
    let ann = scene.lead("Ann");
    scene.org.edit("Leads", &ann, &json!({"City": "Roma"})).unwrap();
    scene.org.delete("Leads", &ann, false).unwrap();
    let posts = posted(&scene);
    assert!(posts.iter().all(|body| !String::from_utf8_lossy(body).contains(secret.reveal())), "the secret itself never leaves");
    let told: Vec<_> = posts
        .iter()
        .flat_map(|body| read(&scene, body, &[secret.reveal()]).expect("it is genuine"))
        .map(|(_, id, kind)| (id, kind))
        .collect();
    assert_eq!(told, [(ann.clone(), HintKind::Changed), (ann.clone(), HintKind::Changed), (ann, HintKind::Deleted)]);

    scene.pass(20 * 3600);
    let renewed = scene.connector.watch(&scene.session, "Leads", URL, &secret, Some(&plan.id)).await.unwrap().unwrap();
    assert_eq!((&renewed.id, renewed.expires_at > plan.expires_at), (&plan.id, true));
    scene.pass(20 * 3600);
    scene.lead("Bob");
    assert_eq!(posted(&scene).len(), 1, "it lives on, and once");
    scene.connector.unwatch(&scene.session, "Leads", &plan.id).await.unwrap();
    scene.connector.unwatch(&scene.session, "Leads", &plan.id).await.unwrap();
    scene.lead("Cid");
    assert!(posted(&scene).is_empty());
}

#[tokio::test]
async fn a_channel_that_nobody_renews_ends() {
    let scene = scene();
    let plan = scene.connector.watch(&scene.session, "Leads", URL, &secret("s"), None).await.unwrap().unwrap();
    scene.pass(25 * 3600);
    scene.lead("Ann");
    assert!(posted(&scene).is_empty() && plan.expires_at.unwrap() < scene.clock.now());
    scene.connector.watch(&scene.session, "Leads", URL, &secret("s"), Some(&plan.id)).await.unwrap().unwrap();
    scene.lead("Bob");
    assert_eq!(posted(&scene).len(), 1, "renewed late is renewed");
}

#[tokio::test]
async fn a_call_is_genuine_under_either_secret_and_no_other() {
    let scene = scene();
    scene.connector.watch(&scene.session, "Leads", URL, &secret("first"), None).await.unwrap();
    scene.lead("Ann");
    let body = posted(&scene).remove(0);
    assert!(read(&scene, &body, &["first", "second"]).is_some() && read(&scene, &body, &["second", "first"]).is_some());
    for secrets in [&["second"][..], &[], &[""]] {
        assert!(read(&scene, &body, secrets).is_none());
    }
    for forged in [
        "".to_owned(),
        "{}".to_owned(),
        r#"{"module": "Leads", "ids": ["5"], "operation": "insert"}"#.to_owned(),
        r#"{"module": "Leads", "ids": ["5"], "operation": "insert", "token": "first"}"#.to_owned(),
        String::from_utf8_lossy(&body).replace("\"Leads\"", "\"Leads; drop\""),
    ] {
        assert!(read(&scene, forged.as_bytes(), &["first"]).is_none(), "{forged}");
    }
}

#[tokio::test]
async fn twice_and_backwards_each_call_speaks_for_itself() {
    let scene = scene();
    scene.connector.watch(&scene.session, "Leads", URL, &secret("s"), None).await.unwrap();
    scene.fault("duplicate-webhooks");
    let ann = scene.lead("Ann");
    let mut posts = posted(&scene);
    posts.reverse();
    assert_eq!(posts.len(), 2);
    for body in posts {
        assert_eq!(read(&scene, &body, &["s"]), Some(vec![("Leads".to_owned(), ann.clone(), HintKind::Changed)]));
    }
}
