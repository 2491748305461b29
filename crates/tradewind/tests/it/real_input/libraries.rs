//! The official Standard Webhooks libraries verify what we deliver.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use testkit::receiver::{Received, Receiver};
use testkit::wait;

use crate::world::{Contractors, SOON, World, received, text};
use testkit::tools;

const VERSION: &str = "1.1";

/// As the scripts read it. Text in the body is ASCII-safe base64, so that bytes stay bytes.
pub(super) fn captured(requests: &[Received], secret: &str) -> Value {
    let one = |request: &Received| {
        let headers: Map<String, Value> = request
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("webhook-"))
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
            .collect();
        json!({"secret": secret, "headers": headers, "body": base64(&request.body)})
    };
    requests.iter().map(one).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(number >> (18 - 6 * place) & 63) as usize]);
            out.push(if place <= group.len() { digit } else { '=' });
        }
    }
    out
}

pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real_input").join(name)
}

/// Deliveries of every form: the two secrets of a rotation, a retry, a test delivery, text beyond ASCII.
async fn deliveries(world: &World) -> Value {
    let tenant = world.tenant("Acme").await;
    let receiver = Receiver::start();
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let data = |note: &str| json!({"leadId": "1", "note": note, "n": 12_345_678_901_234_567_i64, "f": 1.5e300, "list": [[], {}, null]});
    for note in ["plain", "ünïcödé ☃ 😀 \u{2028}", "\"quotes\" \\ / </script>", ""] {
        tenant.publish("lead.created", &data(note)).await;
    }
    tenant.host.post(&format!("/api/v1/webhooks/{}/test", webhook.id), &json!({})).await;
    received(&receiver, 5).await;
    let mut all = captured(&receiver.take(), &webhook.secret);
    // During a rotation both secrets sign: each of them verifies.
    let path = format!("/api/v1/webhooks/{}/rotate-secret", webhook.id);
    let rotated = tenant.host.post(&path, &json!({"overlapSeconds": 3600})).await.expect(200).json();
    let fresh = text(&rotated["secret"]);
    let both = wait::until("a delivery with two signatures", SOON, || async {
        tenant.publish("lead.updated", &data("rotated")).await;
        let came = received(&receiver, 1).await;
        came.into_iter().find(|one| one.header("webhook-signature").unwrap().split(' ').count() == 2)
    })
    .await;
    for secret in [&webhook.secret, &fresh] {
        all.as_array_mut().unwrap().extend(captured(std::slice::from_ref(&both), secret).as_array().unwrap().clone());
    }
    all
}

/// Writes the deliveries to a file and runs `judge` on it, which must say how many it verified.
fn judge(all: &Value, command: Command) {
    judge_counted(all, all.as_array().unwrap().len(), command);
}

/// The same for what is no list of deliveries: it must say that it verified `count`.
pub(super) fn judge_counted(all: &Value, count: usize, mut command: Command) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), all.to_string()).unwrap();
    let output = tools::run(command.arg(file.path()));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), count.to_string());
}

fn judge_by_node(all: &Value) {
    if !tools::present("node", "Standard Webhooks for JavaScript") || !tools::present("npm", "Standard Webhooks for JavaScript") {
        return;
    }
    let dir = tools::npm("standardwebhooks-npm", &[&format!("standardwebhooks@^{VERSION}")]);
    let mut command = Command::new("node");
    command.arg(script("verify.mjs")).arg(dir);
    judge(all, command);
}

fn judge_by_python(all: &Value) {
    if !tools::present("python3", "Standard Webhooks for Python") {
        return;
    }
    let python = tools::pip("standardwebhooks-pypi", &format!("standardwebhooks~={VERSION}"));
    let mut command = Command::new(python);
    command.arg(script("verify.py"));
    judge(all, command);
}

testkit::engines! {
    async fn verify_our_deliveries(world: World) {
        let all = deliveries(&world).await;
        assert_eq!(all.as_array().unwrap().len(), 7);
        judge_by_node(&all);
        judge_by_python(&all);
    }

    /// A product with its own body and signature sends the standard's headers as well.
    async fn verify_bare_payloads_too(world: Contractors) {
        let tenant = world.0.tenant("Acme").await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        tenant.host.post("/api/v1/records/lead", &json!({"first_name": "Gräce"})).await.assert_status(201);
        let all = captured(&received(&receiver, 1).await, &webhook.secret);
        judge_by_node(&all);
        judge_by_python(&all);
    }
}

#[test]
fn the_base64_is_right() {
    for (plain, coded) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64(plain.as_bytes()), coded);
    }
}
