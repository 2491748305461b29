//! No channel connects where a webhook may not.

use serde_json::{Value, json};
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::bed::{One, client};

fn to(host: &str, port: u16) -> Vec<Value> {
    let keys = json!({"region": "r", "accessKeyId": "a", "secretAccessKey": "s"});
    let with = |mut own: Value| {
        own.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        own
    };
    vec![
        json!({"type": "nats", "url": format!("nats://{host}:{port}"), "subject": "s"}),
        json!({"type": "nats", "url": format!("tls://{host}:{port}"), "subject": "s"}),
        json!({"type": "rabbitmq", "url": format!("amqp://{host}:{port}"), "routingKey": "q"}),
        json!({"type": "redis-stream", "url": format!("redis://{host}:{port}"), "stream": "s"}),
        with(json!({"type": "sqs", "queueUrl": format!("http://{host}:{port}/1/q")})),
        with(json!({"type": "s3", "endpoint": format!("http://{host}:{port}"), "bucket": "abc"})),
    ]
}

#[tokio::test]
async fn private_addresses_are_refused_when_a_destination_is_made() {
    let strict = Client::new(ClientConfig::new(UrlPolicy { allow_http: true, ..UrlPolicy::default() })).unwrap();
    for host in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost", "2130706433"] {
        for destination in to(host, 4222) {
            let error = One::over(&strict, destination.clone()).await.err().unwrap_or_else(|| panic!("{destination} is accepted"));
            let place = &error.fields()[0].pointer;
            assert!(error.code().starts_with("url_") || place.ends_with("/url"), "{destination} {error:?}");
            assert!(place.starts_with("/destination/"), "{error:?}");
            assert!(!error.fields()[0].detail.contains("127.0.0.1"), "the address is not told: {error:?}");
        }
    }
}

/// What was stored under another policy, or leads elsewhere by now, is judged again at each connection.
#[tokio::test(flavor = "multi_thread")]
async fn and_again_when_it_connects() {
    let listener = testkit::port::bind();
    let port = listener.local_addr().unwrap().port();
    let strict = Client::new(ClientConfig::new(UrlPolicy { allow_http: true, ..UrlPolicy::default() })).unwrap();
    for destination in to("127.0.0.1", port) {
        let stored = One::new(destination.clone()).await;
        let report = stored.by(&strict).attempt(stored.event("e-1", "{}")).await;
        assert_eq!(crate::bed::failed(&report), "refused", "{destination} {report:?}");
        assert!(!report.error.unwrap().text.contains("127.0.0.1"));
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nothing may have connected");
}

/// Without TLS only in development, and towards networks that the operator allowed.
#[tokio::test]
async fn production_wants_tls() {
    let resolves_nothing = UrlPolicy { allow_networks: vec!["10.0.0.0/8".parse().unwrap()], ..UrlPolicy::default() };
    let strict = Client::new(ClientConfig::new(resolves_nothing)).unwrap();
    let code = async |url: &str, client: &Client| {
        let destination = json!({"type": "redis-stream", "url": url, "stream": "s"});
        One::over(client, destination).await.err().map(|error| error.code().to_owned())
    };
    assert_eq!(code("redis://8.8.8.8", &strict).await.as_deref(), Some("url_unencrypted"));
    assert_eq!(code("rediss://8.8.8.8", &strict).await, None);
    assert_eq!(code("redis://10.1.2.3", &strict).await, None);
    assert_eq!(code("redis://127.0.0.1", &client()).await, None);
}
