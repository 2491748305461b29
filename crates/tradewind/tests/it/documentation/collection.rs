//! The Postman collection, run by Newman against the server.

use std::process::Command;

use serde_json::Value;

use super::serving;
use testkit::tools;

const NEWMAN: &str = "newman@^6.2.1";

async fn run(blueprint: &str, least: usize) {
    let world = serving(blueprint);
    let key = world.tenant("Acme").await.key().await;
    let collection = key.http.get("/docs/postman.json").await.expect(200).json();
    let folders = collection["item"].as_array().unwrap();
    let journey = folders[0]["item"].as_array().unwrap().len();
    assert!(folders[0]["name"] == "The journey" && journey >= least, "{journey} requests in the journey");
    if !tools::present("node", "the Postman collection") || !tools::present("npm", "the Postman collection") {
        return;
    }
    let newman = tools::npm("newman-npm", &[NEWMAN]).join("node_modules/.bin/newman");
    let dir = tempfile::tempdir().unwrap();
    let (file, report) = (dir.path().join("collection.json"), dir.path().join("report.json"));
    std::fs::write(&file, collection.to_string()).unwrap();
    let mut command = Command::new(newman);
    command.arg("run").arg(&file).args(["--reporters", "cli,json", "--reporter-json-export"]).arg(&report);
    command.args([
        "--env-var",
        &format!("baseUrl={}", world.server.base()),
        "--env-var",
        &format!("apiKey={}", key.token),
        "--timeout-request",
        "20000",
    ]);
    if let Some(secret) = &key.secret {
        command.args(["--env-var", &format!("apiSecret={secret}")]);
    }
    tools::run(&mut command);
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let stats = &report["run"]["stats"];
    let count: usize = folders.iter().map(|folder| folder["item"].as_array().unwrap().len()).sum();
    assert_eq!((&stats["requests"]["total"], &stats["requests"]["failed"]), (&Value::from(count), &Value::from(0)), "{stats}");
    assert!(stats["assertions"]["total"].as_u64().unwrap() >= count as u64 && stats["assertions"]["failed"] == 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_collection_of_insurance_leads() {
    run("insurance-leads", 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_collection_of_contractor_network() {
    run("contractor-network", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_collection_of_call_coaching() {
    run("call-coaching", 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_collection_of_helpdesk_reports() {
    run("helpdesk-reports", 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newman_runs_the_collection_of_school_tenants() {
    run("school-tenants", 10).await;
}
