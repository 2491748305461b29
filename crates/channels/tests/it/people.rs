//! Slack and e-mail: messages that people read.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{AttemptOutcome, Channel};
use kernel::{Event, Secret};
use serde_json::{Value, json};
use testkit::mail::Relay;
use testkit::receiver::{Answer, Receiver};
use web::mail::Mailer;

use crate::bed::{One, failed};

/// An alert, as it is told.
fn alert(one: &One, id: &str) -> Event {
    let data = json!({
        "alertId": "alr_1", "tenantId": "ten_1", "rule": "failed_authentication", "severity": "critical", "status": "open",
        "subject": "key_1", "summary": "120 failed authentications in 10 minutes with key_1: wrong <secret> & more\n.\nRCPT TO:<x@evil.example>",
        "value": 120.0, "threshold": 20.0, "unit": "failures", "count": 1, "openedAt": "2026-03-01T10:00:00.000Z",
        "lastSeenAt": "2026-03-01T10:00:00.000Z", "closedAt": null, "closedReason": null,
    });
    Event { event_type: "alert.opened".parse().unwrap(), ..one.event(id, &data.to_string()) }
}

fn slack(receiver: &Receiver) -> Value {
    json!({"type": "slack", "incomingWebhookUrl": receiver.url("/services/T0/B0/hush")})
}

#[tokio::test]
async fn an_alert_is_a_message_in_slack() {
    let receiver = Receiver::start();
    receiver.answer(Answer::status(200).body("ok"));
    let one = One::new(slack(&receiver)).await;
    let report = one.attempt(alert(&one, "evt_1")).await;
    assert!(report.is_delivered(), "{report:?}");
    let got = receiver.requests().remove(0);
    assert_eq!((got.path.as_str(), got.header("content-type")), ("/services/T0/B0/hush", Some("application/json")));
    let body = got.json();
    assert_eq!(body["blocks"][0]["text"]["text"], ":red_circle: [critical] failed authentication");
    let summary = body["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        summary.starts_with("120 failed") && summary.contains("wrong &lt;secret&gt; &amp; more") && !summary.contains('\n'),
        "{summary}"
    );
    assert_eq!(body["blocks"][2]["fields"][0]["text"], "*Subject*\nkey_1");
    assert!(body["text"].as_str().unwrap().contains("120 failed"));
    // Any other event too: its type and its first members.
    one.attempt(one.event("evt_2", r#"{"leadId":"7"}"#)).await;
    let body = receiver.requests().remove(1).json();
    assert_eq!(
        (&body["blocks"][0]["text"]["text"], &body["blocks"][1]["fields"][0]["text"]),
        (&json!("lead.created"), &json!("*leadId*\n7"))
    );
}

/// What Slack answers decides what becomes of the delivery, and of the destination.
#[tokio::test]
async fn slacks_answers_are_understood() {
    let receiver = Receiver::start();
    let one = One::new(slack(&receiver)).await;
    for (status, text, expected) in [
        (400, "invalid_payload", AttemptOutcome::Refused("rejected")),
        (404, "no_service", AttemptOutcome::Gone),
        (410, "channel_is_archived", AttemptOutcome::Gone),
        (403, "action_prohibited", AttemptOutcome::Retry { after: None }),
        (500, "rollup_error", AttemptOutcome::Retry { after: None }),
    ] {
        receiver.answer(Answer::status(status).body(text));
        let report = one.attempt(alert(&one, "evt_1")).await;
        assert_eq!((report.outcome, report.status_code), (expected, Some(status)), "{text}");
        let error = report.error.unwrap().text;
        assert!(error.contains(text) && !error.contains("hush"), "{error}");
    }
    receiver.answer(Answer::status(429).body("rate_limited").header("retry-after", "30"));
    assert_eq!(one.attempt(alert(&one, "evt_1")).await.outcome, AttemptOutcome::Retry { after: Some(Duration::from_secs(30)) });
}

fn mailer(relay: &Relay, user: &str) -> Mailer {
    let url = Secret::new(format!("smtp://{user}{}", relay.address()));
    Mailer::new(&url, "Tradewind <no-reply@tradewind.example>").unwrap()
}

fn email(relay: &Relay, user: &str, domains: &[&str]) -> Arc<dyn Channel> {
    let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
    channels::email(mailer(relay, user), &domains)
}

fn to(addresses: &[&str]) -> Value {
    json!({"type": "email", "to": addresses})
}

/// It goes to all recipients, authenticated, under one id however often; nothing that is quoted becomes a line of the protocol.
#[tokio::test]
async fn an_alert_is_an_e_mail() {
    // \0ops\0hush
    let relay = Relay::start(Some("AG9wcwBodXNo"));
    let one = One::by_channel(email(&relay, "ops:hush@", &[]), to(&["ops@example.com", "b@example.org"])).await.unwrap();
    for _ in 0..2 {
        let report = one.attempt(alert(&one, "evt_1")).await;
        assert!(report.is_delivered(), "{report:?}");
        assert!(String::from_utf8_lossy(&report.response_body).contains("queued as"), "{report:?}");
    }
    let messages = relay.messages();
    assert_eq!(messages.len(), 2);
    let mail = &messages[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@tradewind.example", ["ops@example.com", "b@example.org"].map(str::to_owned).as_slice())
    );
    assert_eq!(mail.header("subject").unwrap(), "[critical] failed authentication");
    assert_eq!(mail.header("message-id").unwrap(), format!("<evt_1.{}@tradewind.example>", one.id()));
    assert_eq!(mail.header("message-id"), messages[1].header("message-id"), "who gets it twice can tell");
    assert_eq!(mail.header("auto-submitted").unwrap(), "auto-generated");
    assert!(mail.data.contains("120 failed authentications") && mail.data.contains("&lt;secret&gt;"), "{}", mail.data);
}

/// What the relay says is understood; how it is reached is not told.
#[tokio::test]
async fn a_relay_that_refuses() {
    let relay = Relay::start(None);
    let one = One::by_channel(email(&relay, "", &[]), to(&["ops@example.com"])).await.unwrap();
    relay.refuse(Some("550 5.1.1 no such user"));
    let report = one.attempt(alert(&one, "evt_1")).await;
    assert_eq!((report.outcome, report.status_code), (AttemptOutcome::Refused("rejected"), Some(550)));
    relay.refuse(Some("451 4.7.1 try later"));
    let report = one.attempt(alert(&one, "evt_1")).await;
    assert_eq!((failed(&report), report.status_code), ("rejected", Some(451)));
    relay.refuse(None);
    assert!(one.attempt(alert(&one, "evt_1")).await.is_delivered(), "it is tried again");

    let strict = Relay::start(Some("AG9wcwBodXNo"));
    let wrong = One::by_channel(email(&strict, "ops:other@", &[]), to(&["ops@example.com"])).await.unwrap();
    let report = wrong.attempt(alert(&wrong, "evt_1")).await;
    assert_eq!(failed(&report), "credentials");
    assert!(!report.error.unwrap().text.contains("other") && strict.messages().is_empty());

    let closed = testkit::port::free();
    let nowhere = Mailer::new(&Secret::new(format!("smtp://127.0.0.1:{closed}")), "a@example.com").unwrap();
    let one = One::by_channel(channels::email(nowhere, &[]), to(&["ops@example.com"])).await.unwrap();
    let report = one.attempt(alert(&one, "evt_1")).await;
    assert_eq!(failed(&report), "connect");
    assert!(!format!("{report:?}").contains(&closed.to_string()), "{report:?}");
}

#[tokio::test]
async fn recipients_and_addresses_are_checked() {
    let relay = Relay::start(None);
    let many: Vec<String> = (0..11).map(|n| format!("p{n}@example.com")).collect();
    for (addresses, place) in [
        (json!([]), "/destination/to"),
        (json!(many), "/destination/to"),
        (json!(["ops@example.com", "ops"]), "/destination/to/1"),
        (json!(["a@example.com\r\nRCPT TO:<b@example.com>"]), "/destination/to/0"),
        (json!(["a@evil.example"]), "/destination/to/0"),
        (json!("a@example.com"), "/destination"),
    ] {
        let destination = json!({"type": "email", "to": addresses});
        let error = One::by_channel(email(&relay, "", &["example.com", "@EXAMPLE.org"]), destination).await.err().unwrap();
        assert_eq!(error.fields()[0].pointer, place, "{addresses}");
    }
    assert!(One::by_channel(email(&relay, "", &["example.com", "@EXAMPLE.org"]), to(&["a@Example.com", "b@example.org"])).await.is_ok());
    for url in ["hush", "ftp://127.0.0.1/hush", "https://u:hush@hooks.slack.com/", "http://10.0.0.1/hush"] {
        let error = One::over(&crate::bed::client(), json!({"type": "slack", "incomingWebhookUrl": url})).await.err().unwrap();
        assert_eq!(error.fields()[0].pointer, "/destination/incomingWebhookUrl", "{url}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}
