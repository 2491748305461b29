//! What the receiver believes, refuses and keeps.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Secret, Timestamp};
use vendors::receiver::{Delivery, Options, Receiver, Verdict};
use web::signature::{WebhookSecret, sign_legacy, sign_standard};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const LEGACY: &str = "X-Webhook-Signature";
const NOW: i64 = 1_800_000_000;
const BODY: &str = r#"{"id":"evt_1","type":"lead.created","data":{"leadId":"1"}}"#;

/// The receiver with a clock that stands at [`NOW`], a keep of three, and what its callback was told.
async fn receiver(legacy: bool) -> (Receiver, Arc<Mutex<Vec<Delivery>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let clock = ManualClock::new(Timestamp::from_millis(NOW * 1000));
    let options = Options {
        legacy_header: legacy.then(|| LEGACY.to_owned()),
        keep: 3,
        ambient: Ambient::new(Arc::new(clock), Arc::new(SeededEntropy::new(1))),
        on_delivery: Arc::new({
            let told = told.clone();
            move |delivery: &Delivery| told.lock().unwrap().push(delivery.clone())
        }),
    };
    (Receiver::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.unwrap(), told)
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// A delivery signed with `key` at `at`; `legacy` adds the older form.
fn signed(receiver: &Receiver, id: &str, key: &str, at: i64, legacy: bool) -> Request<Full<Bytes>> {
    let secrets = [WebhookSecret::parse(key).unwrap()];
    let mut request = Request::post(receiver.url())
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", sign_standard(&secrets, id, at, BODY.as_bytes()));
    if legacy {
        request = request.header(LEGACY, sign_legacy(key, at, BODY.as_bytes()));
    }
    request.body(Full::from(BODY)).unwrap()
}

async fn send(request: Request<Full<Bytes>>) -> StatusCode {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().status()
}

#[tokio::test]
async fn believes_what_is_signed_and_tells_of_it() {
    let (receiver, told) = receiver(false).await;
    assert_eq!(send(signed(&receiver, "evt_1", SECRET, NOW, false)).await, StatusCode::SERVICE_UNAVAILABLE);
    receiver.set_secret(&secret(SECRET)).unwrap();
    assert_eq!(send(signed(&receiver, "evt_1", SECRET, NOW, false)).await, StatusCode::NO_CONTENT);
    let told = told.lock().unwrap();
    assert_eq!(told[0].verdict, Verdict::NoSecret);
    let genuine = &told[1];
    assert_eq!((genuine.id.as_str(), genuine.event_type.as_str(), genuine.body.as_str()), ("evt_1", "lead.created", BODY));
    assert_eq!((genuine.verdict.clone(), genuine.path.as_str(), genuine.received_at.seconds()), (Verdict::Genuine, "/webhooks", NOW));
}

#[tokio::test]
async fn refuses_forged_stale_touched_and_unsigned_ones() {
    let (receiver, told) = receiver(false).await;
    receiver.set_secret(&secret(SECRET)).unwrap();
    let mut touched = signed(&receiver, "evt_2", SECRET, NOW, false);
    *touched.body_mut() = Full::from(BODY.replace("lead.created", "lead.deleted"));
    let mut renamed = signed(&receiver, "evt_2", SECRET, NOW, false);
    renamed.headers_mut().insert("webhook-id", "evt_3".parse().unwrap());
    let mut unsigned = signed(&receiver, "evt_2", SECRET, NOW, false);
    unsigned.headers_mut().remove("webhook-signature");
    let forged = [
        signed(&receiver, "evt_2", OTHER, NOW, false),
        signed(&receiver, "evt_2", SECRET, NOW - 301, false),
        signed(&receiver, "evt_2", SECRET, NOW + 301, false),
        touched,
        renamed,
        unsigned,
    ];
    let count = forged.len();
    for request in forged {
        assert_eq!(send(request).await, StatusCode::UNAUTHORIZED);
    }
    let verdicts: Vec<_> = told.lock().unwrap().iter().map(|delivery| delivery.verdict.clone()).collect();
    assert_eq!(verdicts.len(), count);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Forged(_))), "{verdicts:?}");
    assert_eq!(verdicts[count - 1], Verdict::Forged("there is no header webhook-signature".into()));
    let get = Request::get(receiver.url()).body(Full::default()).unwrap();
    assert_eq!(send(get).await, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_older_form_must_be_good_as_well_where_it_is_asked_for() {
    let (receiver, _) = receiver(true).await;
    receiver.set_secret(&secret(SECRET)).unwrap();
    assert_eq!(send(signed(&receiver, "evt_1", SECRET, NOW, true)).await, StatusCode::NO_CONTENT);
    assert_eq!(send(signed(&receiver, "evt_1", SECRET, NOW, false)).await, StatusCode::UNAUTHORIZED);
    let mut wrong = signed(&receiver, "evt_1", SECRET, NOW, false);
    wrong.headers_mut().insert(LEGACY, sign_legacy(OTHER, NOW, BODY.as_bytes()).parse().unwrap());
    assert_eq!(send(wrong).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn several_secrets_are_good_and_only_the_last_deliveries_are_kept() {
    let (receiver, told) = receiver(true).await;
    receiver.set_secret(&secret(SECRET)).unwrap();
    receiver.add_secret(&secret(OTHER)).unwrap();
    for (id, key) in [("evt_1", SECRET), ("evt_2", OTHER), ("evt_3", SECRET), ("evt_4", OTHER), ("evt_5", SECRET)] {
        assert_eq!(send(signed(&receiver, id, key, NOW, true)).await, StatusCode::NO_CONTENT, "{id}");
    }
    assert_eq!(told.lock().unwrap().len(), 5);
    let kept: Vec<_> = receiver.deliveries().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(kept, ["evt_3", "evt_4", "evt_5"]);
    receiver.set_secret(&secret(OTHER)).unwrap();
    assert_eq!(send(signed(&receiver, "evt_6", SECRET, NOW, true)).await, StatusCode::UNAUTHORIZED);
    assert!(receiver.set_secret(&secret("nonsense")).is_err());
    assert_eq!(send(signed(&receiver, "evt_7", OTHER, NOW, true)).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn listens_on_loopback_only() {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(Receiver::start(anywhere, Options::new()).await.is_err());
}

#[tokio::test]
async fn its_port_is_free_again_when_it_is_dropped() {
    let (receiver, _) = receiver(false).await;
    let address = receiver.address();
    drop(receiver);
    // The task is aborted, which happens at its next turn: asking again is the condition, and the runtime gets its turn in between.
    for _ in 0..1000 {
        if Receiver::start(address, Options::new()).await.is_ok() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{address} is still taken");
}
