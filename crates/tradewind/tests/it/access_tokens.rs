//! An access token passes the gate as a key does: the same limits, the same log, the same refusals.

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::wait;

use crate::world::{SOON, Tenant, World, rows, text};

/// A client of a tenant with members of its own, and what calls with a token of it.
struct Application {
    id: String,
    secret: String,
}

impl Application {
    async fn make(tenant: &Tenant, members: Value) -> Self {
        let mut body = json!({"name": "Sync"});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = tenant.host.post("/api/v1/api-clients", &body).await.expect(201).json();
        Self { id: text(&made["id"]), secret: text(&made["clientSecret"]) }
    }

    async fn ask(&self, world: &World, path: &str, form: &str) -> Response {
        let form = format!("{form}&client_id={}&client_secret={}", self.id, self.secret);
        let request = world.server.client().request("POST".parse().unwrap(), path);
        request.body("application/x-www-form-urlencoded", form).send().await
    }

    async fn token(&self, world: &World, more: &str) -> (String, Client) {
        let answer = self.ask(world, "/oauth/token", &format!("grant_type=client_credentials{more}")).await.expect(200).json();
        let token = text(&answer["access_token"]);
        let client = world.server.client().bearer(&token);
        (token, client)
    }
}

testkit::engines! {
    async fn it_is_limited_counted_and_told_like_a_key(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = Application::make(&tenant, json!({"scopes": ["leads:read"], "rateLimitTier": "standard"})).await;
        let (_, first) = app.token(&world, "").await;
        let answer = first.get("/api/v1/leads").await.expect(200);
        let remaining = |answer: &Response| answer.header("x-ratelimit-remaining").unwrap().parse::<u64>().unwrap();
        assert_eq!(answer.header("x-ratelimit-limit"), Some("120"));
        let (_, second) = app.token(&world, "").await;
        assert!(remaining(&second.get("/api/v1/leads").await.expect(200)) < remaining(&answer), "fresh tokens give no fresh limits");

        let me = first.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!((&me["credential"], &me["clientId"], &me["tenantId"]), (&json!("access_token"), &json!(app.id), &json!(tenant.id)));
        assert_eq!((&me["scopes"], &me["rateLimitTier"]), (&json!(["leads:read"]), &json!("standard")));
        assert!(me["keyId"].as_str().unwrap().starts_with("twa_live_") && !me["expiresAt"].is_null());

        let row = wait::until("its calls in the request log", SOON, || async {
            let logs = tenant.host.get(&format!("/api/v1/request-logs?clientId={}&limit=100", app.id)).await.expect(200).json();
            rows(&logs).iter().find(|row| row["endpoint"] == "/api/v1/leads").cloned()
        });
        let row = row.await;
        assert_eq!((&row["clientId"], &row["status"]), (&json!(app.id), &json!(200)), "{row}");
    }

    /// RFC 6750 §3, RFC 9728 §5.1.
    async fn a_refusal_says_how_to_get_in(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = Application::make(&tenant, json!({"scopes": ["leads:read"]})).await;
        let (token, with_token) = app.token(&world, "").await;
        let challenge = |answer: &Response| answer.header("www-authenticate").unwrap().to_owned();
        let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", world.server.base());

        let nobody = world.server.client().get("/api/v1/leads").await.expect(401);
        assert_eq!(challenge(&nobody), format!("Bearer {metadata}"));
        let wrong = world.server.client().bearer("twa_live_nothing").get("/api/v1/leads").await.expect(401);
        assert_eq!(challenge(&wrong), format!("Bearer error=\"invalid_token\", {metadata}"));
        let agent = world.server.client().post("/mcp", &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await.expect(401);
        assert!(challenge(&agent).ends_with("/.well-known/oauth-protected-resource/mcp\""), "{}", challenge(&agent));
        let less = with_token.get("/api/v1/agents").await.expect(403);
        assert_eq!(challenge(&less), format!("Bearer error=\"insufficient_scope\", scope=\"agents:read\", {metadata}"));
        let named = world.server.client().get("/.well-known/oauth-protected-resource").await.expect(200).json();
        assert_eq!(named["authorization_servers"], json!([world.server.base()]));

        app.ask(&world, "/oauth/revoke", &format!("token={token}")).await.assert_status(200);
        with_token.get("/api/v1/leads").await.assert_status(401);
        let told = app.ask(&world, "/oauth/introspect", &format!("token={token}")).await.expect(200).json();
        assert_eq!(told, json!({"active": false}));
    }

    /// RFC 8707.
    async fn a_token_for_a_part_opens_that_part(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = Application::make(&tenant, json!({"scopes": ["leads:read"]})).await;
        let base = world.server.base().replace(':', "%3A");
        let (_, part) = app.token(&world, &format!("&resource={base}/api/v1/leads")).await;
        part.get("/api/v1/leads").await.assert_status(200);
        part.get("/api/v1/scopes").await.assert_problem(401, "wrong_resource");
        let (_, whole) = app.token(&world, &format!("&resource={base}")).await;
        whole.get("/api/v1/scopes").await.assert_status(200);
        let elsewhere = app.ask(&world, "/oauth/token", "grant_type=client_credentials&resource=https%3A%2F%2Fother.example").await;
        assert_eq!((elsewhere.status.as_u16(), &elsewhere.json()["error"]), (400, &json!("invalid_target")));
    }
}
