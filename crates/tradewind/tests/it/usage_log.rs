//! Every request that passed the gate is in the log, also when the server is told to stop in the middle.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::world::{World, rows, text};

const REQUESTS: usize = 600;

/// All rows of the log that match, newest first.
async fn logged(client: &testkit::http::Client, filter: &str) -> Vec<Value> {
    let (mut out, mut query) = (Vec::new(), format!("?limit=100&{filter}"));
    loop {
        let list = client.get(&format!("/api/v1/request-logs{query}")).await.expect(200).json();
        out.extend(rows(&list).iter().cloned());
        match list["pagination"]["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=100&{filter}&cursor={cursor}"),
            None => return out,
        }
    }
}

testkit::engines! {
    async fn no_row_is_lost_when_the_server_is_terminated(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let (key, other) = (tenant.key().await, tenant.key().await);
        other.http.get("/api/v1/scopes").await.assert_status(200);
        let mut running = tokio::task::JoinSet::new();
        for n in 0..REQUESTS {
            let http = key.http.clone();
            running.spawn(async move {
                let path = if n % 3 == 0 { "/api/v1/leads/rec_00000000000000000000000000" } else { "/api/v1/leads?limit=1" };
                let answer = http.get(path).await;
                (answer.header("x-request-id").unwrap().to_owned(), answer.status.as_u16())
            });
        }
        let answers: HashSet<(String, u16)> = running.join_all().await.into_iter().collect();
        assert_eq!(answers.len(), REQUESTS, "each has an id of its own");
        let status = world.server.terminate();
        assert_eq!(status.code(), Some(0), "an orderly end");
        world.server.restart();

        let rows = logged(&tenant.host, &format!("apiKeyId={}", key.id)).await;
        let found: HashSet<(String, u16)> =
            rows.iter().map(|row| (text(&row["id"]), u16::try_from(row["status"].as_u64().unwrap()).unwrap())).collect();
        assert_eq!(found.len(), rows.len(), "no row twice");
        assert!(found == answers, "{} of {REQUESTS} rows are there", found.intersection(&answers).count());
        let row = rows.iter().find(|row| row["status"] == 404).unwrap();
        assert_eq!(
            (&row["method"], &row["endpoint"], &row["errorCode"]),
            (&json!("GET"), &json!("/api/v1/leads/{id}"), &json!("not_found")),
            "{row}"
        );
        assert_eq!((&row["clientId"], &row["ip"]), (&json!(tenant.client), &json!("127.0.0.1")), "{row}");
        let filtered = logged(&tenant.host, &format!("apiKeyId={}&status=404", key.id)).await;
        assert_eq!(filtered.len(), REQUESTS / 3);
    }

    async fn a_request_under_way_is_answered_before_the_end(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let mut running = tokio::task::JoinSet::new();
        for n in 0..100 {
            let http = key.http.clone();
            let body = json!(crate::world::lead(&format!("Name{n}")));
            running.spawn(async move { http.request("POST".parse().unwrap(), "/api/v1/leads").json(&body).try_send().await });
        }
        // The first answer shows that they are under way.
        let first = running.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(first.status, 201);
        let status = world.server.terminate();
        assert_eq!(status.code(), Some(0));
        // Some came too late and met a closed door; whoever got an answer got the whole of it.
        let mut made: HashSet<String> = HashSet::from([text(&first.json()["id"])]);
        for answer in running.join_all().await.into_iter().flatten() {
            match answer.status.as_u16() {
                201 => assert!(made.insert(text(&answer.json()["id"]))),
                503 => {}
                other => panic!("{other}: {}", answer.text()),
            }
        }
        world.server.restart();
        let list = tenant.host.get("/api/v1/leads?limit=100").await.expect(200).json();
        let kept: HashSet<String> = rows(&list).iter().map(|row| text(&row["id"])).collect();
        assert!(made.is_subset(&kept), "an answered lead is gone: {} answered, {} kept", made.len(), kept.len());
    }
}
