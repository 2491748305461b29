//! Each flaw is found by its own check, and a good receiver has none.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Ambient;
use ops::WebhookForm;
use ops::certify::{self, Options, Report, Status};
use serde_json::value::RawValue;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::WebhookSecret;

use crate::flawed::{self, Flaw};

async fn certified(url: String, secret: &WebhookSecret, form: WebhookForm) -> Report {
    let options = Options {
        url,
        secret: secret.clone(),
        form,
        event_type: "lead.created".into(),
        data: RawValue::from_string(r#"{"message":"hello"}"#.into()).unwrap(),
        timeout: Duration::from_secs(20),
        slow: Duration::from_millis(100),
    };
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let client = Client::new(ClientConfig::new(policy)).unwrap();
    certify::run(&options, &Ambient::system(), &client).await.unwrap()
}

fn failed(report: &Report) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.status == Status::Failed).map(|finding| finding.check).collect()
}

/// What a flaw is found by. `quick-answer` is left out where the machine may be too busy to be quick.
async fn assert_found(flaw: Flaw, expected: &[&str]) {
    let secret = WebhookSecret::generate(&Ambient::system());
    let report = certified(flawed::start(flaw, &secret).await, &secret, WebhookForm::plain()).await;
    let mut found = failed(&report);
    if flaw != Flaw::Slow {
        found.retain(|check| *check != "quick-answer");
    }
    // Deliveries at once may be of two seconds, and so of two ages; and what refuses a body closes its connection, perhaps just when it is used again.
    if matches!(flaw, Flaw::RefusesOlder | Flaw::Limit(_)) {
        found.retain(|check| *check != "concurrency");
    }
    assert_eq!(found, expected, "{flaw:?}\n{report}");
    for finding in report.findings.iter().filter(|finding| finding.status == Status::Failed) {
        assert!(finding.advice.is_some_and(|advice| !advice.is_empty()), "{}", finding.check);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_flaw_is_found_by_its_own_check() {
    for (flaw, expected) in [
        (Flaw::None, &[][..]),
        (Flaw::AnyTime, &["old-timestamp", "future-timestamp"]),
        (Flaw::AnyFuture, &["future-timestamp"]),
        (Flaw::NoSignatureIsFine, &["missing-headers"]),
        (Flaw::IdOfTheBody, &["tampered-id"]),
        (Flaw::FailsOnGarbage, &["garbage-signature"]),
        (Flaw::ComparesPrefixes, &["garbage-signature"]),
        (Flaw::LastSignatureOnly, &["rotation"]),
        (Flaw::OneVersionOnly, &["other-versions"]),
        (Flaw::WritesAgain, &["exact-bytes", "large-body", "megabyte"]),
        (Flaw::RefusesRepeats, &["duplicate"]),
        (Flaw::RefusesOlder, &["reordered"]),
        (Flaw::KnownTypesOnly, &["unknown-type"]),
        (Flaw::KnownMembersOnly, &["unknown-field"]),
        (Flaw::Limit(100 * 1024), &["large-body", "megabyte"]),
        (Flaw::Limit(512 * 1024), &["megabyte"]),
        (Flaw::OneAtATime, &["concurrency"]),
    ] {
        assert_found(flaw, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_receiver_is_told_so_and_passes() {
    assert_found(Flaw::Slow, &["quick-answer"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_verifies_nothing_fails_every_forgery() {
    let forgeries = [
        "wrong-signature",
        "tampered-body",
        "tampered-id",
        "tampered-timestamp",
        "old-timestamp",
        "future-timestamp",
        "missing-headers",
        "garbage-signature",
    ];
    assert_found(Flaw::TakesEverything, &forgeries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_not_there_fails_once() {
    let secret = WebhookSecret::generate(&Ambient::system());
    let report = certified(flawed::start(Flaw::Absent, &secret).await, &secret, WebhookForm::plain()).await;
    assert_eq!((failed(&report), report.is_good()), (vec!["good"], false));
    assert_eq!(report.count(Status::Skipped), report.findings.len() - 1);
    let json = report.to_json();
    assert_eq!((&json["passed"], &json["findings"][0]["status"]), (&false.into(), &"failed".into()));
}

/// The demo's receiver, with the forms of both built-in products: it asks for the older signature as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demos_receiver_is_certified_in_every_form() {
    for name in ["insurance-leads", "contractor-network"] {
        let form = WebhookForm::of(&blueprint::load(name).unwrap().webhooks);
        let secret = WebhookSecret::generate(&Ambient::system());
        let mut options = vendors::receiver::Options::new();
        options.legacy_header.clone_from(&form.signature_header);
        let receiver = vendors::receiver::Receiver::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options).await.unwrap();
        receiver.set_secret(secret.text()).unwrap();
        let report = certified(receiver.url(), &secret, form).await;
        assert!(report.is_good(), "{name}\n{report}");
        assert!(report.to_string().contains("certified: "), "{report}");
    }
}
