//! What a receiver's developer has: gaps filled by number, the stream, `listen` and `certify`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use testkit::{Engine, engine, wait};

use crate::world::{Key, SOON, Tenant, World, assert_signed, assert_signed_legacy, received, rows, text};

/// A command of the binary that runs until it is told to stop, and what it prints.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world.server.settings().command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    /// The next line that has this in it.
    fn wait_for(&mut self, part: &str) -> String {
        let end = Instant::now() + SOON;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {part:?} in {:#?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    fn stop(mut self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let status = wait::poll(SOON, || self.child.try_wait().unwrap()).expect("it ends");
        assert!(signal != Signal::TERM || status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(world: &World, key: &Key, receiver: &Receiver, more: &[&str]) -> Running {
    let (base, forward) = (world.server.base(), receiver.url("/hook"));
    let arguments = ["listen", "--server", &base, "--key", &key.token, "--forward", &forward, "--consumer", "dev"];
    Running::start(world, &[&arguments[..], more].concat())
}

async fn publish(tenant: &Tenant, id: &str) {
    let event = json!({"type": "lead.created", "id": id, "data": {"leadId": id}});
    tenant.host.post("/api/v1/events", &event).await.assert_status(202);
}

fn ids(requests: &[testkit::receiver::Received]) -> Vec<String> {
    requests.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect()
}

testkit::engines! {
    /// The number in the header shows a gap; poll fills it by number, whatever became of the deliveries.
    async fn a_receiver_fills_a_gap_by_number(world: World) {
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let hook = json!({"url": receiver.url("/"), "events": ["lead.created"], "retryConfig": {"maxRetries": 0}});
        let webhook = tenant.webhook_with(hook).await.id;
        // The second one is lost.
        receiver.script([Answer::status(204), Answer::status(500)]);
        for n in 1..=4 {
            publish(&tenant, &format!("e{n}")).await;
            received(&receiver, n).await;
        }
        let came = receiver.requests();
        let number = |id: &str| came.iter().find(|one| one.header("webhook-id") == Some(id)).unwrap().header("webhook-sequence").unwrap();
        assert_eq!((number("e1"), number("e2"), number("e4")), ("1", "2", "4"));
        let partner = tenant.key().await.http;
        let path = |after: &str, limit: u32| format!("/api/v1/events/poll?webhook={webhook}&afterSequence={after}&limit={limit}");
        let filled = partner.get(&path(number("e1"), 2)).await.expect(200).json();
        let found: Vec<_> = rows(&filled).iter().map(|row| (row["sequence"].as_i64().unwrap(), text(&row["id"]))).collect();
        assert_eq!((found, &filled["hasMore"]), (vec![(2, "e2".into()), (3, "e3".into())], &json!(true)));
        assert_eq!(rows(&filled)[0]["data"]["leadId"], "e2");
        let rest = partner.get(&path("3", 100)).await.expect(200).json();
        assert_eq!((rows(&rest).len(), &rest["hasMore"]), (1, &json!(false)));
        // What is replayed is read again.
        // On PostgreSQL whatever else runs in the cluster may hold readers up for a moment.
        let four = || async {
            let page = partner.get("/api/v1/events/poll?consumer=replays&eventTypes=lead.*&waitSeconds=1").await.expect(200).json();
            (rows(&page).len() == 4).then_some(page)
        };
        let all = testkit::wait::until("all four can be read", std::time::Duration::from_secs(30), four).await;
        let acknowledge = format!("/api/v1/events/poll?consumer=replays&eventTypes=lead.*&waitSeconds=20&cursor={}", text(&all["cursor"]));
        tenant.host.post("/api/v1/events/e1/replay", &json!({})).await.assert_status(202);
        let again = partner.get(&acknowledge).await.expect(200).json();
        assert_eq!((rows(&all).len(), rows(&again).len(), text(&rows(&again)[0]["id"])), (4, 1, "e1".to_owned()));
        let stranger = world.tenant("Other").await.key().await.http;
        stranger.get(&path("0", 10)).await.assert_problem(404, "not_found");
        partner.get(&format!("/api/v1/events/poll?webhook={webhook}")).await.assert_problem(422, "validation_failed");
        tenant.key_scoped(&[]).await.http.get("/api/v1/events/poll").await.assert_problem(403, "insufficient_scope");
    }

    /// Over plain HTTP: messages as they are committed, and an end when the server is told to stop, without waiting for the client.
    async fn a_stream_ends_when_the_server_stops(mut world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let stream = TcpStream::connect(world.server.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let head = format!("GET /api/v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", key.token);
        writer.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut until = |part: &str| {
            let mut all = String::new();
            while !all.contains(part) {
                let mut line = String::new();
                assert!(reader.read_line(&mut line).unwrap() > 0, "the stream ended before {part}: {all}");
                all.push_str(&line);
            }
            all
        };
        let head = until("id: ").to_lowercase();
        assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
        publish(&tenant, "e1").await;
        assert!(until("\"id\":\"e1\"").contains("event: lead.created"));
        let begun = Instant::now();
        assert!(world.server.terminate().success());
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("come back"), "{rest}");
    }

    /// Signed in the product's form; what is not answered 2xx comes again; neither a killed listener nor a killed server loses an event.
    async fn listen_forwards_and_loses_nothing(mut world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let mut receiver = Receiver::start();
        publish(&tenant, "before").await;
        let mut running = listen(&world, &key, &receiver, &[]);
        let secret = running.wait_for("signing with whsec_");
        let secret = secret.split_whitespace().find(|word| word.starts_with("whsec_")).unwrap().to_owned();
        running.wait_for("listening to");
        // A new consumer begins with what comes, once it has polled.
        wait::until("the consumer", SOON, async || {
            let list = key.http.get("/api/v1/event-consumers").await.expect(200).json();
            (!rows(&list).is_empty()).then_some(())
        }).await;
        receiver.script([Answer::status(500)]);
        publish(&tenant, "e1").await;
        running.wait_for("500");
        running.wait_for("204");
        let came = received(&receiver, 2).await;
        assert_eq!(ids(&came), ["e1", "e1"]);
        assert_signed(&came[1], &secret);
        assert_signed_legacy(&came[1], "x-webhook-signature", &secret);
        assert_eq!((&came[1].json()["eventType"], &came[1].json()["data"]["leadId"]), (&json!("lead.created"), &json!("e1")));
        // Killed before it can acknowledge anything more: what comes meanwhile waits for the next one.
        running.stop(Signal::KILL);
        publish(&tenant, "e2").await;
        receiver.take();
        let mut running = listen(&world, &key, &receiver, &["--secret", &secret]);
        running.wait_for("e2");
        // The server goes away and comes back; so does the receiver.
        world.server.kill9();
        running.wait_for("no connection");
        receiver.stop();
        world.server.restart();
        publish(&tenant, "e3").await;
        running.wait_for("connected again");
        running.wait_for("---");
        receiver.restart();
        running.wait_for("204");
        running.stop(Signal::TERM);
        let all = ids(&receiver.requests());
        assert!(all.ends_with(&["e2".to_owned(), "e3".to_owned()]) && !all.contains(&"before".to_owned()), "{all:?}");
        publish(&tenant, "e4").await;
        receiver.take();
        let mut running = listen(&world, &key, &receiver, &["--secret", &secret]);
        running.wait_for("e4");
        assert_eq!(ids(&receiver.requests()), ["e4"], "the last acknowledgement arrived");
        running.stop(Signal::TERM);
    }
}

/// Files of what was forwarded, and the same again with the time and the signature of now.
#[test]
fn listen_records_and_replays() {
    engine::run(Engine::sqlite(), async |world: World| {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        for id in ["e1", "e2"] {
            publish(&tenant, id).await;
        }
        let dir = world.server.settings().data_dir().join("recorded");
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
        let place = dir.to_string_lossy().into_owned();
        receiver.script([Answer::status(500)]);
        let more = ["--secret", secret, "--from-start", "--no-retry", "--record", &place];
        let mut running = listen(&world, &key, &receiver, &more);
        running.wait_for("500");
        running.wait_for("204");
        running.stop(Signal::TERM);
        assert_eq!(ids(&receiver.take()), ["e1", "e2"], "a failed one is passed over");
        let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let first: Value = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
        assert_eq!((&first["id"], &first["headers"]["webhook-id"]), (&json!("e1"), &json!("e1")));
        assert!(!std::fs::read_to_string(&files[0]).unwrap().contains(&key.token), "no credential in files");
        let forward = receiver.url("/again");
        let replay = |from: &str| world.server.settings().run(&["listen", "--forward", &forward, "--secret", secret, "--replay", from]);
        let output = replay(&place);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let again = receiver.take();
        assert_eq!(ids(&again), ["e1", "e2"]);
        assert_signed(&again[0], secret);
        assert_signed_legacy(&again[0], "x-webhook-signature", secret);
        receiver.answer(Answer::status(500));
        assert_eq!(replay(&files[1].to_string_lossy()).status.code(), Some(1));
        assert_eq!(ids(&receiver.take()), ["e2"]);
        // A refusal is no reason to try for ever.
        let base = world.server.base();
        let refused = world.server.settings().run(&["listen", "--server", &base, "--key", "nonsense", "--forward", &forward]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("401"), "{}", String::from_utf8_lossy(&refused.stderr));
    });
}

/// By its exit code: 0 for a receiver that verifies, 1 for one that takes everything, and the guard holds in production.
#[test]
fn certify_says_what_is_wrong_by_its_exit_code() {
    engine::run(Engine::sqlite(), async |world: World| {
        let receiver = Receiver::start();
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
        let url = receiver.url("/");
        let run = |more: &[&str]| {
            let output = world.server.settings().run(&[&["certify", &url, "--secret", secret][..], more].concat());
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let (code, table, _) = run(&[]);
        assert_eq!(code, Some(1), "{table}");
        assert!(table.contains("FAIL  wrong-signature") && table.contains("pass  good") && table.contains("not certified"), "{table}");
        assert_signed(&receiver.requests()[0], secret);
        let (code, json, _) = run(&["--format", "json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((code, &report["passed"]), (Some(1), &json!(false)));
        assert!(
            report["findings"].as_array().unwrap().iter().any(|found| found["check"] == "old-timestamp" && found["status"] == "failed")
        );
        receiver.take();
        let production = world.server.settings().clone().set("TRADEWIND_ENV", "production").unset("TRADEWIND_ALLOW_NETWORKS");
        let output = production.run(&["certify", &url, "--secret", secret]);
        assert_eq!((output.status.code(), receiver.count()), (Some(1), 0), "nothing was sent");
        let output = production.run(&["certify", &url, "--secret", secret, "--local"]);
        assert!(output.status.code() == Some(1) && receiver.count() > 10);
    });
}
