//! The client and the receiver against each other.

use std::time::Duration;

use http::Method;
use serde_json::json;
use testkit::http::Client;
use testkit::receiver::{Answer, Gate, Receiver};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn requests_are_recorded_byte_for_byte_and_answered_in_the_order_of_the_script() {
    let receiver = Receiver::start();
    receiver.script([Answer::status(503).header("retry-after", "7"), Answer::status(200).body("{\"a\":1}")]);
    let client = Client::new(receiver.url("")).bearer("k1");
    let first = client.request(Method::POST, "/hook?x=1").body("text/plain", "\u{0}ü").send().await;
    first.assert_status(503);
    assert_eq!(first.header("retry-after"), Some("7"));
    assert_eq!(client.post("/hook", &json!({"b": 2})).await.expect(200).json(), json!({"a": 1}));
    client.without("authorization").get("/").await.assert_status(204);
    let seen = receiver.wait_for(3, SOON).await;
    assert_eq!((seen[0].path.as_str(), &seen[0].body[..]), ("/hook?x=1", "\u{0}ü".as_bytes()));
    assert_eq!(seen[0].header("authorization"), Some("Bearer k1"));
    assert_eq!(seen[1].json(), json!({"b": 2}));
    assert_eq!((seen[2].method.clone(), seen[2].header("authorization")), (Method::GET, None));
    assert!(seen[0].at <= seen[1].at);
    assert_eq!(receiver.take().len(), 3);
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn a_held_answer_is_recorded_at_once_and_waits_for_its_gate() {
    let (receiver, gate) = (Receiver::start(), Gate::closed());
    receiver.answer(Answer::status(200).held(&gate));
    let client = Client::new(receiver.url(""));
    let answer = tokio::spawn(async move { client.get("/").await.status.as_u16() });
    receiver.wait_for(1, SOON).await;
    assert!(!answer.is_finished());
    gate.open();
    assert_eq!(answer.await.unwrap(), 200);
}

#[tokio::test]
async fn a_dropped_connection_and_a_stopped_receiver_are_errors_to_the_client() {
    let mut receiver = Receiver::start();
    receiver.script([Answer::Drop]);
    let client = Client::new(receiver.url(""));
    client.request(Method::POST, "/").try_send().await.unwrap_err();
    receiver.wait_for(1, SOON).await;
    client.get("/").await.assert_status(204);

    receiver.answer(Answer::Hang);
    let hanging = client.request(Method::POST, "/");
    let hanging = tokio::spawn(async move { hanging.try_send().await.is_err() });
    receiver.wait_until("the hanging request", SOON, |seen| seen.len() == 3).await;
    receiver.stop();
    assert!(hanging.await.unwrap());
    client.request(Method::POST, "/").try_send().await.unwrap_err();

    receiver.answer(Answer::status(202));
    receiver.restart();
    client.get("/").await.assert_status(202);
    assert_eq!(receiver.count(), 4);
}

#[tokio::test]
#[should_panic(expected = "2 requests did not come")]
async fn waiting_in_vain_says_for_what() {
    Receiver::start().wait_for(2, Duration::from_millis(20)).await;
}
