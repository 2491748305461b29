//! Schemathesis sends what the OpenAPI document allows, and what it forbids, to every operation: no answer may be a fault of the server, or
//! one that the document does not have.
//!
//! Paths name things that exist, so that operations are reached behind the 404. CI sends a few requests to each operation;
//! `cargo xtask prove schemathesis` sends many, under each blueprint, also as a partner.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::http::Client;
use testkit::server::Settings;

use super::serving;
use crate::tenant_matrix::OneOfEverything;
use crate::world::World;
use testkit::tools;

const PACKAGE: &str = "schemathesis~=4.32";
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

/// How much is sent.
struct Size {
    examples: u32,
    phases: &'static str,
}

const CI: Size = Size { examples: 3, phases: "examples,fuzzing" };
const FULL: Size = Size { examples: 100, phases: "examples,coverage,fuzzing,stateful" };

/// What the requests carry.
type Headers<'a> = [(&'a str, String)];

async fn judge(world: &World, reader: &Client, headers: &Headers<'_>, known: Option<&OneOfEverything>, size: &Size) {
    let Some(python) = python() else { return };
    let document = reader.get("/docs/openapi.json").await.expect(200).json();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("openapi.json"), document.to_string()).unwrap();
    std::fs::write(dir.path().join("schemathesis.toml"), configuration(headers, &document, known)).unwrap();
    let output = run(&python, dir.path(), &world.server.base(), size);
    let said = String::from_utf8_lossy(&output.stdout);
    let count = document["paths"].as_object().unwrap().values().map(|one| one.as_object().unwrap().len()).sum::<usize>();
    let is_whole = said.contains(&format!("Tested: {count}"));
    if !output.status.success() || !is_whole {
        let kept = keep(dir);
        let log = kept.join("output.txt");
        std::fs::write(&log, format!("{}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr))).unwrap();
        panic!("{}, all of {count} operations tested: {is_whole}; see {}\n{said}", output.status, log.display());
    }
}

/// The document and the configuration of a run that failed, for whoever looks into it later: a seed does not bring back what two workers did
/// at once.
fn keep(dir: tempfile::TempDir) -> std::path::PathBuf {
    let from = dir.keep();
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(testkit::unique("schemathesis"));
    std::fs::create_dir_all(&to).unwrap();
    for name in ["openapi.json", "schemathesis.toml"] {
        std::fs::rename(from.join(name), to.join(name)).or_else(|_| std::fs::copy(from.join(name), to.join(name)).map(drop)).unwrap();
    }
    to
}

/// The interpreter with the package; none where there is no Python.
fn python() -> Option<std::path::PathBuf> {
    tools::present("python3", "the whole API by Schemathesis").then(|| tools::pip("schemathesis-pypi", PACKAGE))
}

fn run(python: &Path, dir: &Path, base: &str, size: &Size) -> std::process::Output {
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.current_dir(dir).args(["run", "openapi.json", "--url", base, "--phases", size.phases, "--checks", CHECKS]);
    command.args(["--max-examples", &size.examples.to_string(), "--seed", "5", "--suppress-health-check", "all", "--warnings", "off"]);
    command.args(["--workers", "2", "--continue-on-failure", "--generation-database", "none", "--output-sanitize", "false"]);
    command.output().unwrap()
}

/// Headers, and for each path that names something of a tenant the ids that it has. What ends the things that others need is left to ids that
/// Schemathesis makes up. A 502 is a vendor's fault, where the document says that there may be one.
fn configuration(headers: &Headers<'_>, document: &Value, known: Option<&OneOfEverything>) -> String {
    let mut out = String::from("[headers]\n");
    for (name, value) in headers {
        let _ = writeln!(out, "{name:?} = {value:?}");
    }
    let Some(known) = known else { return out };
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            if operation["responses"]["502"].is_object() {
                let expected = r#"["2xx", "3xx", "4xx", "502"]"#;
                let _ = writeln!(out, "[[operations]]\ninclude-name = {name:?}\nchecks.not_a_server_error.expected-statuses = {expected}");
            }
            let ids = known.ids(&method.to_uppercase(), path);
            let ends = method == "delete" || (path.starts_with("/api/v1/tenants") && method != "get");
            if ids.is_empty() || ends {
                continue;
            }
            let names = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
            let parameters: Vec<String> = names.zip(&ids).map(|(name, id)| format!("\"path.{name}\" = {id:?}")).collect();
            let _ = writeln!(out, "[[operations]]\ninclude-name = {name:?}\nparameters = {{ {} }}", parameters.join(", "));
        }
    }
    out
}

/// As the operator, who may call everything.
async fn everything(world: &World, size: &Size) {
    let known = OneOfEverything::make(world).await;
    let headers = [("Authorization", format!("Bearer {}", world.service_key)), ("Tradewind-Tenant", known.tenant().id.clone())];
    // Without a credential: the whole document.
    judge(world, &world.server.client(), &headers, Some(&known), size).await;
}

/// As a partner, who gets a document of its own.
async fn as_a_partner(world: &World, size: &Size) {
    let key = world.tenant("Acme").await.key().await;
    let mut headers = vec![("Authorization", format!("Bearer {}", key.token))];
    headers.extend(key.secret.clone().map(|secret| ("X-API-Secret", secret)));
    judge(world, &key.http, &headers, None, size).await;
}

/// With `TRADEWIND_FULL` every blueprint on both engines, in numbers: half an hour.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_documented_prove_schemathesis() {
    if std::env::var_os("TRADEWIND_FULL").is_none() {
        return everything(&serving("insurance-leads"), &CI).await;
    }
    for engine in [testkit::Engine::sqlite as fn() -> testkit::Engine, testkit::Engine::postgres] {
        for (blueprint, _) in blueprint::builtin() {
            let adapt = |settings: Settings| settings.set("TRADEWIND_BLUEPRINT", blueprint).set("TRADEWIND_ALERT_INTERVAL", "1");
            let world = World::start(engine(), adapt);
            as_a_partner(&world, &FULL).await;
            if matches!(*blueprint, "insurance-leads" | "contractor-network") {
                everything(&world, &FULL).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_documented_under_contractor_network() {
    as_a_partner(&serving("contractor-network"), &CI).await;
}
