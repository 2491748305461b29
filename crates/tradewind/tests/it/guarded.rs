//! A state that needs a scope of its own, through every front door: declared and generic routes, batch, import, GraphQL, tools, endpoints of a
//! tenant's own.

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::{Bed, Engine};

use crate::world::{World, text};

struct Desk(World);

impl Bed for Desk {
    async fn open(engine: Engine) -> Self {
        Self(World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", "helpdesk-reports")))
    }
}

async fn graphql(who: &Client, query: &str) -> Value {
    who.post("/graphql", &json!({"query": query})).await.expect(200).json()
}

async fn tool(who: &Client, name: &str, arguments: &Value) -> Value {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
    let client = who.with("accept", "application/json, text/event-stream").with("mcp-protocol-version", "2025-06-18");
    let answer = client.post("/mcp", &call).await.text();
    let line =
        answer.lines().find_map(|line| line.strip_prefix("data: ").filter(|data| data.starts_with('{'))).unwrap_or(&answer).to_owned();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

testkit::engines! {
    async fn no_front_door_sets_it_without_the_scope(world: Desk) {
        let tenant = world.0.tenant("Acme").await;
        let writer = tenant.key_scoped(&["tickets:read", "tickets:write", "integrations:write"]).await.http;
        let one = "/api/v1/records/ticket";
        let id = text(&writer.post(one, &json!({"subject": "Fire"})).await.expect(201).json()["id"]);
        let (at, resolved) = (format!("{one}/{id}"), json!({"status": "resolved"}));
        let whole = json!({"subject": "Fire", "status": "resolved"});
        writer.patch(&at, &resolved).await.assert_problem(403, "insufficient_scope");
        writer.put(&at, &whole).await.assert_problem(403, "insufficient_scope");
        writer.post(one, &whole).await.assert_problem(403, "insufficient_scope");
        writer.put(&format!("{one}/ext:crm-1"), &whole).await.assert_problem(403, "insufficient_scope");
        writer.post(&format!("/api/v1/tickets/{id}/resolve"), &json!({})).await.assert_problem(403, "insufficient_scope");
        let told = writer.patch(&at, &resolved).await.json();
        assert_eq!(told["errors"], json!([{"pointer": "/status", "detail": "needs the scope tickets:resolve"}]), "{told}");
        let operations = json!([{"op": "update", "id": id, "data": resolved}, {"data": whole}, {"op": "upsert", "externalId": "crm-1", "data": whole}]);
        let batch = writer.post(&format!("{one}/batch"), &json!({"operations": operations})).await.expect(200).json();
        assert_eq!((&batch["summary"], &batch["data"][0]["error"]["code"]), (&json!({"succeeded": 0, "failed": 3}), &json!("insufficient_scope")));
        let line = json!({"id": id, "subject": "Fire", "status": "resolved"}).to_string();
        let request = writer.request("POST".parse().unwrap(), &format!("{one}/import"));
        let import = request.body("application/x-ndjson", line).send().await.expect(200).json();
        assert_eq!((&import["summary"]["failed"], &import["data"][0]["error"]["code"]), (&json!(1), &json!("insufficient_scope")), "{import}");
        // GraphQL: the update, and the creation.
        for query in [
            format!("mutation {{ updateTicket(id: \"{id}\", patch: {{status: resolved}}) {{ id }} }}"),
            "mutation { createTicket(input: {subject: \"Fire\", status: resolved}) { id } }".to_owned(),
        ] {
            let answer = graphql(&writer, &query).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "insufficient_scope", "{query}: {answer}");
        }
        // A tool is the route that it calls.
        let answer = tool(&writer, "records_update", &json!({"resourceType": "ticket", "id": id, "body": resolved})).await;
        assert!(answer["result"]["isError"] == true && answer.to_string().contains("insufficient_scope"), "{answer}");
        // And so is an endpoint that the tenant declares.
        let own = json!({"path": "t/{id}", "method": "PATCH", "operation": {"type": "update", "resource": "ticket"}});
        writer.post("/api/v1/rest-endpoints", &own).await.assert_status(201);
        writer.patch(&format!("/api/v1/x/t/{id}"), &resolved).await.assert_problem(403, "insufficient_scope");
        assert_eq!(writer.get(&at).await.expect(200).json()["status"], "open", "nothing of it has happened");

        let resolver = tenant.key_scoped(&["tickets:resolve"]).await.http;
        resolver.post(&format!("/api/v1/tickets/{id}/resolve"), &json!({})).await.assert_status(200);
        let both = tenant.key_scoped(&["tickets:write", "tickets:resolve", "tickets:read"]).await.http;
        both.patch(&at, &json!({"status": "open"})).await.assert_status(200);
        both.patch(&at, &resolved).await.assert_status(200);
        let seen = writer.patch(&at, &json!({"status": "resolved", "priority": "low"})).await.expect(200).json();
        assert_eq!(seen["priority"], "low", "what is there may be sent back");
        tenant.host.patch(&at, &json!({"status": "open"})).await.assert_status(200);
        tenant.host.patch(&at, &resolved).await.assert_status(200);
    }
}
