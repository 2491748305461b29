//! S3, by moto, which checks the signatures.

use std::path::Path;

use channels::Archive;
use futures_util::future::join_all;
use kernel::Ambient;
use serde_json::{Value, json};
use testkit::moto::Server;

use crate::bed::{One, client, failed, ids};

/// Two calls that need no key: a user and the key that all others are signed with.
const KEY: &str = r#"
import boto3, json, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], aws_access_key_id="x", aws_secret_access_key="x")
iam.create_user(UserName="app")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="app", PolicyName="all", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="app")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"#;

const BUCKET: &str = r#"
import boto3, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
"#;

/// Every object: key, type, and its lines, unpacked by Python's own gzip.
const READ: &str = r#"
import boto3, gzip, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
out = []
for entry in s3.list_objects_v2(Bucket="archive").get("Contents", []):
    got = s3.get_object(Bucket="archive", Key=entry["Key"])
    body = got["Body"].read()
    text = (gzip.decompress(body) if entry["Key"].endswith(".gz") else body).decode()
    assert text.endswith("\n")
    out.append({"key": entry["Key"], "type": got["ContentType"], "lines": [json.loads(line) for line in text.splitlines()]})
print(json.dumps(out))
"#;

/// moto with one key.
pub(crate) struct Cloud {
    pub(crate) server: Server,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Cloud {
    /// The three calls that make the key need none; from then on everything is signed.
    pub(crate) fn start() -> (Self, Key) {
        let server = Server::start(Path::new(env!("CARGO_TARGET_TMPDIR")), 3).unwrap();
        let [id, secret]: [String; 2] = serde_json::from_str(&server.python(KEY, &[])).unwrap();
        (Self { server }, Key { id, secret })
    }
}

fn objects(cloud: &Cloud, key: &Key) -> Vec<Value> {
    serde_json::from_str(&cloud.server.python(READ, &[&key.id, &key.secret])).unwrap()
}

fn to(cloud: &Cloud, key: &Key, more: &Value) -> Value {
    let mut destination = json!({
        "type": "s3", "endpoint": cloud.server.url(), "bucket": "archive", "region": "eu-central-1",
        "accessKeyId": key.id, "secretAccessKey": key.secret,
    });
    destination.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    destination
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_stored_and_read_back() {
    let (cloud, key) = Cloud::start();
    cloud.server.python(BUCKET, &[&key.id, &key.secret]);
    // Two full batches by their size, the rest by time; packed.
    let one = One::new(to(&cloud, &key, &json!({"prefix": "a b/{webhook}/{year}/", "maxBatch": 10, "maxWaitMs": 2000}))).await;
    let all = ids("e", 25);
    let reports = join_all(all.iter().map(|id| one.attempt(one.event(id, "{\"leadId\":\n\"1\"}")))).await;
    assert!(reports.iter().all(dispatch::AttemptReport::is_delivered), "{:?}", reports[0]);
    let found = objects(&cloud, &key);
    let mut sizes: Vec<usize> = found.iter().map(|object| object["lines"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    let mut came: Vec<&str> =
        found.iter().flat_map(|object| object["lines"].as_array().unwrap()).map(|line| line["id"].as_str().unwrap()).collect();
    came.sort_unstable();
    assert_eq!(came, all);
    assert_eq!(found[0]["lines"][0]["data"], json!({"leadId": "1"}));
    let year = one.ambient.now().to_string()[..4].to_owned();
    for object in &found {
        let name = object["key"].as_str().unwrap();
        assert!(name.starts_with(&format!("a b/{}/{year}/", one.id())) && name.ends_with(".ndjson.gz"), "{name}");
        assert_eq!(object["type"], json!("application/gzip"));
    }
    // Each delivery says where its line is.
    let said: Value = serde_json::from_slice(&reports[0].response_body).unwrap();
    let object = found.iter().find(|object| object["key"] == said["key"]).unwrap();
    let line = usize::try_from(said["line"].as_u64().unwrap()).unwrap();
    assert_eq!(object["lines"][line - 1]["id"], json!("e-000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_event_waits_for_company_and_refusals_reach_all_of_a_batch() {
    let (cloud, key) = Cloud::start();
    cloud.server.python(BUCKET, &[&key.id, &key.secret]);
    let plain = One::new(to(&cloud, &key, &json!({"gzip": false, "maxWaitMs": 100}))).await;
    let report = plain.attempt(plain.event("lone", "{}")).await;
    assert!(report.is_delivered() && report.status_code == Some(200), "{report:?}");
    let found = objects(&cloud, &key);
    assert_eq!((found[0]["lines"][0]["id"].as_str(), found[0]["type"].as_str()), (Some("lone"), Some("application/x-ndjson")));
    assert!(found[0]["key"].as_str().unwrap().ends_with(".ndjson"));

    let forged = Key { secret: "not-the-secret".to_owned(), ..key.clone() };
    let refused = One::new(to(&cloud, &forged, &json!({"maxWaitMs": 100}))).await;
    let reports = join_all(ids("r", 5).iter().map(|id| refused.attempt(refused.event(id, "{}")))).await;
    for report in &reports {
        assert_eq!((failed(report), report.status_code), ("credentials", Some(403)), "{report:?}");
        assert!(!format!("{report:?}").contains("not-the-secret"));
    }
    let missing = One::new(to(&cloud, &key, &json!({"bucket": "elsewhere", "maxWaitMs": 100}))).await;
    assert_eq!(failed(&missing.attempt(missing.event("e-1", "{}")).await), "missing");
    assert_eq!(objects(&cloud, &key).len(), 1);
}

/// Objects of an archive, a small one at once and a large one in parts; neither is there before it is finished.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_has_whole_objects() {
    let (cloud, key) = Cloud::start();
    cloud.server.python(BUCKET, &[&key.id, &key.secret]);
    let ambient = Ambient::system();
    let archive = |key: &Key| {
        let config = to(&cloud, key, &json!({}));
        Archive::new(client(), ambient.clone(), &config, "days of/").unwrap().with_part_size(5 * 1024 * 1024)
    };
    let mut small = archive(&key).begin("events/2026-03-01.ndjson").unwrap();
    small.write("{\"a\":1}\n".to_owned()).await.unwrap();
    small.write("{\"a\":2}\n".to_owned()).await.unwrap();
    assert_eq!(objects(&cloud, &key).len(), 0);
    small.finish().await.unwrap();
    // What cannot be packed much: two parts of five megabytes, and a rest.
    let mut large = archive(&key).begin("events/2026-03-02.ndjson").unwrap();
    let mut lines = 0;
    for _ in 0..60 {
        let page: String = (0..200).map(|_| format!("{{\"n\":{lines},\"x\":\"{}\"}}\n", noise(&ambient))).collect();
        lines += 200;
        large.write(page).await.unwrap();
    }
    assert_eq!(objects(&cloud, &key).len(), 1);
    large.finish().await.unwrap();
    let found = objects(&cloud, &key);
    let names: Vec<&str> = found.iter().map(|object| object["key"].as_str().unwrap()).collect();
    assert_eq!(names, ["days of/events/2026-03-01.ndjson.gz", "days of/events/2026-03-02.ndjson.gz"]);
    assert_eq!(found[0]["lines"], json!([{"a": 1}, {"a": 2}]));
    let all = found[1]["lines"].as_array().unwrap();
    assert_eq!((all.len(), all.iter().filter(|line| line["x"].as_str().unwrap().len() == 2048).count()), (12_000, 12_000));
    // The same name again takes its place.
    let again = archive(&key).begin("events/2026-03-02.ndjson").unwrap();
    again.finish().await.unwrap();
    let forged = Key { secret: "not-the-secret".to_owned(), ..key.clone() };
    let refused = archive(&forged).begin("x").unwrap().finish().await.unwrap_err();
    let text = format!("{refused:?}");
    assert!(text.contains("403") && !text.contains("not-the-secret"), "{text}");
}

/// A kilobyte that nobody has seen, as text.
fn noise(ambient: &Ambient) -> String {
    let bytes: [u8; 1024] = ambient.bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
