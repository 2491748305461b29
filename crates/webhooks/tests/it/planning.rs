//! From a published event to its deliveries.

use kernel::PageRequest;
use serde_json::json;
use webhooks::{Change, DeliveryQuery};

use crate::bed::{Bed, SOON, event};

testkit::engines! {
    /// Type, client, channel, filter and state decide, right after the answer that set them.
    async fn who_gets_what(bed: Bed) {
        let url = "http://127.0.0.1:9/";
        let all = bed.create(json!({"url": url, "events": ["*"]})).await.unwrap().id;
        let leads = bed.create(json!({"url": url, "events": ["lead.*"], "channels": ["eu"]})).await.unwrap().id;
        let lost = bed.create(json!({"url": url, "events": ["lead.created"], "filter": {"data.status": "LOST"}})).await.unwrap().id;
        assert_eq!(bed.publish("lead.created", json!({})).await.deliveries, 2);
        assert_eq!(bed.publish("lead.created", json!({"channels": ["us"]})).await.deliveries, 1);
        assert_eq!(bed.publish("lead.created", json!({"channels": ["us", "eu"]})).await.deliveries, 2);
        assert_eq!(bed.publish("lead.created", json!({"clientId": bed.client})).await.deliveries, 2);
        assert_eq!(bed.publish("lead.created", json!({"data": {"leadId": "1", "status": "LOST"}})).await.deliveries, 3);
        let first = bed.publish("lead.created", json!({})).await;
        assert_eq!(bed.events.get(&bed.caller(), first.id).await.unwrap().filtered, [lost]);
        let theirs = bed.events.publish(&bed.stranger, event("lead.created", json!({}))).await.unwrap();
        assert_eq!(theirs.deliveries, 0);
        bed.webhooks.set_state(&bed.caller(), all.into(), Change::Pause).await.unwrap();
        assert_eq!(bed.publish("lead.updated", json!({})).await.deliveries, 2, "a paused one's wait");
        bed.webhooks.set_state(&bed.caller(), all.into(), Change::Disable).await.unwrap();
        assert_eq!(bed.publish("lead.updated", json!({})).await.deliveries, 1, "a disabled one has none");
        let patch = serde_json::from_value(json!({"events": ["quote.sent"], "channels": null})).unwrap();
        bed.webhooks.update(&bed.caller(), leads.into(), patch).await.unwrap();
        assert_eq!(bed.publish("lead.updated", json!({})).await.deliveries, 0);
        bed.webhooks.delete(&bed.caller(), lost.into()).await.unwrap();
        let after = bed.publish("lead.created", json!({})).await;
        assert_eq!((after.deliveries, bed.events.get(&bed.caller(), after.id).await.unwrap().filtered.len()), (0, 0));
    }

    /// The counts are the rows that exist.
    async fn counts_are_rows(bed: Bed) {
        for _ in 0..3 {
            bed.create(json!({"url": "http://127.0.0.1:9/", "events": ["*"], "enabled": true})).await.unwrap();
        }
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..60 {
            let (events, caller) = (bed.events.clone(), bed.caller());
            // Every id twice: the second one adds nothing.
            tasks.spawn(async move { events.publish(&caller, event("lead.created", json!({"id": format!("e{}", n / 2)}))).await.unwrap().deliveries });
        }
        assert!(tasks.join_all().await.into_iter().all(|deliveries| deliveries == 3));
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let rows = bed.webhooks.deliveries(&bed.caller(), None, DeliveryQuery::default(), page).await.unwrap();
        assert_eq!(rows.data.len(), 90);
        assert!(rows.data.iter().all(|row| row.payload.as_ref().unwrap().get() == r#"{"leadId":"1","status":"WON"}"#));
    }

    /// A node that starts knows what is there; on PostgreSQL a node that runs learns what changes on another.
    async fn every_node_knows(bed: Bed) {
        let url = "http://127.0.0.1:9/";
        let made = bed.create(json!({"url": url, "events": ["lead.created"]})).await.unwrap();
        if bed.engine.database().is_none() {
            return;
        }
        let (events, _webhooks, _dispatch) = bed.second_node().await;
        assert_eq!(events.publish(&bed.caller(), event("lead.created", json!({}))).await.unwrap().deliveries, 1);
        bed.create(json!({"url": url, "events": ["*"]})).await.unwrap();
        let deliveries = async |expected: u32| {
            testkit::wait::until("the other node to learn it", SOON, async || {
                let answer = events.publish(&bed.caller(), event("lead.created", json!({}))).await.unwrap();
                (answer.deliveries == expected).then_some(())
            })
            .await;
        };
        deliveries(2).await;
        bed.webhooks.delete(&bed.caller(), made.id.into()).await.unwrap();
        deliveries(1).await;
    }
}
