//! The shared driver against a double that misbehaves.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connectors::driver::{self, Answer, Plain};
use connectors::{BudgetNews, Call, Fault, Session, Target};
use http::Method;
use kernel::Ambient;
use serde_json::json;
use vendors::pipedrive::{Options, Pipedrive};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{StandCarrier, TcpCarrier, clock, session};

struct Scene {
    double: Arc<Double<Pipedrive>>,
    carrier: Arc<TcpCarrier>,
    session: Session,
}

async fn scene(faults: &[&str]) -> Scene {
    let double = Arc::new(Double::start(Pipedrive::new(Options::unlimited())).await.unwrap());
    for fault in faults {
        double.stand().faults.add(vendors::faults::Fault::parse(fault).unwrap());
    }
    let carrier = TcpCarrier::to(&double, "Bearer");
    let session = session(carrier.clone(), json!({}), &Ambient::system());
    Scene { double, carrier, session }
}

fn persons() -> Target {
    driver::path(&["api", "v2", "persons"]).unwrap()
}

impl Scene {
    async fn list(&self) -> Result<Answer, Fault> {
        driver::ask(&self.session, &Plain, Call::get(persons())).await
    }

    async fn make(&self) -> Result<Answer, Fault> {
        driver::ask(&self.session, &Plain, Call::post(persons(), json!({"name": "Ann"}))).await
    }

    fn pauses(&self) -> Vec<Duration> {
        self.carrier.notes.pauses.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_dead_credential_is_renewed_once_and_the_call_goes_on() {
    let scene = scene(&["unauthorized,times=1"]).await;
    assert_eq!(scene.make().await.unwrap().text("/data/name"), Some("Ann"));
    assert_eq!((scene.carrier.notes.renewals.load(Ordering::SeqCst), scene.double.rows("persons").len()), (1, 1));
    assert!(scene.pauses().is_empty());
}

#[tokio::test]
async fn a_credential_that_no_renewal_helps_is_a_fault_after_one_renewal() {
    let scene = scene(&["unauthorized"]).await;
    assert_eq!(scene.list().await.unwrap_err(), Fault::Unauthorized { message: "unauthorized access".to_owned() });
    assert_eq!((scene.carrier.notes.renewals.load(Ordering::SeqCst), scene.carrier.notes.count("GET")), (1, 2));
    scene.carrier.notes.refuses_renewal.store(true, Ordering::SeqCst);
    assert!(matches!(scene.list().await, Err(Fault::Unauthorized { .. })));
    assert_eq!(scene.carrier.notes.count("GET"), 3, "nothing is asked again when there is no newer credential");
}

#[tokio::test]
async fn short_limits_are_waited_out_in_every_form() {
    let scene = scene(&["rate-limit,retry-after=2,times=1", "rate-limit,retry-date=5,after=1,times=1", "rate-limit,after=2,times=1"]).await;
    scene.make().await.unwrap();
    let pauses = scene.pauses();
    assert_eq!(pauses[0], Duration::from_secs(2));
    assert!((Duration::from_secs(3)..=Duration::from_secs(5)).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[2] <= Duration::from_millis(1200) && pauses.len() == 3, "{pauses:?}");
    assert_eq!(scene.double.rows("persons").len(), 1, "a limited call was not done");
}

#[tokio::test]
async fn a_long_limit_goes_up_and_into_the_budget() {
    let scene = scene(&["rate-limit,retry-after=60"]).await;
    assert_eq!(scene.list().await.unwrap_err(), Fault::RateLimited { after: Some(Duration::from_secs(60)) });
    assert_eq!((scene.pauses(), scene.carrier.notes.count("GET")), (vec![], 1));
    let told = scene.carrier.notes.told.lock().unwrap().clone();
    let [BudgetNews { window: "burst", remaining: Some(0), resets: Some(_), .. }] = told.as_slice() else { panic!("{told:?}") };
}

#[tokio::test]
async fn a_limit_without_an_end_ends_after_five_tries() {
    let scene = scene(&["rate-limit"]).await;
    assert_eq!(scene.list().await.unwrap_err(), Fault::RateLimited { after: None });
    assert_eq!((scene.pauses().len(), scene.carrier.notes.count("GET")), (4, 5));
}

#[tokio::test]
async fn maintenance_is_no_answer_and_its_page_is_not_quoted() {
    let scene = scene(&["html"]).await;
    let Err(Fault::Unavailable { message }) = scene.list().await else { panic!() };
    assert!(message.contains("HTTP 503") && message.contains("text/html") && !message.contains('<'), "{message}");
    assert_eq!(scene.carrier.notes.count("GET"), 5);
    scene.double.stand().faults.clear();
    scene.list().await.unwrap();
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_again_only_if_that_does_no_harm() {
    let scene = scene(&["cut-body,method=get,times=1", "cut-body,method=post"]).await;
    scene.list().await.unwrap();
    assert!(matches!(scene.make().await, Err(Fault::Lost { .. })));
    assert_eq!((scene.carrier.notes.count("POST"), scene.double.rows("persons").len()), (1, 1));
}

#[tokio::test]
async fn a_lost_answer_and_a_broken_server_may_have_done_it() {
    let scene = scene(&["lost-answer,method=post,times=1", "server-error,method=post,after=1,times=1"]).await;
    assert!(matches!(scene.make().await, Err(Fault::Lost { .. })));
    assert!(matches!(scene.make().await, Err(Fault::Lost { .. })));
    assert_eq!((scene.carrier.notes.count("POST"), scene.double.rows("persons").len()), (2, 1));
}

#[tokio::test]
async fn another_host_is_refused_before_anything_is_sent() {
    let scene = scene(&[]).await;
    for url in ["http://127.0.0.1:1/api/v2/persons", "https://evil.example/", "http://localhost/"] {
        let asked = driver::ask(&scene.session, &Plain, Call::get(Target::Url(url.to_owned()))).await;
        assert!(matches!(asked, Err(Fault::Refused { code, .. }) if code == "address_refused"), "{url}");
    }
    assert_eq!(scene.double.stand().log.total(), 0);
}

#[tokio::test]
async fn without_a_connection_a_pause_moves_the_clock() {
    let (clock, ambient) = clock();
    let started = ambient.now();
    let vendor = Arc::new(Pipedrive::new(Options { ambient: ambient.clone(), burst: 1, ..Options::new() }));
    let carrier = StandCarrier::to(&vendor, &clock, "Bearer");
    let session = session(carrier.clone(), json!({}), &ambient);
    let ask = || driver::ask(&session, &Plain, Call::new(Method::GET, persons()));
    ask().await.unwrap();
    // One call in two seconds: the pauses of the second one move the clock until it is its turn.
    ask().await.unwrap();
    let waited: Duration = carrier.notes.pauses.lock().unwrap().iter().sum();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    assert_eq!(ambient.now().since(started), waited);
}
