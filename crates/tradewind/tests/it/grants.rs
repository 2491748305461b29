//! Nobody grants what they lack, by any route. The routes that take scopes are read from the OpenAPI document: one that is not tried here fails
//! the test.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::http::Client;

use crate::world::{World, text};

/// What is tried on each route that takes scopes: method, path of the document, body with the scopes in it.
type Attempt = (&'static str, &'static str, fn(&Aim, &[&str]) -> (String, Value));

struct Aim {
    client: String,
    key: String,
}

const ATTEMPTS: &[Attempt] = &[
    ("POST", "/api/v1/api-clients", |_, scopes| ("/api/v1/api-clients".into(), json!({"name": "Mine", "scopes": scopes}))),
    ("PUT", "/api/v1/api-clients/{id}", |aim, scopes| {
        (format!("/api/v1/api-clients/{}", aim.client), json!({"name": "Mine", "scopes": scopes}))
    }),
    ("PATCH", "/api/v1/api-clients/{id}", |aim, scopes| (format!("/api/v1/api-clients/{}", aim.client), json!({"scopes": scopes}))),
    ("POST", "/api/v1/api-keys", |aim, scopes| {
        ("/api/v1/api-keys".into(), json!({"clientId": aim.client, "name": "Mine", "scopes": scopes}))
    }),
    ("PATCH", "/api/v1/api-keys/{id}", |aim, scopes| (format!("/api/v1/api-keys/{}", aim.key), json!({"scopes": scopes}))),
    ("POST", "/api/v1/api-keys/import", |aim, scopes| {
        ("/api/v1/api-keys/import".into(), json!({"clientId": aim.client, "name": "Mine", "hash": "ab".repeat(32), "scopes": scopes}))
    }),
    ("POST", "/api/v1/rest-endpoints", |_, scopes| {
        let operation = json!({"type": "create", "resource": "lead"});
        ("/api/v1/rest-endpoints".into(), json!({"path": "mine", "method": "POST", "scopes": scopes, "operation": operation}))
    }),
];

/// Routes that name scopes without granting any: they ask whether a key holds them, or what our calls to others may do.
const NO_GRANT: &[&str] = &[
    "POST /api/v1/api-keys/verify",
    "POST /api/v1/oauth-connections",
    "POST /api/v1/oauth-tokens",
    "PUT /api/v1/oauth-providers/{provider}",
];

/// Whether a schema has a member `scopes` at its top or one level below (such as a list of keys), and it is not what we ask of somebody
/// else's authorization server.
fn takes_scopes(document: &Value, schema: &Value, depth: u8) -> bool {
    let schema = match schema["$ref"].as_str() {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    };
    let members = schema["properties"].as_object().into_iter().flatten();
    members.into_iter().any(|(name, member)| {
        name == "scopes"
            || (depth > 0
                && name != "auth"
                && (takes_scopes(document, member, depth - 1) || takes_scopes(document, &member["items"], depth - 1)))
    })
}

async fn routes_with_scopes(world: &World) -> BTreeSet<String> {
    let document = world.server.client().get("/docs/openapi.json").await.expect(200).json();
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object().into_iter().flatten();
            if content.into_iter().any(|(_, media)| takes_scopes(&document, &media["schema"], 2)) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

/// Everything that the tenant's credentials hold, as the host sees it.
async fn held(host: &Client, aim: &Aim) -> Value {
    let client = host.get(&format!("/api/v1/api-clients/{}", aim.client)).await.expect(200).json();
    let keys = host.get(&format!("/api/v1/api-clients/{}/api-keys?limit=100", aim.client)).await.expect(200).json();
    let clients = host.get("/api/v1/api-clients?limit=100").await.expect(200).json();
    let keys: Vec<&Value> = keys["data"].as_array().unwrap().iter().map(|key| &key["scopes"]).collect();
    let clients: Vec<&Value> = clients["data"].as_array().unwrap().iter().map(|client| &client["scopes"]).collect();
    json!([client["scopes"], keys, clients])
}

testkit::engines! {
    async fn a_scope_that_a_caller_lacks_is_granted_by_no_route(world: World) {
        let tried: BTreeSet<String> = ATTEMPTS.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        let known: BTreeSet<String> = tried.iter().cloned().chain(NO_GRANT.iter().map(|route| (*route).to_owned())).collect();
        let served = routes_with_scopes(&world).await;
        assert!(served.is_superset(&tried), "gone: {:?}", tried.difference(&served).collect::<Vec<_>>());
        assert!(served.is_subset(&known), "routes that take scopes and are not tried here: {:?}", served.difference(&known).collect::<Vec<_>>());

        let tenant = world.tenant("Acme").await;
        let aim = Aim { client: tenant.client.clone(), key: tenant.key_scoped(&["leads:read"]).await.id };
        // A service key that may write clients and keys of one tenant and holds no scope; and a partner's key with one scope.
        let made = world.server.settings().run(&["service-key", "create", "--tenant", &tenant.id, "--scopes", "clients.write,clients.read,keys.write,keys.read"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let bound = world.server.client().bearer(String::from_utf8(made.stdout).unwrap().trim());
        let partner = tenant.key_scoped(&["leads:read"]).await.http;
        let before = held(&tenant.host, &aim).await;
        for (who, client) in [("a narrowed service key", &bound), ("a partner's key", &partner)] {
            for scopes in [&["leads:write"][..], &["leads:read", "leads:delete"], &["webhooks:write"]] {
                for (method, path, attempt) in ATTEMPTS {
                    let (place, body) = attempt(&aim, scopes);
                    let answer = client.request(method.parse().unwrap(), &place).json(&body).send().await;
                    let refused = matches!(answer.status.as_u16(), 403 | 422);
                    assert!(refused, "{method} {path} by {who} with {scopes:?}: {} {}", answer.status, answer.text());
                    let code = text(&answer.json()["code"]);
                    assert!(matches!(code.as_str(), "scope_exceeds_client" | "insufficient_scope" | "operator_only"), "{method} {path} by {who}: {code}");
                }
            }
            // Nor by naming none, which would mean all of the client's; nor by rotating or claiming a key that holds more.
            for (method, path, attempt) in ATTEMPTS {
                let (place, mut body) = attempt(&aim, &[]);
                body["scopes"] = Value::Null;
                let answer = client.request(method.parse().unwrap(), &place).json(&body).send().await;
                assert!(matches!(answer.status.as_u16(), 403 | 422), "{method} {path} by {who}, null: {} {}", answer.status, answer.text());
            }
            for act in ["rotate", "claim"] {
                let answer = client.post(&format!("/api/v1/api-keys/{}/{act}", aim.key), &json!({})).await;
                assert!(matches!(answer.status.as_u16(), 403 | 422), "{act} by {who}: {} {}", answer.status, answer.text());
            }
        }
        assert_eq!(held(&tenant.host, &aim).await, before, "nothing was granted on the way");
    }
}
