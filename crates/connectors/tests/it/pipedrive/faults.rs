//! Limits, credentials, maintenance.

use std::sync::atomic::Ordering;
use std::time::Duration;

use connectors::{Connector as _, Fault, Outcome, Span};
use serde_json::json;
use vendors::pipedrive::Options;
use vendors::stand::Vendor as _;

use super::{create, scene, with};

#[tokio::test]
async fn a_credential_that_ends_amid_the_pages_is_renewed() {
    let scene = scene();
    scene.double.seed_persons(1200);
    scene.fault("unauthorized,path=/persons,after=1,times=1");
    let (pages, records, _) = scene.all("persons", &Span::Full, &["name"]).await;
    assert_eq!((pages, records.len(), scene.carrier.notes.renewals.load(Ordering::SeqCst)), (3, 1200, 1));
}

#[tokio::test]
async fn a_burst_is_waited_out_as_the_header_says() {
    let scene = with(Options { burst: 2, daily_tokens: 100_000, ..Options::new() });
    for _ in 0..5 {
        assert_eq!(scene.pipedrive.test(&scene.session).await.as_deref(), Ok("Ada Double"));
    }
    let pauses = scene.carrier.notes.pauses.lock().unwrap().clone();
    assert!(!pauses.is_empty() && pauses.iter().all(|pause| *pause == Duration::from_secs(2)), "{pauses:?}");
}

#[tokio::test]
async fn retry_after_is_kept_in_both_forms() {
    let scene = scene();
    scene.fault("rate-limit,retry-after=3,times=1");
    scene.fault("rate-limit,retry-date=4,after=1,times=1");
    scene.pipedrive.test(&scene.session).await.unwrap();
    assert_eq!(*scene.carrier.notes.pauses.lock().unwrap(), [Duration::from_secs(3), Duration::from_secs(4)]);
}

#[tokio::test]
async fn a_spent_day_parks_the_run_until_midnight() {
    let scene = with(Options { daily_tokens: 30_000, burst: usize::MAX, ..Options::new() });
    scene.pipedrive.test(&scene.session).await.unwrap();
    let told = scene.carrier.notes.told.lock().unwrap().clone();
    let daily = told.iter().find(|news| news.window == "daily").unwrap();
    assert_eq!((daily.remaining, daily.resets.map(|at| at.millis() % 86_400_000)), (Some(29_998), Some(0)));
    scene.double.use_up(29_990);
    let fault = scene.page("persons", Span::Full, None, &[]).await.unwrap_err();
    let Fault::Exhausted { until } = fault else { panic!("{fault:?}") };
    assert_eq!((until.millis() % 86_400_000, scene.carrier.notes.pauses.lock().unwrap().len()), (0, 0), "nobody sleeps");
    scene.clock.set(until);
    scene.page("persons", Span::Full, None, &[]).await.unwrap();
}

#[tokio::test]
async fn costs_are_pipedrives() {
    let scene = scene();
    scene.double.seed_persons(1);
    let cost = || scene.carrier.notes.cost.swap(0, Ordering::SeqCst);
    scene.page("persons", Span::Full, None, &["name"]).await.unwrap();
    assert_eq!(cost(), 10);
    scene.get("persons", "1", &["name"]).await.unwrap();
    assert_eq!(cost(), 1);
    scene.page("leads", Span::Full, None, &["title"]).await.unwrap();
    assert_eq!(cost(), 20);
    scene.one("persons", create(json!({"name": "x"}), None)).await;
    assert_eq!(cost(), 5);
    let used = scene
        .carrier
        .notes
        .told
        .lock()
        .unwrap()
        .iter()
        .filter(|news| news.window == "daily")
        .filter_map(|news| news.remaining)
        .collect::<Vec<_>>();
    assert_eq!(used[0] - used[3], 1 + 20 + 5, "as the account counts it");
}

#[tokio::test]
async fn the_guards_page_is_a_limit_and_a_scope_is_not() {
    let scene = scene();
    scene.fault("forbidden,times=1");
    assert_eq!(scene.pipedrive.test(&scene.session).await, Err(Fault::RateLimited { after: Some(Duration::from_secs(60)) }));
    scene.fault("scope-removed,times=1");
    assert_eq!(scene.pipedrive.test(&scene.session).await, Err(Fault::Forbidden { message: "Scope and URL mismatch".to_owned() }));
}

#[tokio::test]
async fn maintenance_and_errors_inside_a_200_are_no_answers() {
    let scene = scene();
    scene.fault("html");
    assert!(matches!(scene.pipedrive.test(&scene.session).await, Err(Fault::Unavailable { .. })));
    scene.double.stand().faults.clear();
    scene.fault("error-inside,times=1");
    assert!(
        matches!(scene.page("persons", Span::Full, None, &[]).await, Err(Fault::Refused { message, .. }) if message == "Something went wrong")
    );
    scene.fault("cut-body,times=1");
    scene.page("persons", Span::Full, None, &[]).await.unwrap();
}

#[tokio::test]
async fn a_cursor_that_pipedrive_does_not_know_begins_anew() {
    let scene = scene();
    scene.double.seed_persons(600);
    let token = scene.page("persons", Span::Full, None, &[]).await.unwrap().next.unwrap();
    let broken = token.replace("\"t\":\"", "\"t\":\"!!");
    assert_ne!(broken, token);
    assert!(matches!(scene.page("persons", Span::Full, Some(&broken), &[]).await, Err(Fault::Stale { .. })));
}

#[tokio::test]
async fn pages_that_overlap_do_no_harm() {
    let scene = scene();
    scene.double.seed_persons(1200);
    scene.fault("duplicate-rows");
    let (pages, records, _) = scene.all("persons", &Span::Full, &["name"]).await;
    let ids: std::collections::BTreeSet<_> = records.iter().map(|record| &record.id).collect();
    assert_eq!((pages, ids.len()), (3, 1200));
}

#[tokio::test]
async fn a_fault_amid_many_writes_says_what_was_done() {
    let scene = scene();
    scene.fault("html,method=post,after=2");
    let writes: Vec<_> = (0..4).map(|n| create(json!({"name": format!("P{n}")}), None)).collect();
    let outcomes = scene.write("persons", &writes).await.unwrap();
    assert!(matches!(
        outcomes[..],
        [Outcome::Created(_), Outcome::Created(_), Outcome::Failed(Fault::Unavailable { .. }), Outcome::Failed(_)]
    ));
    assert!(matches!(scene.write("persons", &writes).await, Err(Fault::Unavailable { .. })));
    assert_eq!(scene.double.rows("persons").len(), 2);
}
