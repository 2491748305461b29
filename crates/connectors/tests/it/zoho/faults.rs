use std::sync::atomic::Ordering;
use std::time::Duration;

use connectors::{Connector as _, Fault, Outcome, Span};
use kernel::Clock as _;
use serde_json::json;
use vendors::faults::{Fault as Planned, Kind};
use vendors::stand::Vendor as _;
use vendors::zoho::Options;

use super::{Scene, create, scene, scene_with};

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_renewed() {
    let scene = scene();
    scene.org.seed_leads(900);
    scene.fault("unauthorized,path=Leads,after=3,times=1");
    let load = scene.run(Span::Full, &["Email"]).await;
    assert_eq!((load.records.len(), scene.carrier.notes.renewals.load(Ordering::SeqCst)), (900, 1));
}

/// A user has twenty refresh tokens at an app; the twenty-first connection ends the first, and its integration has to know.
#[tokio::test]
async fn the_twenty_first_connection_ends_the_first() {
    let scene = scene();
    scene.run(Span::Full, &[]).await;
    (0..20).for_each(|_| drop(scene.org.issue()));
    scene.carrier.notes.refuses_renewal.store(true, Ordering::SeqCst);
    let fault = scene.page(Span::Full, &[], None).await.unwrap_err();
    assert!(matches!(&fault, Fault::Unauthorized { .. }) && !fault.passes(), "{fault:?}");
}

#[tokio::test]
async fn a_scope_that_is_missing_is_no_dead_token() {
    let scene = scene();
    scene.fault("scope-removed");
    let fault = scene.page(Span::Full, &[], None).await.unwrap_err();
    assert!(matches!(&fault, Fault::Forbidden { message } if message.contains("scope")), "{fault:?}");
    assert_eq!(scene.carrier.notes.renewals.load(Ordering::SeqCst), 0, "renewals are few at Zoho, and none helps here");
}

fn waited(scene: &Scene) -> Vec<u64> {
    scene.carrier.notes.pauses.lock().unwrap().iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn limits_are_waited_out_with_and_without_a_word() {
    for (fault, pauses) in
        [("rate-limit,times=1", vec![0]), ("rate-limit,retry-after=4,times=1", vec![4]), ("rate-limit,retry-date=5,times=1", vec![5])]
    {
        let scene = scene();
        scene.fault(fault);
        scene.run(Span::Full, &[]).await;
        assert_eq!(waited(&scene), pauses, "{fault}");
    }
    let scene = scene();
    scene.fault("rate-limit,retry-after=60");
    assert_eq!(scene.page(Span::Full, &[], None).await.unwrap_err(), Fault::RateLimited { after: Some(Duration::from_mins(1)) });
}

#[tokio::test]
async fn spent_credits_park_the_run() {
    let scene = scene_with(json!({}), Options { daily_credits: 20, ..Options::new() });
    scene.org.use_up(20);
    let until = scene.clock.now().plus(Duration::from_hours(1));
    assert_eq!(scene.page(Span::Full, &[], None).await.unwrap_err(), Fault::Exhausted { until });
    assert!(waited(&scene).is_empty());
    let told = scene.carrier.notes.told.lock().unwrap();
    assert!(told.iter().any(|news| news.window == "daily" && news.remaining == Some(0)), "{told:?}");
}

#[tokio::test]
async fn what_a_call_costs_is_what_zoho_counts() {
    let scene = scene_with(json!({}), Options::new());
    let writes: Vec<_> = (0..35).map(|n| create(&json!({"Last_Name": format!("L{n}")}))).collect();
    scene.write("Leads", &writes).await;
    scene.run(Span::Full, &[]).await;
    let cost = scene.carrier.notes.cost.load(Ordering::SeqCst);
    let left = scene.carrier.notes.told.lock().unwrap().last().unwrap().remaining;
    assert_eq!((cost, left), (6, Some(5000 - 6)), "four for thirty-five records, one for the list, one for the number");
}

#[tokio::test]
async fn maintenance_and_errors_of_every_kind_pass() {
    for fault in [Kind::Html(503), Kind::Html(200), Kind::ServerError(500), Kind::ServerError(502), Kind::ErrorInside] {
        let scene = scene();
        scene.lead("Ann");
        scene.org.stand().faults.add(Planned::new(fault));
        let said = scene.page(Span::Full, &[], None).await.unwrap_err();
        assert!(matches!(&said, Fault::Unavailable { message } if !message.contains('<')) && said.passes(), "{fault:?}: {said:?}");
        scene.org.stand().faults.clear();
        assert_eq!(scene.run(Span::Full, &[]).await.records.len(), 1);
    }
}

#[tokio::test]
async fn pages_that_overlap_lose_nothing() {
    let scene = scene();
    scene.org.seed_leads(900);
    scene.fault("duplicate-rows");
    let load = scene.run(Span::Full, &[]).await;
    assert!(load.ids().len() == 900 && load.records.len() > 900, "{}", load.records.len());
}

#[tokio::test]
async fn a_dead_grant_is_told_for_writes_too() {
    let scene = scene();
    scene.org.withdraw();
    scene.carrier.notes.refuses_renewal.store(true, Ordering::SeqCst);
    let told = scene.connector.write(&scene.session, "Leads", &[create(&json!({"Last_Name": "Ann"}))]).await;
    assert!(matches!(told, Err(Fault::Unauthorized { .. })), "{told:?}");
    let told: Result<Vec<Outcome>, Fault> = scene.connector.write(&scene.session, "Leads", &[]).await;
    assert_eq!(told, Ok(Vec::new()));
}
