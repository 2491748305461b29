//! SQS, by moto, which checks the signatures.

use serde_json::{Value, json};

use crate::bed::{One, assert_is_webhook, failed};
use crate::s3::{Cloud, Key};

/// Makes queues and prints their URLs.
const MAKE: &str = r#"
import boto3, json, sys
sqs = boto3.client("sqs", endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
plain = sqs.create_queue(QueueName="plain")["QueueUrl"]
fifo = sqs.create_queue(QueueName="ordered.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
print(json.dumps([plain, fifo]))
"#;

/// Prints all messages of a queue, in their order.
const TAKE: &str = r#"
import boto3, json, sys
sqs = boto3.client("sqs", endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
out = []
while True:
    got = sqs.receive_message(QueueUrl=sys.argv[4], MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages", [])
    if not got: break
    for m in got:
        out.append({"body": m["Body"], "attributes": {k: v["StringValue"] for k, v in m.get("MessageAttributes", {}).items()}, "system": m.get("Attributes", {})})
        sqs.delete_message(QueueUrl=sys.argv[4], ReceiptHandle=m["ReceiptHandle"])
print(json.dumps(out))
"#;

fn take(cloud: &Cloud, key: &Key, queue: &str) -> Vec<Value> {
    serde_json::from_str(&cloud.server.python(TAKE, &[&key.id, &key.secret, queue])).unwrap()
}

fn to(queue: &str, key: &Key) -> Value {
    json!({"type": "sqs", "queueUrl": queue, "region": "eu-central-1", "accessKeyId": key.id, "secretAccessKey": key.secret})
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_signed_in_order_and_once() {
    let (cloud, key) = Cloud::start();
    let queues: Vec<String> = serde_json::from_str(&cloud.server.python(MAKE, &[&key.id, &key.secret])).unwrap();
    let one = One::new(to(&queues[0], &key)).await;
    let report = one.attempt(one.event("evt-1", "{\"leadId\":\"ü\"}")).await;
    assert!(report.is_delivered() && report.status_code == Some(200), "{report:?}");
    let came = take(&cloud, &key, &queues[0]);
    let attribute = |name: &str| came[0]["attributes"][name].as_str().map(str::to_owned);
    assert_is_webhook(&one, "evt-1", came[0]["body"].as_str().unwrap().as_bytes(), attribute);

    let fifo = One::new(to(&queues[1], &key)).await;
    // The repetition has the same id: the queue drops it.
    for id in ["e-1", "e-2", "e-2", "e-3"] {
        let mut event = fifo.event(id, "{}");
        event.ordering_key = Some("customer 7".to_owned());
        let report = fifo.attempt(event).await;
        assert!(report.is_delivered(), "{report:?}");
    }
    let came = take(&cloud, &key, &queues[1]);
    let ids: Vec<&str> = came.iter().map(|message| message["attributes"]["webhook-id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3"]);
    let system = &came[0]["system"];
    assert_eq!(system["MessageDeduplicationId"], json!("e-1"));
    assert_eq!(system["MessageGroupId"].as_str().unwrap().len(), 64, "a key with a space is hashed: {system}");

    let missing = One::new(to(&queues[0].replace("plain", "nothing"), &key)).await;
    let report = missing.attempt(missing.event("e-4", "{}")).await;
    assert_eq!(failed(&report), "missing", "{report:?}");
    let forged = One::new(to(&queues[0], &Key { secret: "not-the-secret".to_owned(), ..key.clone() })).await;
    let report = forged.attempt(forged.event("e-5", "{}")).await;
    assert_eq!(failed(&report), "credentials", "{report:?}");
    assert!(!format!("{report:?}").contains("not-the-secret"));
    assert!(take(&cloud, &key, &queues[0]).is_empty());
}
