//! Calls that the vendors' own packages signed, GitHub's over its own payloads, come in through sources and go out to a webhook.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use testkit::http::Response;
use testkit::receiver::Receiver;
use testkit::{Engine, engine, wait};

use super::github;
use crate::world::{SOON, Tenant, World, assert_signed, text};
use testkit::tools;

const SIGNERS: [&str; 4] = ["@octokit/webhooks-methods@6.0.0", "stripe@23.1.0", "twilio@6.2.0", "@sendgrid/eventwebhook@8.0.0"];

/// What the script signed.
#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "sendgridKey")]
    sendgrid_key: String,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    source: String,
    #[serde(rename = "type")]
    kind: String,
    headers: BTreeMap<String, String>,
    body: String,
    query: String,
}

/// A delivery as the receiver reads it, its data kept as it came.
#[derive(Deserialize)]
struct Delivered {
    data: Box<RawValue>,
}

impl Call {
    async fn send(&self, world: &World, source: &str, body: &str) -> Response {
        let path = if self.query.is_empty() { format!("/in/{source}") } else { format!("/in/{source}?{}", self.query) };
        let mut request = world.server.client().request("POST".parse().unwrap(), &path).body("text/plain", body.to_owned());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send().await
    }
}

/// Runs the packages on what the sources expect.
fn sign(sources: &HashMap<&str, Value>) -> Signed {
    let payloads = github::payloads(&tools::npm("octokit-webhooks-examples", &[github::PACKAGE]));
    assert!(payloads.len() > 200, "only {} examples", payloads.len());
    // apigithubcom-pull_request-3: the middle is the event.
    let rows = payloads.iter().map(|(name, body)| (name, name.split('-').nth(1).unwrap_or("padding"), body)).collect::<Vec<_>>();
    let mut input = json!({"payloads": rows});
    for (name, made) in sources {
        input[*name] = json!({"secret": made["secret"], "url": made["url"]});
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), input.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real_input/sign.mjs");
    let dir = tools::npm("vendors-signers", &SIGNERS);
    let output = tools::run(Command::new("node").arg(script).arg(dir).arg(file.path()));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn make_sources(tenant: &Tenant) -> HashMap<&'static str, Value> {
    let mut made = HashMap::new();
    for provider in ["github", "stripe", "twilio", "sendgrid"] {
        made.insert(provider, tenant.host.post("/api/v1/sources", &json!({"provider": provider})).await.expect(201).json());
    }
    made
}

#[test]
fn what_vendors_packages_sign_comes_in_and_goes_out() {
    if !tools::present("node", "the vendors' signers") || !tools::present("npm", "the vendors' signers") {
        return;
    }
    engine::run(Engine::sqlite(), async |world: World| {
        let tenant = world.tenant("Acme").await;
        let sources = make_sources(&tenant).await;
        let signed = sign(&sources);
        let sendgrid = format!("/api/v1/sources/{}", text(&sources["sendgrid"]["id"]));
        tenant.host.patch(&sendgrid, &json!({"secret": signed.sendgrid_key})).await.assert_status(200);
        let receiver = Receiver::start();
        // The type needs no declaration.
        let webhook = tenant.webhook(&receiver.url("/"), &["inbound.*"]).await;
        let mut expected = HashMap::new();
        for call in &signed.calls {
            let id = text(&sources[call.source.as_str()]["id"]);
            let answer = call.send(&world, &id, &call.body).await;
            assert_eq!(answer.status, 200, "{} {}: {}", call.source, call.kind, answer.text());
            // A repetition adds nothing.
            call.send(&world, &id, &call.body).await.assert_status(200);
            if call.source != "github" {
                call.send(&world, &id, &format!("{} ", call.body)).await.assert_problem(401, "call_not_verified");
                continue;
            }
            expected.insert(format!("{id}:{}", call.headers["x-github-delivery"]), call);
        }
        wait::until("every event", SOON * 3, async || (receiver.count() >= signed.calls.len()).then_some(())).await;
        let requests = receiver.requests();
        for request in &requests {
            assert_signed(request, &webhook.secret);
            let Some(call) = expected.remove(request.header("webhook-id").unwrap()) else { continue };
            let delivered: Delivered = serde_json::from_slice(&request.body).unwrap();
            assert!(delivered.data.get() == call.body, "{} changed on its way", call.kind);
        }
        assert!(expected.is_empty(), "{} of GitHub's did not arrive", expected.len());
        assert_eq!(requests.len(), signed.calls.len(), "each once");
        let types: Vec<String> = requests.iter().map(|request| text(&request.json()["eventType"])).collect();
        for call in &signed.calls {
            assert!(types.contains(&format!("inbound.{}.{}", call.source, call.kind)), "{} {}", call.source, call.kind);
        }
    });
}
