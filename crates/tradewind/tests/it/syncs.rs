//! Syncs over HTTP, with a running server and a double of HubSpot.

use serde_json::{Value, json};
use testkit::wait;
use vendors::hubspot::{HubSpot, Options};
use vendors::stand::{Double, Vendor as _};

use crate::world::{SOON, Tenant, World, text};

/// An account at a double, connected.
async fn connected(tenant: &Tenant) -> (Double<HubSpot>, String) {
    let double = Double::start(HubSpot::new(Options::unlimited())).await.unwrap();
    let credentials = json!({"accessToken": double.issue().access_token});
    let body = json!({"connector": "hubspot", "config": {"baseUrl": double.url()}, "credentials": credentials});
    let integration = text(&tenant.host.post("/api/v1/integrations", &body).await.expect(201).json()["id"]);
    (double, integration)
}

fn mappings() -> Value {
    json!([
        {"localField": "email", "remoteField": "email", "key": true},
        {"localField": "firstName", "remoteField": "firstname"},
        {"localField": "lastName", "remoteField": "lastname"},
        {"localField": "phone", "remoteField": "phone"},
        {"localField": "source", "constant": "crm"},
        {"localField": "insuranceType", "constant": "AUTO"},
    ])
}

async fn run(tenant: &Tenant, sync: &str, body: &Value) -> Value {
    let run = text(&tenant.host.post(&format!("/api/v1/sync-configs/{sync}/run"), body).await.expect(202).json()["id"]);
    wait::until("the run to end", SOON, || async {
        let run = tenant.host.get(&format!("/api/v1/sync-runs/{run}")).await.expect(200).json();
        run["completedAt"].is_string().then_some(run)
    })
    .await
}

testkit::engines! {
    /// A dry run, a real one, a change on each side in real time, a conflict and its decision.
    async fn a_sync_goes_both_ways_over_http(world: World) {
        let tenant = world.tenant("Acme").await;
        let (double, integration) = connected(&tenant).await;
        let theirs = double.add("contacts", &json!({"email": "there@example.com", "firstname": "Ada", "lastname": "There"})).unwrap();
        let config = json!({
            "integrationId": integration, "resourceType": "lead", "object": "contacts", "syncDirection": "bidirectional",
            "frequency": "manual", "fieldMappings": mappings(),
        });
        let made = tenant.host.post("/api/v1/sync-configs", &config).await.expect(201).json();
        let sync = text(&made["id"]);
        assert_eq!((&made["conflictResolution"], &made["direction"], &made["deletions"]), (&json!("manual"), &json!("bidirectional"), &json!("delete")));
        let dry = run(&tenant, &sync, &json!({"mode": "full", "dryRun": true})).await;
        assert_eq!((&dry["status"], &dry["created"]), (&json!("completed"), &json!(1)), "{dry}");
        let real = run(&tenant, &sync, &json!({"mode": "full_sync"})).await;
        assert_eq!((&real["status"], &real["created"], &real["complete"]), (&json!("completed"), &json!(1), &json!(true)), "{real}");
        let log = tenant.host.get(&format!("/api/v1/sync-runs/{}/log", text(&real["id"]))).await.expect(200).json();
        assert_eq!(log["data"][0]["action"], "created_here", "{log}");
        let lead = tenant.host.get("/api/v1/records/lead?email=there@example.com").await.expect(200).json()["data"][0].clone();
        let path = format!("/api/v1/records/lead/{}", text(&lead["id"]));
        assert_eq!(lead["lastName"], "There");

        // Both sides change a field: it waits, and the decision goes to both.
        tenant.host.patch(&path, &json!({"phone": "111-1111"})).await.assert_status(200);
        double.edit("contacts", &theirs, &json!({"phone": "222-2222"})).unwrap();
        let second = run(&tenant, &sync, &json!({"mode": "full"})).await;
        assert_eq!(second["conflicts"], 1, "{second}");
        let open = tenant.host.get(&format!("/api/v1/conflicts?status=open&syncId={sync}")).await.expect(200).json();
        let conflict = &open["data"][0];
        assert_eq!((&conflict["localValue"], &conflict["remoteValue"]), (&json!("111-1111"), &json!("222-2222")));
        let id = text(&conflict["id"]);
        tenant.host.post(&format!("/api/v1/conflicts/{id}/resolve"), &json!({"choose": "remote"})).await.assert_status(200);
        wait::until("the decision to be carried out", SOON, || async {
            let lead = tenant.host.get(&path).await.expect(200).json();
            (lead["phone"] == "222-2222").then_some(())
        })
        .await;

        // In real time a change is there at once.
        tenant.host.patch(&format!("/api/v1/sync-configs/{sync}"), &json!({"frequency": "realtime"})).await.assert_status(200);
        tenant.host.patch(&path, &json!({"firstName": "Augusta"})).await.assert_status(200);
        wait::until("the change to arrive", SOON, || async { (double.row("contacts", &theirs).unwrap()["properties"]["firstname"] == "Augusta").then_some(()) })
            .await;
        tenant.host.delete(&format!("/api/v1/integrations/{integration}")).await.assert_status(409);
        tenant.host.delete(&format!("/api/v1/sync-configs/{sync}")).await.assert_status(204);
        tenant.host.delete(&format!("/api/v1/integrations/{integration}")).await.assert_status(204);
    }

    /// What cannot work is refused when it is written.
    async fn a_sync_that_cannot_work_is_refused(world: World) {
        let tenant = world.tenant("Acme").await;
        let (_double, integration) = connected(&tenant).await;
        let refused = |body: Value| {
            let tenant = &tenant;
            async move {
                let answer = tenant.host.post("/api/v1/sync-configs", &body).await.expect(422).json();
                text(&answer["code"])
            }
        };
        let with = |more: Value| {
            let mut body = json!({"integrationId": integration, "resourceType": "lead", "object": "contacts", "fieldMappings": mappings()});
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            body
        };
        assert_eq!(refused(with(json!({"fieldMappings": [{"localField": "phone", "remoteField": "phone"}]}))).await, "sync_key_missing");
        assert_eq!(refused(with(json!({"frequency": "now and then"}))).await, "invalid_cron");
        assert_eq!(refused(with(json!({"deleteBrakePercent": 101}))).await, "validation_failed");
        assert_eq!(refused(with(json!({"object": "no such/object"}))).await, "unknown_object");
        let key = tenant.key_scoped(&[]).await;
        key.http.get("/api/v1/sync-configs").await.assert_status(403);
    }
}
