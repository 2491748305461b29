//! Configurations are checked before they are stored.

use dispatch::SECRET_FIELDS;
use serde_json::{Value, json};

use crate::bed::{One, client};

/// A sound one of each kind.
fn sound() -> Vec<Value> {
    vec![
        json!({"type": "nats", "url": "nats://127.0.0.1:4222", "subject": "partners.{type}"}),
        json!({"type": "rabbitmq", "url": "amqps://127.0.0.1", "routingKey": "partners", "exchange": "x", "virtualHost": "v"}),
        json!({"type": "redis-stream", "url": "rediss://127.0.0.1", "stream": "s", "database": 2, "maxLength": 5}),
        json!({"type": "sqs", "queueUrl": "https://127.0.0.1/1/q", "region": "eu-central-1", "accessKeyId": "a", "secretAccessKey": "s"}),
        json!({"type": "s3", "bucket": "abc", "region": "eu-central-1", "endpoint": "https://127.0.0.1", "accessKeyId": "a", "secretAccessKey": "s"}),
    ]
}

#[tokio::test]
async fn each_fault_has_its_place() {
    for (kind, change, pointer) in [
        (0, json!({"url": "http://127.0.0.1"}), "/destination/url"),
        (0, json!({"url": "nats://user:hush@127.0.0.1"}), "/destination/url"),
        (0, json!({"subject": "a b"}), "/destination/subject"),
        (0, json!({"subject": "a.*"}), "/destination/subject"),
        (0, json!({"subject": "$JS.API.STREAM.DELETE.X"}), "/destination/subject"),
        (0, json!({"subject": "a\r\nPUB b 0"}), "/destination/subject"),
        (0, json!({"subject": "{id}"}), "/destination/subject"),
        (0, json!({"subject": null}), "/destination"),
        (0, json!({"surprise": "hush"}), "/destination/surprise"),
        (0, json!({"username": "u"}), "/destination/password"),
        (0, json!({"token": "hush", "nkeySeed": "SU"}), "/destination"),
        (0, json!({"nkeySeed": "hush"}), "/destination/nkeySeed"),
        (0, json!({"credentials": "hush"}), "/destination/credentials"),
        (1, json!({"routingKey": ""}), "/destination/routingKey"),
        (1, json!({"routingKey": "x".repeat(200)}), "/destination/routingKey"),
        (1, json!({"exchange": "x".repeat(300)}), "/destination/exchange"),
        (1, json!({"password": "hush"}), "/destination/username"),
        (2, json!({"maxLength": 0}), "/destination/maxLength"),
        (2, json!({"database": -1}), "/destination"),
        (2, json!({"stream": "a\nb"}), "/destination/stream"),
        (3, json!({"queueUrl": "queue"}), "/destination/queueUrl"),
        (3, json!({"queueUrl": "https://u:hush@127.0.0.1/q"}), "/destination/queueUrl"),
        (3, json!({"accessKeyId": "a/b"}), "/destination/accessKeyId"),
        (4, json!({"bucket": "../x"}), "/destination/bucket"),
        (4, json!({"maxBatch": 0}), "/destination/maxBatch"),
    ] {
        let mut destination = sound().remove(kind);
        destination.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = One::over(&client(), destination).await.err().unwrap_or_else(|| panic!("{change} is accepted"));
        assert_eq!(error.fields()[0].pointer, pointer, "{change} {error:?}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    for destination in sound() {
        assert!(One::over(&client(), destination.clone()).await.is_ok(), "{destination}");
    }
}

/// What is a credential is masked for readers: by name, so every name must be known.
#[tokio::test]
async fn every_credential_is_in_the_list_of_secret_fields() {
    for (kind, fields) in [(0, vec!["password", "token", "nkeySeed", "credentials"]), (1, vec!["password"]), (2, vec!["password"])] {
        for field in fields {
            assert!(SECRET_FIELDS.contains(&field), "{kind} {field}");
        }
    }
    for field in ["secretAccessKey", "sessionToken"] {
        assert!(SECRET_FIELDS.contains(&field), "{field}");
    }
}
