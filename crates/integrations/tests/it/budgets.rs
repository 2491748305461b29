//! Budgets: one for all sessions and servers of an account, corrected by what the vendor says.

use std::sync::Arc;

use connectors::{BudgetNews, Call, Carrier, Fault, Target};
use kernel::{IntegrationId, Scope};
use serde_json::json;
use vendors::acme::{Acme, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{ACME, Bed};

/// Acme with a budget of a hundred calls in an hour: what is empty stays so.
async fn scene(bed: &Bed) -> (Double<Acme>, IntegrationId) {
    let double = Double::start(Acme::new(Options { ambient: bed.ambient.clone(), burst: usize::MAX, ..Options::new() })).await.unwrap();
    let manifest = ACME.replace("max = 100\nseconds = 10\n", "max = 100\nseconds = 3600\n");
    let manifest: String = manifest.lines().filter(|line| !line.contains("_header = \"x-")).map(|line| format!("{line}\n")).collect();
    bed.api("POST", "/connectors", Some(json!({ "manifest": manifest }))).await.expect(201);
    let token = double.issue().access_token;
    let body = json!({"connector": "acme-crm", "config": {"baseUrl": double.url()}, "credentials": {"apiKey": token}});
    (double, bed.integration(body).await)
}

async fn carrier(integrations: &Arc<integrations::Integrations>, bed: &Bed, id: IntegrationId) -> Arc<dyn Carrier> {
    integrations.session(&bed.scope(), id).await.unwrap().1.carrier
}

fn call() -> Call {
    Call::get(Target::Path("/v1/me".to_owned()))
}

async fn used(bed: &Bed) -> u64 {
    let sql = "SELECT used FROM integration_budgets";
    bed.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
}

testkit::engines! {
    /// Two servers spend one budget, to the last call; what comes after is told when, and sent only then.
    async fn servers_share_a_budget(bed: Bed) {
        let (double, id) = scene(&bed).await;
        let second = bed.second_node();
        let nodes = [carrier(&bed.integrations, &bed, id).await, carrier(&second, &bed, id).await];
        let (mut sent, mut refused) = (0, 0);
        for n in 0..130 {
            match nodes[n % 2].send(call()).await {
                Ok(_) => sent += 1,
                Err(Fault::Exhausted { until }) => {
                    assert!(until > bed.ambient.now() && until <= bed.ambient.now().plus(std::time::Duration::from_hours(1)));
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((sent, refused, double.stand().log.total()), (100, 30, 100));
        bed.wait(3601);
        assert!(nodes[0].send(call()).await.is_ok());
    }

    /// A part is taken in advance: not every call writes.
    async fn parts_are_taken_in_advance(bed: Bed) {
        let (_double, id) = scene(&bed).await;
        let carrier = carrier(&bed.integrations, &bed, id).await;
        for _ in 0..5 {
            carrier.send(call()).await.unwrap();
            assert_eq!(used(&bed).await, 5, "a twentieth of a hundred");
        }
        carrier.send(call()).await.unwrap();
        assert_eq!(used(&bed).await, 10);
        carrier.send(call().cost(60)).await.unwrap();
        assert_eq!(used(&bed).await, 70, "what costs more takes what it costs");
        let Err(Fault::Refused { code, .. }) = carrier.send(call().cost(101)).await else { panic!() };
        assert_eq!(code, "over_budget");
    }

    /// What the vendor says is believed: less at once, on this server and at the next part on others; more when ours says that there is none.
    async fn the_vendor_s_word_counts(bed: Bed) {
        let (_double, id) = scene(&bed).await;
        let second = bed.second_node();
        let (one, two) = (carrier(&bed.integrations, &bed, id).await, carrier(&second, &bed, id).await);
        one.send(call()).await.unwrap();
        let resets = bed.ambient.now().plus(std::time::Duration::from_mins(30));
        one.told(BudgetNews { window: "burst", limit: Some(100), remaining: Some(0), resets: Some(resets) });
        assert!(matches!(one.send(call()).await, Err(Fault::Exhausted { until }) if until == resets), "nothing before the vendor says");
        assert!(two.send(call()).await.is_ok(), "the other server has not heard of it");
        bed.wait(1801);
        assert!(one.send(call()).await.is_ok());
        for _ in 0..100 {
            let _ = one.send(call()).await;
        }
        assert!(matches!(one.send(call()).await, Err(Fault::Exhausted { .. })));
        one.told(BudgetNews { window: "burst", limit: None, remaining: Some(40), resets: None });
        assert!(one.send(call()).await.is_ok(), "the vendor's window began anew before ours");
    }

    /// Accounts of two tenants have nothing to do with each other.
    async fn budgets_are_of_one_tenant(bed: Bed) {
        let (double, id) = scene(&bed).await;
        let ours = carrier(&bed.integrations, &bed, id).await;
        while ours.send(call()).await.is_ok() {}
        let manifest = ACME.replace("max = 100\nseconds = 10\n", "max = 100\nseconds = 3600\n");
        bed.api_as(bed.stranger(), "POST", "/connectors", Some(json!({ "manifest": manifest }))).await.expect(201);
        let body = json!({"connector": "acme-crm", "config": {"baseUrl": double.url()}, "credentials": {"apiKey": double.issue().access_token}});
        let made = bed.api_as(bed.stranger(), "POST", "/integrations", Some(body)).await.expect(201).json();
        let path = format!("/integrations/{}/test", made["id"].as_str().unwrap());
        assert_eq!(bed.api_as(bed.stranger(), "POST", &path, None).await.json()["success"], json!(true));
    }
}
