//! `POST /mcp` against the binary: with the official client, with what no client sends, and across tenants.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::{Engine, wait};

use crate::tenant_matrix::OneOfEverything;
use crate::world::{SOON, World, lead, rows, text};
use testkit::tools;

const SDK: &str = "@modelcontextprotocol/sdk@^1.32.0";

/// One message.
fn message(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

async fn send(who: &Client, body: &Value) -> Response {
    who.post("/mcp", body).await
}

/// Calls a tool; its result.
async fn call(who: &Client, tool: &str, arguments: &Value) -> Value {
    let answer = send(who, &message("tools/call", &json!({"name": tool, "arguments": arguments}))).await.expect(200).json();
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

/// The tools of a caller, by name.
async fn tools_of(who: &Client, query: &str) -> Vec<Value> {
    let answer = who.post(&format!("/mcp{query}"), &message("tools/list", &json!({}))).await.expect(200).json();
    answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
}

/// The request behind a tool, which its description ends with.
fn request_of(tool: &Value) -> (String, String) {
    let (method, path) = tool["description"].as_str().and_then(|text| text.lines().last()?.split_once(' ')).expect("every tool says it");
    (method.to_owned(), path.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_works_with_tools() {
    if !tools::present("node", "the official client of agents") || !tools::present("npm", "the official client of agents") {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let (key, reader) = (tenant.key().await, tenant.key_scoped(&["leads:read"]).await);
    let dir = tools::npm("mcp-npm", &[SDK]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/agents/client.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(dir).arg(world.server.base()).args([&key.token, &reader.token]);
    let output = tools::run(&mut command);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.trim_end().ends_with("ok"), "{said}");
}

testkit::engines! {
    async fn a_call_is_one_request_of_the_endpoint_that_it_means(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"requests": 10, "window": 60_000}})).await;
        let remaining = |answer: &Response| answer.header("x-ratelimit-remaining").unwrap().parse::<u32>().unwrap();
        let list = message("tools/call", &json!({"name": "leads_list", "arguments": {"limit": 1}}));
        let first = send(&key.http, &list).await.expect(200);
        let second = send(&key.http, &list).await.expect(200);
        assert_eq!(remaining(&first) - remaining(&second), 1, "counted once");
        let third = send(&key.http, &message("tools/list", &json!({}))).await.expect(200);
        assert_eq!(remaining(&second) - remaining(&third), 1);
        // What was called, not how.
        let logged = wait::until("the rows of three calls", SOON, async || {
            let list = tenant.host.get(&format!("/api/v1/request-logs?apiKeyId={}", key.id)).await.expect(200).json();
            let mut paths: Vec<String> = rows(&list).iter().map(|row| text(&row["endpoint"])).collect();
            paths.sort();
            (paths.len() == 3).then_some(paths)
        })
        .await;
        assert_eq!(logged, ["/api/v1/leads", "/api/v1/leads", "/mcp"]);
        // An agent that does not stop is told to wait.
        let refused = wait::until("the limit", SOON, async || {
            let result = call(&key.http, "leads_list", &json!({})).await;
            (result["isError"] == true).then_some(result)
        })
        .await;
        let problem = &refused["structuredContent"];
        assert_eq!((&problem["code"], &problem["status"]), (&json!("rate_limited"), &json!(429)));
        assert!(problem["retryAfterSeconds"].is_string());
        send(&key.http, &message("tools/list", &json!({}))).await.assert_problem(429, "rate_limited");
    }

    async fn tools_are_those_that_the_credential_may_use(world: World) {
        let tenant = world.tenant("Acme").await;
        let all = tools_of(&tenant.host, "").await;
        let reader = tenant.key_scoped(&["leads:read"]).await.http;
        let few = tools_of(&reader, "").await;
        let few = names(&few);
        assert!(few.contains(&"leads_list") && few.contains(&"leads_get"), "{few:?}");
        assert!(!few.iter().any(|name| name.starts_with("quotes") || *name == "leads_create" || name.starts_with("tenants")), "{few:?}");
        assert!(all.len() > few.len() + 40 && names(&all).contains(&"tenants_create"));
        let leads = tools_of(&reader, "?tags=leads").await;
        assert!(names(&leads).iter().all(|name| name.starts_with("leads")) && !leads.is_empty(), "{:?}", names(&leads));
        for tool in &all {
            let name = text(&tool["name"]);
            assert!(name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{name}");
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
            assert!(!tool.to_string().contains("#/components/"), "{name} refers to what is not there");
        }
        // Calling by name what is not listed is refused as any other request is.
        let refused = call(&reader, "leads_create", &json!({"body": lead("Ada")})).await;
        assert_eq!((&refused["isError"], &refused["structuredContent"]["code"]), (&json!(true), &json!("insufficient_scope")));
        let unknown = send(&reader, &message("tools/call", &json!({"name": "leads_drop", "arguments": {}}))).await.expect(200).json();
        assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
        let bad = call(&reader, "leads_get", &json!({"id": "rec_x", "color": "red"})).await;
        assert_eq!((&bad["structuredContent"]["code"], &bad["structuredContent"]["errors"][0]["pointer"]), (&json!("validation_failed"), &json!("/color")));
        // A stranger learns nothing, whatever is called.
        for body in [message("tools/list", &json!({})), message("tools/call", &json!({"name": "leads_list", "arguments": {}})), json!("nonsense")] {
            let answer = send(&world.server.client().bearer("tw_live_x"), &body).await;
            answer.assert_problem(401, "invalid_credential");
            assert!(answer.header("www-authenticate").is_some());
        }
    }

    async fn a_tenants_own_endpoints_are_tools_too(world: World) {
        let (tenant, other) = (world.tenant("Acme").await, world.tenant("Other").await);
        let endpoint = json!({
            "path": "/new-leads", "method": "GET", "scopes": ["leads:read"], "public": false,
            "operation": {"type": "list", "resource": "lead", "query": {"status": "NEW"}},
        });
        tenant.host.post("/api/v1/rest-endpoints", &endpoint).await.assert_status(201);
        let (key, stranger) = (tenant.key_scoped(&["leads:read"]).await.http, other.key().await.http);
        let own = tools_of(&key, "").await;
        let own = own.iter().find(|tool| request_of(tool).1 == "/api/v1/x/new-leads").map(|tool| text(&tool["name"])).unwrap();
        assert_eq!(call(&key, &own, &json!({})).await["structuredContent"]["data"], json!([]));
        assert_eq!(call(&tenant.host, &own, &json!({})).await["structuredContent"]["data"], json!([]));
        assert!(!names(&tools_of(&stranger, "").await).contains(&own.as_str()));
        let answer = send(&stranger, &message("tools/call", &json!({"name": own, "arguments": {}}))).await.expect(200).json();
        assert_eq!(answer["error"]["code"], -32602);
    }

    async fn what_is_no_message_gets_a_clear_error(world: World) {
        let key = world.tenant("Acme").await.key().await.http;
        let raw = async |body: String| key.request("POST".parse().unwrap(), "/mcp").body("application/json", body).send().await;
        let list = message("tools/list", &json!({})).to_string();
        for (body, code) in [
            (String::new(), -32700),
            ("{".to_owned(), -32700),
            ("[".repeat(100_000), -32700),
            (format!("[{list},{list}]"), -32600),
            ("[]".to_owned(), -32600),
            (json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}).to_string(), -32600),
            (json!({"jsonrpc": "2.0", "id": {}, "method": "tools/list"}).to_string(), -32600),
            (json!({"jsonrpc": "2.0", "id": 1, "method": 7}).to_string(), -32600),
            (json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": "x"}).to_string(), -32600),
        ] {
            let answer = raw(body.clone()).await.expect(400).json();
            assert_eq!(answer["error"]["code"], code, "{body:.60}: {answer}");
        }
        let unknown = raw(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/explode"}).to_string()).await.json();
        assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
        raw(format!("{{\"x\":\"{}\"}}", "y".repeat(1024 * 1024))).await.assert_problem(413, "body_too_large");
        key.request("POST".parse().unwrap(), "/mcp").body("text/plain", list.clone()).send().await.assert_problem(415, "unsupported_media_type");
        for method in ["GET", "DELETE"] {
            key.request(method.parse().unwrap(), "/mcp").send().await.assert_problem(405, "method_not_allowed");
        }
        let notice = raw(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
        assert_eq!(notice.status, 202);
        let version = |version: &str| key.with("mcp-protocol-version", version);
        assert_eq!(version("2025-11-25").post("/mcp", &message("tools/list", &json!({}))).await.status, 200);
        assert_eq!(version("1999-01-01").post("/mcp", &message("tools/list", &json!({}))).await.status, 400);
    }

    async fn pages_of_strangers_are_refused(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await.http;
        let list = message("tools/call", &json!({"name": "leads_list", "arguments": {}}));
        let from = |origin: &str| key.with("origin", origin);
        send(&from("https://evil.example"), &list).await.assert_problem(403, "origin_not_allowed");
        send(&from("null"), &list).await.assert_problem(403, "origin_not_allowed");
        assert_eq!(send(&from(&world.server.base()), &list).await.status, 200, "the server's own pages");
        let allow = json!({"allowedOrigins": ["https://app.example"]});
        tenant.host.patch(&format!("/api/v1/api-clients/{}", tenant.client), &allow).await.assert_status(200);
        assert_eq!(send(&from("https://app.example"), &list).await.status, 200);
    }

    async fn what_must_not_happen_twice_does_not(world: World) {
        let key = world.tenant("Acme").await.key().await.http;
        let arguments = json!({"body": lead("Ada"), "Idempotency-Key": "once"});
        let (first, again) = (call(&key, "leads_create", &arguments).await, call(&key, "leads_create", &arguments).await);
        assert_eq!(first["structuredContent"]["id"], again["structuredContent"]["id"]);
        let other = call(&key, "leads_create", &json!({"body": lead("Bob"), "Idempotency-Key": "once"})).await;
        assert_eq!(other["structuredContent"]["code"], "idempotency_key_reused");
    }

    /// For every tool whose path names something: another tenant's is told exactly as what never existed.
    async fn no_tool_reaches_another_tenant(world: World) {
        let fixture = OneOfEverything::make(&world).await;
        let stranger = world.tenant("Stranger").await;
        let key = stranger.key().await.http;
        let (mut tried, mut holes) = (0, Vec::new());
        for tool in tools_of(&stranger.host, "").await {
            let (method, path) = request_of(&tool);
            let ids = fixture.ids(&method, &path);
            let parameters: Vec<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
            // What belongs to nobody: types, tiers, vendors.
            let of_nobody = ["event-types", "rate-limits", "alert-rules", "oauth-providers", "marketplace"];
            let shared = parameters == ["{resourceType}"] || of_nobody.iter().any(|part| path.contains(part));
            if ids.is_empty() || ids.len() != parameters.len() || shared {
                continue;
            }
            let name = text(&tool["name"]);
            let never: Vec<String> = ids.iter().enumerate().map(|(n, id)| if n + 1 == ids.len() { unlike(id) } else { id.clone() }).collect();
            for who in [&key, &stranger.host] {
                // A service key that is bound to no tenant is the operator's, who sees every tenant and all people.
                let operators = ["/api/v1/tenants", "/api/v1/users"].iter().any(|part| path.starts_with(part));
                if operators && std::ptr::eq(who, &stranger.host) {
                    continue;
                }
                let theirs = problem(call(who, &name, &naming(&tool, &ids)).await);
                let unknown = problem(call(who, &name, &naming(&tool, &never)).await);
                if theirs != unknown || !matches!(theirs["status"].as_u64(), Some(403 | 404 | 422)) {
                    holes.push(format!("{name}: {theirs} / {unknown}"));
                }
                tried += 1;
            }
        }
        assert!(holes.is_empty(), "{} of {tried}:\n{}", holes.len(), holes.join("\n"));
        assert!(tried > 60, "only {tried} calls were tried");
    }
}

/// The arguments of a tool that names `ids` in its path.
fn naming(tool: &Value, ids: &[String]) -> Value {
    let named = tool["inputSchema"]["required"].as_array().unwrap().iter().map(text).filter(|name| name != "body");
    let mut arguments: Value = named.zip(ids).map(|(name, id)| (name, json!(id))).collect();
    if tool["inputSchema"]["properties"].get("body").is_some() {
        arguments["body"] = json!({});
    }
    arguments
}

/// The problem that a tool answered, without what differs from call to call; the answer, if it is none.
fn problem(mut result: Value) -> Value {
    if result["isError"] != true {
        return json!({"answered": result});
    }
    let mut problem = result["structuredContent"].take();
    problem.as_object_mut().map(|members| members.shift_remove("requestId"));
    problem
}

/// Another id of the same form.
fn unlike(id: &str) -> String {
    match id.parse::<i64>() {
        Ok(_) => "987654321".to_owned(),
        Err(_) => format!("{}{}", &id[..id.len() - 1], if id.ends_with('0') { '1' } else { '0' }),
    }
}
