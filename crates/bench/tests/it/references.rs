//! The references as the real child processes, measured by the real generators.

use std::sync::Arc;
use std::time::Duration;

use bench::bare::{self, Bare};
use bench::ledger::Ledger;
use bench::load::{Budget, Traffic, closed, open};
use bench::post;
use bench::receiver::{Behaviour, Capture, Receiver};
use bench::setup::Answer;
use bench::traffic::Reads;
use bench::wire::Reply;

use crate::place::tool;

fn answer() -> Answer {
    Answer { status: 200, content_type: "application/json".into(), body: b"{\"data\":{\"basic\":{}}}".to_vec() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_loop_spends_its_count_on_the_bare_route() {
    let bare = Bare::start(&tool(), &answer()).unwrap();
    let reads = Arc::new(Reads::new(bare::PATH, Some("key"), answer().body.len()));
    let budget = Budget { count: 2_000, time: Duration::from_secs(60) };
    let outcome = closed(bare.address, 8, budget, reads).await.all_good().unwrap();
    assert_eq!((outcome.good, outcome.latency.count()), (2_000, 2_000));
    let wrong = Arc::new(Reads::new(bare::PATH, None, 1));
    assert!(closed(bare.address, 2, Budget { count: 10, time: Duration::from_secs(60) }, wrong).await.all_good().is_err());
    let missing = Arc::new(Reads::new("/missing", None, 0));
    let outcome = closed(bare.address, 2, Budget { count: 10, time: Duration::from_secs(60) }, missing).await;
    assert_eq!((outcome.good, outcome.bad), (0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_loop_spends_its_time() {
    let bare = Bare::start(&tool(), &answer()).unwrap();
    let reads = Arc::new(Reads::new(bare::PATH, None, answer().body.len()));
    let outcome = closed(bare.address, 4, Budget { count: u64::MAX, time: Duration::from_millis(300) }, reads).await.all_good().unwrap();
    assert!(outcome.elapsed >= Duration::from_millis(300) && outcome.rate() > 10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_broken_not_endless() {
    let reads = Arc::new(Reads::new("/", None, 0));
    let nobody = ([127, 0, 0, 1], bench::process::free_port().unwrap()).into();
    let outcome = closed(nobody, 4, Budget { count: 40, time: Duration::from_secs(60) }, reads).await;
    assert_eq!((outcome.good, outcome.broken), (0, 40));
    assert!(outcome.first_fault.is_some());
}

/// Answers of the bare route, each held up by the test for a while: what a stalled server looks like to one caller.
struct Stalled(Reads);

#[allow(clippy::disallowed_methods, reason = "the stall is what is tested")]
impl Traffic for Stalled {
    fn request(&self, index: u64, out: &mut Vec<u8>) {
        if index == 0 {
            std::thread::sleep(Duration::from_millis(400)); // tidy: condition: the stall itself is what is measured
        }
        self.0.request(index, out);
    }

    fn answered(&self, index: u64, due: u64, at: u64, reply: &Reply<'_>) -> bool {
        self.0.answered(index, due, at, reply)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_loop_does_not_omit_what_a_stall_delays() {
    let bare = Bare::start(&tool(), &answer()).unwrap();
    let stalled = Arc::new(Stalled(Reads::new(bare::PATH, None, answer().body.len())));
    let budget = Budget { count: 100, time: Duration::from_secs(60) };
    let outcome = open(bare.address, 1, 200, budget, stalled).await.all_good().unwrap();
    assert_eq!(outcome.good, 100);
    // 200/s and one caller: the 400 ms stall delays the first 80 of 100 requests, on average by 200 ms.
    assert!(outcome.latency.quantile(0.5) > Duration::from_millis(100), "{:?}", outcome.latency);
    assert!(outcome.latency.max() >= Duration::from_millis(400), "{:?}", outcome.latency);
    assert!(outcome.elapsed >= Duration::from_millis(495), "100 requests at 200/s take half a second: {:?}", outcome.elapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bare_client_posts_each_id_once_with_the_captured_headers() {
    let ledger = Arc::new(Ledger::new("ref-", 500));
    let receiver = Receiver::start(ledger.clone()).unwrap();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let template = Capture {
        path: "/hook?x=1".into(),
        headers: vec![
            header("host", "elsewhere"),
            header("content-length", "3"),
            header("content-type", "application/json"),
            header("webhook-id", "warm-1"),
            header("webhook-signature", "v1,AAAA"),
        ],
        body: r#"{"id":"warm-1","data":{"a":1}}"#.into(),
    };
    receiver.capture_next();
    let mut config = post::Config {
        kind: post::Kind::Raw,
        to: receiver.address(),
        count: 500,
        in_flight: 16,
        prefix: "ref-".into(),
        time: Duration::from_secs(60),
    };
    let posted = post::run_child(&tool(), &config, &template).await.unwrap();
    assert_eq!((posted.good, posted.failed), (500, 0));
    assert_eq!((ledger.unique(), ledger.duplicates(), ledger.unknown()), (500, 0, 0));
    let seen = receiver.captured().unwrap();
    let id = seen.headers.iter().find(|(name, _)| name == "webhook-id").unwrap().1.clone();
    assert_eq!((seen.path.as_str(), seen.body), ("/hook?x=1", format!(r#"{{"id":"{id}","data":{{"a":1}}}}"#)));
    assert!(seen.headers.contains(&header("webhook-signature", "v1,AAAA")));
    assert!(seen.headers.contains(&header("host", &receiver.address().to_string())));

    config.kind = post::Kind::Client;
    config.prefix = "signed-".into();
    let books = Arc::new(Ledger::new("signed-", 500));
    receiver.count_into(books.clone());
    receiver.capture_next();
    let posted = post::run_child(&tool(), &config, &template).await.unwrap();
    assert_eq!((posted.good, posted.failed, books.unique()), (500, 0, 500));
    let seen = receiver.captured().unwrap();
    let signature = seen.headers.iter().find(|(name, _)| name == "webhook-signature").unwrap();
    assert!(signature.1.starts_with("v1,") && signature.1.len() == 47, "{signature:?}");
    assert_eq!(seen.path, "/hook?x=1");
    receiver.count_into(ledger.clone());

    receiver.behave(Behaviour::Failing { status: 503, percent: 25 });
    config.count = 100;
    let posted = post::run_child(&tool(), &config, &template).await.unwrap();
    assert_eq!((posted.good, posted.failed), (75, 25));
}
