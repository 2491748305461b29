//! `examples/clients`: each webhook handler with real deliveries and forged ones, and the journey of a partner of call-coaching in each
//! language, with a worker that does the work.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;
use testkit::port;

use super::serving;
use crate::world::{SOON, World, assert_signed};
use testkit::tools;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/clients")
}

/// A handler that listens; ended with its owner.
struct Handler {
    child: Child,
    /// What it says of each delivery.
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Drop for Handler {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Handler {
    /// Starts `command`, which prints a line when it listens.
    fn start(command: &mut Command, secret: &str) -> Self {
        let port = port::free();
        command.env("WEBHOOK_SECRET", secret).env("WEBHOOK_PORT", port.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on"), "{command:?}: {line}");
        Self { child, said, port }
    }

    /// PHP's own server, which says what it does on standard error, each line after a time.
    fn php(script: &Path, secret: &str) -> Self {
        let port = port::free();
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new("sh");
        command.args(["-c", "exec php -q -d log_errors=1 -d error_log=/dev/stderr -S \"$1\" \"$2\" 2>&1", "sh", &address]).arg(script);
        let mut child = command.env("WEBHOOK_SECRET", secret).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("started") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        Self { child, said, port }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "the handler ended");
            // What a server around it says of connections is not the handler's.
            if let Some(at) = line.find("received:").or_else(|| line.find("refused:")) {
                return line[at..].trim().to_owned();
            }
        }
    }
}

/// A webhook of `secret`, known before its receiver runs: its address is told afterwards.
async fn delivered(world: &World, start: impl FnOnce(&str) -> Handler) {
    let tenant = world.tenant("Acme").await;
    let webhook = tenant.webhook("http://127.0.0.1:9/", &["lead.created"]).await;
    let mut handler = start(&webhook.secret);
    let url = format!("http://127.0.0.1:{}/", handler.port);
    let client = testkit::http::Client::new(format!("http://127.0.0.1:{}", handler.port));
    let forged = client.request(http::Method::POST, "/").header("webhook-id", "evt_1").header("webhook-timestamp", "1");
    let forged = forged.header("webhook-signature", "v1,AAAA").json(&json!({"type": "lead.created"})).send().await;
    assert_eq!(forged.status, 400);
    assert!(handler.line().starts_with("refused:"));
    tenant.host.patch(&format!("/api/v1/webhooks/{}", webhook.id), &json!({"url": url})).await.assert_status(200);
    let event = tenant.publish("lead.created", &json!({"leadId": "1"})).await["id"].as_str().unwrap().to_owned();
    tenant.delivery(&event, |row| row["status"] == "delivered").await;
    assert!(handler.line().starts_with(&format!("received: {event}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_in_node_believes_what_is_signed() {
    if !tools::present("node", "the example client in Node") || !tools::present("npm", "the example client in Node") {
        return;
    }
    let modules = tools::npm("example-client-npm", &["standardwebhooks@^1.0.0"]);
    // Node looks for packages beside the program.
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(examples().join("node/webhook.mjs"), dir.path().join("webhook.mjs")).unwrap();
    std::os::unix::fs::symlink(modules.join("node_modules"), dir.path().join("node_modules")).unwrap();
    let start = |secret: &str| Handler::start(Command::new("node").arg(dir.path().join("webhook.mjs")), secret);
    delivered(&serving("insurance-leads"), start).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_in_python_believes_what_is_signed() {
    if !tools::present("python3", "the example client in Python") {
        return;
    }
    let python = tools::pip("example-client-pypi", "standardwebhooks>=1.0");
    let start = |secret: &str| Handler::start(Command::new(python).arg(examples().join("python/webhook.py")), secret);
    delivered(&serving("insurance-leads"), start).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_in_php_believes_what_is_signed() {
    if !tools::present("php", "the example handler in PHP") {
        return;
    }
    let package = "standard-webhooks/standard-webhooks:^1.0";
    let Some(vendor) = tools::composer("example-client-php", package, "the example handler in PHP") else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(examples().join("php/webhook.php"), dir.path().join("webhook.php")).unwrap();
    std::os::unix::fs::symlink(vendor.join("vendor"), dir.path().join("vendor")).unwrap();
    let script = dir.path().join("webhook.php");
    delivered(&serving("insurance-leads"), |secret| Handler::php(&script, secret)).await;
}

/// One run of the shell's handler, which answers one request.
fn shell(secret: &str, request: &[u8]) -> (String, String) {
    let mut command = Command::new("sh");
    command.arg(examples().join("curl/webhook.sh")).env("WEBHOOK_SECRET", secret);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_in_the_shell_believes_what_is_signed() {
    if !tools::present("openssl", "the example client in the shell") && Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let world = serving("insurance-leads");
    let tenant = world.tenant("Acme").await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let webhook = tenant.webhook(&url, &["lead.created"]).await;
    let event = tenant.publish("lead.created", &json!({"leadId": "1"})).await["id"].as_str().unwrap().to_owned();
    let (mut connection, _) = listener.accept().unwrap();
    let request = read_request(&mut connection);
    let (answer, said) = shell(&webhook.secret, &request);
    assert!(answer.starts_with("HTTP/1.1 204 ") && said.starts_with(&format!("received: {event}")), "{answer}{said}");
    connection.write_all(answer.as_bytes()).unwrap();
    tenant.delivery(&event, |row| row["status"] == "delivered").await;
    let mut forged = request.clone();
    let last = forged.len() - 2;
    forged[last] ^= 1;
    let (answer, said) = shell(&webhook.secret, &forged);
    assert!(answer.starts_with("HTTP/1.1 400 ") && said.starts_with("refused:"), "{answer}{said}");
    let other = shell("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &request);
    assert!(other.0.starts_with("HTTP/1.1 400 "), "{}", other.0);
}

/// A whole request with a body of a known length.
fn read_request(connection: &mut std::net::TcpStream) -> Vec<u8> {
    connection.set_read_timeout(Some(SOON)).unwrap();
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next().map(str::to_owned));
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                return all;
            }
        }
        let count = connection.read(&mut part).unwrap();
        assert!(count > 0, "the request broke off");
        all.extend_from_slice(&part[..count]);
    }
}

/// Does the calls' analyses as a worker does: leases, tells its progress, completes.
async fn work(world: &World) -> ! {
    let worker = &world.operator;
    loop {
        let leased =
            worker.post("/api/v1/jobs/lease", &json!({"types": ["call.analyze"], "max": 5, "waitSeconds": 5})).await.expect(200).json();
        for job in leased["data"].as_array().unwrap() {
            let (id, token) = (job["id"].as_str().unwrap(), &job["leaseToken"]);
            let words = job["input"]["transcript"].as_str().unwrap().split_whitespace().count();
            worker.post(&format!("/api/v1/jobs/{id}/heartbeat"), &json!({"leaseToken": token, "progress": 50})).await.assert_status(200);
            let result = json!({"score": 80, "words": words});
            worker.post(&format!("/api/v1/jobs/{id}/complete"), &json!({"leaseToken": token, "result": result})).await.assert_status(200);
        }
    }
}

/// One client's journey, with its job told to a receiver as well: signed with the secret that the client chose, or with the one that it prints.
async fn journey(program: &str, arguments: &[&str], chosen: Option<&str>) {
    if !tools::present(program, &format!("the example client of {program}")) {
        return;
    }
    let world = serving("call-coaching");
    let key = world.tenant("Acme").await.key().await;
    let receiver = testkit::receiver::Receiver::start();
    let mut command = Command::new(if program == "curl" { "sh" } else { program });
    command.args(arguments).current_dir(examples());
    command.env("TRADEWIND_URL", world.server.base()).env("TRADEWIND_API_KEY", &key.token);
    command.env("TRADEWIND_API_SECRET", key.secret.as_deref().expect("call-coaching has two secrets"));
    command.env("WEBHOOK_URL", receiver.url("/job")).env("WEBHOOK_SECRET", chosen.unwrap_or_default());
    let output = tokio::select! {
        output = tokio::task::spawn_blocking(move || command.output()) => output.unwrap().unwrap(),
        _ = work(&world) => unreachable!("a worker goes on for ever"),
    };
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program}: {said}");
    let result = said.lines().find(|line| line.starts_with("result: ")).unwrap_or_else(|| panic!("{program}: {said}"));
    assert!(result.contains("\"score\":80") || result.contains("\"score\": 80"), "{program}: {said}");
    let told = crate::world::received(&receiver, 1).await;
    assert_eq!(told[0].json()["type"], "call.analyzed", "{program}");
    let printed = said.lines().find_map(|line| line.strip_prefix("webhook secret: "));
    assert_signed(&told[0], chosen.or(printed).unwrap_or_else(|| panic!("{program}: {said}")));
    assert_eq!(chosen.is_some(), printed.is_none(), "{said}");
}

/// A secret as a client may choose it.
const CHOSEN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_in_node() {
    journey("node", &["node/journey.mjs"], Some(CHOSEN)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_in_python() {
    journey("python3", &["python/journey.py"], Some(CHOSEN)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_in_php() {
    journey("php", &["php/journey.php"], Some(CHOSEN)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_in_curl() {
    journey("curl", &["curl/journey.sh"], None).await;
}
