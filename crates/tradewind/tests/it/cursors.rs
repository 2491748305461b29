//! A cursor goes on in its own list, under the filters that it was made under, and nowhere else.

use serde_json::{Value, json};

use crate::world::{World, lead};

testkit::engines! {
    async fn a_cursor_belongs_to_its_list_and_filters(world: World) {
        let tenant = world.tenant("Lists").await;
        for _ in 0..3 {
            tenant.webhook("http://127.0.0.1:9/", &["lead.converted"]).await;
            tenant.publish("lead.created", &json!({"leadId": "1"})).await;
            tenant.host.post("/api/v1/leads", &lead("Ada")).await.assert_status(201);
        }
        let webhooks = format!("/api/v1/api-clients/{}/webhooks?limit=1", tenant.client);
        let (events, typed) = ("/api/v1/events?limit=1", "/api/v1/events?type=lead.created&limit=1");
        let leads = "/api/v1/records/lead?limit=1";
        let lists = [webhooks.as_str(), events, typed, leads];
        let mut cursors = Vec::new();
        for list in lists {
            let next = tenant.host.get(list).await.expect(200).json()["pagination"]["nextCursor"].clone();
            let Value::String(cursor) = next else { panic!("{list} has one page only") };
            cursors.push(cursor);
        }
        for (n, list) in lists.iter().enumerate() {
            for (m, cursor) in cursors.iter().enumerate() {
                let answer = tenant.host.get(&format!("{list}&cursor={cursor}")).await;
                if n == m {
                    answer.assert_status(200);
                } else {
                    answer.assert_problem(400, "invalid_cursor");
                }
            }
        }
        // How many rows are asked for, and in which order the parameters stand, is no filter.
        tenant.host.get(&format!("/api/v1/events?limit=2&cursor={}&type=lead.created", cursors[2])).await.assert_status(200);
        tenant.host.get("/api/v1/events?cursor=nonsense").await.assert_problem(400, "malformed_cursor");
    }
}
