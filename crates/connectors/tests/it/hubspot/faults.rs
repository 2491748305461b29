use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connectors::{Connector as _, Fault, HubSpot, PageAsk, Span};
use kernel::{Ambient, Timestamp};
use serde_json::json;
use vendors::faults::{Fault as Planned, Kind};
use vendors::hubspot::{HubSpot as Portal, Options};
use vendors::stand::{Double, Vendor as _};

use super::{Scene, fields, scene, scene_with};
use crate::bed::{TcpCarrier, session};

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_renewed() {
    let scene = scene();
    scene.portal.seed_contacts(450);
    scene.fault("unauthorized,method=get,after=2,times=1");
    let load = scene.run(Span::Full, &["email"]).await;
    assert_eq!((load.records.len(), load.pages), (450, 5));
    assert_eq!(scene.carrier.notes.renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_grant_that_ended_asks_for_a_new_connection() {
    let scene = scene();
    scene.portal.withdraw();
    scene.carrier.notes.refuses_renewal.store(true, Ordering::SeqCst);
    let fault = scene.page(Span::Full, &[], None).await.unwrap_err();
    assert!(matches!(fault, Fault::Unauthorized { .. }) && !fault.passes(), "{fault:?}");
}

#[tokio::test]
async fn a_scope_that_was_taken_back_is_named() {
    let scene = scene();
    scene.portal.withdraw_scope("crm.objects.contacts.read");
    let Fault::Forbidden { message } = scene.page(Span::Full, &[], None).await.unwrap_err() else { panic!() };
    assert!(message.contains("crm.objects.contacts.read"), "{message}");
}

fn waited(scene: &Scene) -> Vec<u64> {
    scene.carrier.notes.pauses.lock().unwrap().iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn the_rolling_ten_seconds_are_waited_out_with_and_without_a_word() {
    for (fault, pauses) in [
        ("rate-limit,times=1", vec![3]),
        ("rate-limit,times=3", vec![3, 3, 3]),
        ("rate-limit,retry-after=7,times=1", vec![7]),
        ("rate-limit,retry-date=5,times=1", vec![5]),
    ] {
        let scene = scene();
        scene.fault(&format!("{fault},method=get"));
        scene.run(Span::Full, &[]).await;
        assert_eq!(waited(&scene), pauses, "{fault}");
    }
    let scene = scene();
    scene.fault("rate-limit,retry-after=60,method=get");
    let fault = scene.page(Span::Full, &[], None).await.unwrap_err();
    assert_eq!((fault, waited(&scene)), (Fault::RateLimited { after: Some(Duration::from_mins(1)) }, vec![]));
}

#[tokio::test]
async fn searches_by_the_second_are_waited_out() {
    let scene = scene_with(json!({}), Options::new());
    let ask = async || scene.connector.find(&scene.session, "contacts", "city", &json!("Roma"), &[]).await.unwrap();
    for _ in 0..6 {
        ask().await;
    }
    assert_eq!(waited(&scene), [1], "five a second, then one second");
}

#[tokio::test]
async fn a_spent_day_parks_the_run_until_midnight_of_the_account() {
    for (config, until) in [
        (json!({"timeZone": "America/New_York"}), "2027-01-16T05:00:00Z"),
        (json!({"timeZone": "UTC"}), "2027-01-16T00:00:00Z"),
        (json!({}), "2027-01-15T09:00:00Z"),
    ] {
        let scene = scene_with(config, Options { daily_calls: 10, ..Options::unlimited() });
        scene.portal.use_up(10);
        scene.pass(600);
        let until = Timestamp::parse(until).unwrap();
        assert_eq!(scene.page(Span::Full, &[], None).await.unwrap_err(), Fault::Exhausted { until });
        assert!(waited(&scene).is_empty(), "nobody sleeps until then");
        let told = scene.carrier.notes.told.lock().unwrap();
        assert!(told.iter().any(|news| news.window == "daily" && news.remaining == Some(0) && news.resets == Some(until)), "{told:?}");
    }
}

#[tokio::test]
async fn a_limit_that_comes_as_403_is_one() {
    let scene = scene();
    scene.fault("forbidden");
    assert!(matches!(scene.page(Span::Full, &[], None).await.unwrap_err(), Fault::Exhausted { .. }));
}

#[tokio::test]
async fn the_headers_feed_the_budget() {
    let scene = scene_with(json!({"timeZone": "UTC"}), Options::new());
    scene.page(Span::Full, &[], None).await.unwrap();
    let told = scene.carrier.notes.told.lock().unwrap().clone();
    let burst = told.iter().find(|news| news.window == "burst").unwrap();
    assert_eq!((burst.limit, burst.remaining.map(|left| left < 110), burst.resets.is_some()), (Some(110), Some(true), true));
    let daily = told.iter().find(|news| news.window == "daily").unwrap();
    assert_eq!((daily.limit, daily.resets), (Some(250_000), Some(Timestamp::parse("2027-01-16T00:00:00Z").unwrap())));
}

#[tokio::test]
async fn maintenance_and_errors_of_every_kind_pass() {
    for fault in [Kind::Html(503), Kind::Html(200), Kind::ServerError(500), Kind::ServerError(502), Kind::ErrorInside] {
        let scene = scene();
        scene.contact("ann@example.com");
        scene.portal.stand().faults.add(Planned::new(fault).on(http::Method::GET));
        let said = scene.page(Span::Full, &[], None).await.unwrap_err();
        assert!(matches!(&said, Fault::Unavailable { message } if !message.contains('<')) && said.passes(), "{fault:?}: {said:?}");
        scene.portal.stand().faults.clear();
        assert_eq!(scene.run(Span::Full, &[]).await.records.len(), 1);
    }
}

/// Over a connection: half an answer, no answer, and a slow one.
#[tokio::test]
async fn a_connection_that_breaks_costs_a_repetition() {
    let double = Arc::new(Double::start(Portal::new(Options::unlimited())).await.unwrap());
    double.seed_contacts(350);
    for fault in [
        "cut-body,method=get,after=1,times=1",
        "lost-answer,method=get,after=2,times=1",
        "lost-request,method=post,times=1",
        "slow,ms=50,times=2",
    ] {
        double.stand().faults.add(Planned::parse(fault).unwrap());
    }
    let carrier = TcpCarrier::to(&double, "Bearer");
    let session = session(carrier.clone(), json!({}), &Ambient::system());
    let (connector, names) = (HubSpot::new(), fields(&["email"]));
    let (mut seen, mut token, mut cursor) = (0, None::<String>, None);
    while cursor.is_none() {
        let ask = PageAsk { object: "contacts", span: Span::Full, fields: &names, filter: None, token: token.as_deref() };
        let page = connector.page(&session, ask).await.unwrap();
        seen += page.records.len();
        (token, cursor) = (page.next, page.cursor);
    }
    assert_eq!(seen, 350);
    assert!(double.stand().faults.is_spent());
    // The cursor is the server's own time, of the first call.
    let ms: i64 = cursor.unwrap().strip_prefix("hs1:").unwrap().parse().unwrap();
    let age = Ambient::system().now().millis() - ms;
    assert!((0..60_000).contains(&age), "{age}");
}
