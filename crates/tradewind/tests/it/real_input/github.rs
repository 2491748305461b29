//! GitHub's own webhook payloads, published as events, arrive byte for byte.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use testkit::receiver::Receiver;
use testkit::{Engine, wait};

use crate::world::{SOON, World, assert_signed};
use testkit::tools;

pub(super) const PACKAGE: &str = "@octokit/webhooks-examples@7.6.1";
const BLUEPRINT: &str = include_str!("blueprint.toml");

/// Each webhook of GitHub's has its examples.
#[derive(Deserialize)]
struct Described {
    name: String,
    examples: Vec<Box<RawValue>>,
}

/// A delivery as the receiver reads it, its data kept as it came.
#[derive(Deserialize)]
struct Delivered {
    data: Box<RawValue>,
}

/// Every example of the package under a name of its own, and a text three times as long as the longest, full of what is easily mangled.
pub(super) fn payloads(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![dir.join("node_modules/@octokit/webhooks-examples")];
    while let Some(place) = open.pop() {
        for entry in std::fs::read_dir(place).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "node_modules" {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") && entry.file_name() != "package.json" {
                found.push(path);
            }
        }
    }
    found.sort();
    let mut out = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(described) = serde_json::from_str::<Vec<Described>>(&text) else { continue };
        for webhook in described {
            let named =
                |(n, example): (usize, Box<RawValue>)| (format!("{}-{}-{n}", edition(&path), webhook.name), example.get().to_owned());
            out.extend(webhook.examples.into_iter().enumerate().map(named));
        }
    }
    let longest = out.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let padding = format!(r#"{{"padding":"{}"}}"#, "ü☃\\u00e9\\/".repeat(longest * 3 / 12));
    out.push(("padding".to_owned(), padding));
    out
}

/// `apigithubcom` or `ghes35`: the directory of GitHub's edition.
fn edition(path: &Path) -> String {
    path.parent().unwrap().file_name().unwrap().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect()
}

testkit::engines! {
    async fn payloads_arrive_byte_exact(engine: Engine) {
        if !tools::present("npm", "the delivery of GitHub's payloads") {
            return;
        }
        let payloads = payloads(&tools::npm("octokit-webhooks-examples", &[PACKAGE]));
        assert!(payloads.len() > 200, "only {} examples are in {PACKAGE}", payloads.len());
        let file = engine.data_dir().join("anything.toml");
        std::fs::write(&file, BLUEPRINT).unwrap();
        let world = World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", file.to_str().unwrap()));
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/"), &["github.*"]).await;
        for (n, (name, text)) in payloads.iter().enumerate() {
            let event = format!(r#"{{"type":"github.push","id":"{name}","data":{text}}}"#);
            // One by one and in batches: two ways in, one outcome.
            let (path, body) = match n % 2 {
                0 => ("/api/v1/events", event),
                _ => ("/api/v1/events/batch", format!(r#"{{"events":[{event}]}}"#)),
            };
            let answer = key.http.request("POST".parse().unwrap(), path).body("application/json", body).send().await;
            assert!(answer.status == 202 && !answer.text().contains("error"), "{name}: {} {}", answer.status, answer.text());
        }
        wait::until("every payload", SOON * 3, async || (receiver.count() >= payloads.len()).then_some(())).await;
        let sent: HashMap<&str, &str> = payloads.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(sent.len(), payloads.len(), "each has a name of its own");
        let mut arrived = 0;
        for request in receiver.requests() {
            assert_signed(&request, &webhook.secret);
            let id = request.header("webhook-id").unwrap();
            let delivered: Delivered = serde_json::from_slice(&request.body).unwrap();
            assert!(delivered.data.get() == sent[id], "{id} changed on its way:\n{}\n{}", sent[id], delivered.data.get());
            arrived += 1;
        }
        assert_eq!(arrived, payloads.len(), "each once");
        // And a reader of the log sees the same bytes.
        for (name, text) in payloads.iter().step_by(25) {
            let stored = key.http.get(&format!("/api/v1/events/{name}")).await.expect(200);
            let stored: Delivered = serde_json::from_slice(&stored.body).unwrap();
            assert!(stored.data.get() == text, "{name} is stored differently");
        }
    }
}
