//! What goes wrong on the way, over a real connection where that matters.

use std::sync::Arc;
use std::time::Duration;

use connectors::{Connector as _, Fault, PageAsk, Salesforce, Session, Span};
use kernel::Ambient;
use serde_json::json;
use vendors::salesforce::{Options, Salesforce as Org};
use vendors::stand::{Double, Vendor as _};

use super::stage::{names, stage, stage_with};
use crate::bed::{TcpCarrier, session};

async fn all(session: &Session) -> Result<Vec<String>, Fault> {
    let (fields, mut token, mut found) = (names(["LastName"]), None, Vec::new());
    loop {
        let ask = PageAsk { object: "Lead", span: Span::Full, fields: &fields, filter: None, token: token.as_deref() };
        let page = Salesforce::new().page(session, ask).await?;
        found.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            None => return Ok(found),
            next => token = next,
        }
    }
}

/// A page each of these goes wrong, and the run sees every record once all the same.
#[tokio::test]
async fn a_scan_survives_what_passes() {
    let double = Arc::new(Double::start(Org::new(Options::new())).await.unwrap());
    double.seed_leads(1000);
    let carrier = TcpCarrier::to(&double, "Bearer");
    let session = session(carrier.clone(), json!({"pageSize": 200}), &Ambient::system());
    let expected: Vec<_> = double.rows("Lead").iter().rev().map(|row| row["Id"].as_str().unwrap().to_owned()).collect();
    for fault in [
        "unauthorized,path=/query/01g,after=1,times=1",
        "rate-limit,path=/query/01g,after=1,times=2",
        "rate-limit,retry-after=1,path=/query/01g,times=1",
        "rate-limit,retry-date=2,path=/query/01g,times=1",
        "html,path=/query,times=1",
        "server-error,path=/query/01g,times=1",
        "lost-answer,path=/query/01g,times=1",
        "cut-body,path=/query/01g,after=2,times=1",
        "lost-request,path=/query/01g,times=1",
    ] {
        double.stand().faults.add(vendors::faults::Fault::parse(fault).unwrap());
        assert_eq!(all(&session).await.unwrap(), expected, "{fault}");
        assert!(double.stand().faults.is_spent(), "{fault} did not strike");
        double.stand().faults.clear();
    }
    assert_eq!(carrier.notes.renewals.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_day_without_calls_left_parks_the_run_and_the_place_is_kept() {
    let stage = stage_with(json!({"pageSize": 200}), |options| Options { daily_calls: 3, ..options });
    stage.org.seed_leads(1000);
    let (fields, mut token, mut seen) = (names(["LastName"]), None, 0);
    let until = loop {
        match stage.page(&Span::Full, &fields, token.as_deref()).await {
            Ok(page) => {
                seen += page.records.len();
                token = page.next;
            }
            Err(Fault::Exhausted { until }) => break until,
            Err(fault) => panic!("{fault:?}"),
        }
    };
    assert_eq!((seen, until), (600, kernel::Timestamp::from_millis(1_800_003_600_000)));
    assert_eq!(*stage.carrier.notes.pauses.lock().unwrap(), Vec::<Duration>::new(), "nobody sleeps");
    let told = stage.carrier.notes.told.lock().unwrap().clone();
    let left: Vec<_> = told.iter().map(|news| (news.window, news.limit, news.remaining)).collect();
    assert_eq!(left[..3], [("daily", Some(3), Some(2)), ("daily", Some(3), Some(1)), ("daily", Some(3), Some(0))]);
    assert_eq!((told[3].remaining, told[3].resets), (Some(0), Some(until)));
    stage.clock.advance(Duration::from_hours(24));
    while let Some(place) = token {
        let page = stage.page(&Span::Full, &fields, Some(&place)).await.unwrap();
        seen += page.records.len();
        token = page.next;
    }
    assert_eq!(seen, 1000);
}

#[tokio::test]
async fn a_right_that_was_taken_away_is_told_from_a_limit() {
    let stage = stage(json!({}));
    let fields = names(["LastName"]);
    stage.fault("scope-removed,times=1");
    let Err(Fault::Forbidden { message }) = stage.page(&Span::Full, &fields, None).await else { panic!() };
    assert!(message.contains("INSUFFICIENT_ACCESS"), "{message}");
    stage.fault("forbidden,times=1");
    assert!(matches!(stage.page(&Span::Full, &fields, None).await, Err(Fault::Exhausted { .. })));
}

#[tokio::test]
async fn a_credential_that_ends_for_good_is_said_once() {
    let stage = stage(json!({}));
    stage.org.withdraw();
    stage.carrier.notes.refuses_renewal.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(stage.connector.test(&stage.session).await, Err(Fault::Unauthorized { .. })));
    assert_eq!(stage.org.stand().log.total(), 1);
}

#[tokio::test]
async fn maintenance_that_lasts_is_no_answer() {
    let stage = stage(json!({}));
    stage.fault("html,status=503");
    let Err(Fault::Unavailable { message }) = stage.page(&Span::Full, &names(["LastName"]), None).await else { panic!() };
    assert!(!message.contains('<'), "{message}");
}
