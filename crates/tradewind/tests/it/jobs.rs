//! Jobs from outside: the whole way of a call of `call-coaching`, and workers and servers that are killed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use call_worker::{Settings as WorkerSettings, Worker};
use kernel::Ambient;
use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::Receiver;
use testkit::{Bed, Engine, wait};

use crate::world::{SOON, World, assert_signed, text};

/// `call-coaching`.
struct Coaching(World);

impl Bed for Coaching {
    async fn open(engine: Engine) -> Self {
        Self(World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", "call-coaching")))
    }
}

/// A product that has one kind of work, with short leases.
struct Works(World);

const WORKS: &str = r#"
name = "works"
default_tier = "basic"
[product]
title = "Works"
[[tiers]]
name = "basic"
[[resources]]
name = "thing"
plural = "things"
schema = { type = "object", properties = { name = { type = "string" } } }
[[jobs]]
name = "work"
input = { type = "object" }
lease_seconds = 1
"#;

impl Bed for Works {
    async fn open(engine: Engine) -> Self {
        let file = engine.data_dir().join("works.toml");
        std::fs::write(&file, WORKS).unwrap();
        Self(World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", file.to_str().unwrap())))
    }
}

const TALK: &str = "Agent: Good morning Dana, is this a good time?\nDana: Yes, thank you.\nAgent: What is your budget, and what does it cost you today?\nDana: Um, the price is fine. That sounds wonderful!";

testkit::engines! {
    /// Submitted, analysed by the example worker, seen by polling and by webhook, and kept with the call.
    async fn a_call_is_analysed(world: Coaching) {
        let Coaching(world) = world;
        let partner = world.tenant("Ours").await;
        let stranger = world.tenant("Theirs").await.key().await.http;
        let (key, receiver) = (partner.key().await.http, Receiver::start());
        let (company, agent) = company_and_agent(&key).await;
        let body = json!({"companyId": company, "agentId": agent, "transcript": TALK, "callType": "discovery", "metadata": {"crm": 7}, "webhookUrl": receiver.url("/done")});
        let started = key.post("/api/partner/v1/calls/analyze", &body).await.expect(202);
        let location = started.header("location").unwrap().to_owned();
        let started = started.json();
        let (id, status) = (text(&started["jobId"]), text(&started["statusUrl"]));
        assert_eq!((location, status.clone()), (status.clone(), format!("/api/partner/v1/jobs/{id}/status")));
        assert_eq!((&started["type"], &started["status"]), (&json!("call.analyze"), &json!("pending")));
        let call = text(&started["callId"]);
        assert_eq!(key.get(&format!("/api/partner/v1/calls/{call}")).await.expect(200).json()["status"], "pending");
        stranger.get(&status).await.assert_problem(404, "not_found");
        key.get(&format!("/api/partner/v1/simulations/jobs/{id}")).await.assert_problem(404, "not_found");
        let worker = worker(&world);
        let done = ended(&key, &status).await;
        assert_eq!((&done["status"], &done["progress"]), (&json!("completed"), &json!(100)));
        assert_eq!((&done["result"]["questions"], done["error"].is_null()), (&json!(2), true));
        let kept = key.get(&format!("/api/partner/v1/calls/{call}")).await.expect(200).json();
        assert_eq!((&kept["status"], &kept["analysis"]["score"], &kept["jobId"]), (&json!("completed"), &done["result"]["score"], &json!(id)));
        assert!(kept["analysis"]["topics"].as_array().unwrap().contains(&json!("pricing")), "{kept}");
        let got = receiver.wait_for(1, SOON).await.remove(0);
        assert_eq!((&got.json()["type"], &got.json()["data"]["jobId"]), (&json!("call.analyzed"), &json!(id)));
        assert_signed(&got, &text(&started["webhookSecret"]));
        drop(worker);
    }

    /// A practice call, and a call that no worker can read.
    async fn a_practice_call_and_a_call_that_cannot_be_read(world: Coaching) {
        let Coaching(world) = world;
        let key = world.tenant("Ours").await.key().await.http;
        let _worker = worker(&world);
        let trigger = json!({"scenario": "The customer worries about price", "difficulty": "hard"});
        let started = key.post("/api/partner/v1/simulations/trigger", &trigger).await.expect(202).json();
        let path = text(&started["statusUrl"]);
        assert!(path.starts_with("/api/partner/v1/simulations/jobs/"), "{path}");
        let done = ended(&key, &path).await;
        assert_eq!((&done["status"], &done["result"]["objections"][0]), (&json!("completed"), &json!("price")));
        let (company, agent) = company_and_agent(&key).await;
        let unreadable = json!({"companyId": company, "agentId": agent, "recordingUrl": "https://example.com/call.mp3"});
        let started = key.post("/api/partner/v1/calls/analyze", &unreadable).await.expect(202).json();
        let failed = ended(&key, &text(&started["statusUrl"])).await;
        assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("no_transcript")));
        for (body, place) in [
            (json!({"companyId": company, "agentId": agent}), ""),
            (json!({"agentId": agent, "transcript": "Agent: Hi."}), "/companyId"),
            (json!({"companyId": company, "agentId": agent, "transcript": "Agent: Hi.", "nonsense": 1}), "/nonsense"),
        ] {
            let refused = key.post("/api/partner/v1/calls/analyze", &body).await;
            refused.assert_problem(422, "validation_failed");
            assert_eq!(refused.json()["errors"][0]["pointer"], place, "{body}");
        }
    }

    /// Workers die and the server is killed: every job that was accepted is completed, once; progress never goes back.
    async fn prove_jobs_outlive_workers_and_servers(world: Works) {
        let Works(mut world) = world;
        let (count, kills) = if std::env::var("TRADEWIND_FULL").is_ok() { (5000, 40) } else { (60, 1) };
        let tenant = world.tenant("Ours").await;
        let (host, operator) = (tenant.host.clone(), world.operator.clone());
        let seen = Arc::new(Seen::default());
        let queueing = tokio::spawn(queue(host.clone(), count, Arc::clone(&seen)));
        let workers: Vec<_> = (0..4).map(|_| tokio::spawn(live(operator.clone(), Arc::clone(&seen)))).collect();
        let watching = tokio::spawn(watch(host.clone(), Arc::clone(&seen)));
        for kill in 1..=kills {
            let share = count * kill / (kills + 1);
            wait::until("a share of the jobs", SOON * 6, async || (seen.told.lock().unwrap().len() >= share).then_some(())).await;
            world.server.kill9();
            world.server.restart();
        }
        queueing.await.unwrap();
        wait::until("the jobs to end", SOON * 30, || async { (completed(&host).await.len() == count).then_some(()) }).await;
        seen.stop.store(true, Ordering::SeqCst);
        for task in workers.into_iter().chain([watching]) {
            task.await.unwrap();
        }
        assert_eq!(seen.accepted.lock().unwrap().len(), count, "every job was accepted, once");
        assert_eq!(completed(&host).await, *seen.accepted.lock().unwrap());
        let events = completions(&host).await;
        assert_eq!(events.len(), count, "each has one event");
        assert_eq!(events.into_iter().collect::<HashSet<_>>().len(), count);
        assert!(seen.died.load(Ordering::SeqCst) > 0, "some workers died");
    }
}

/// What was accepted, and what workers and readers saw.
#[derive(Default)]
struct Seen {
    accepted: Mutex<HashSet<String>>,
    told: Mutex<HashSet<String>>,
    died: AtomicUsize,
    stop: AtomicBool,
}

/// Queues jobs; one whose answer was lost is asked for again under the same key.
async fn queue(host: Client, count: usize, seen: Arc<Seen>) {
    for n in 0..count {
        let keyed = host.with("idempotency-key", &format!("job-{n}"));
        let body = json!({"type": "work", "input": {"n": n}});
        let job = insist(&keyed, "/api/v1/jobs", &body, &[202]).await;
        seen.accepted.lock().unwrap().insert(text(&job["id"]));
    }
}

/// The answer, however often the server has to be asked.
async fn insist(client: &Client, path: &str, body: &Value, statuses: &[u16]) -> Value {
    wait::until(path, SOON * 3, || async {
        let answer = client.request(http::Method::POST, path).json(body).try_send().await.ok()?;
        let status = answer.status.as_u16();
        // Another attempt with the key is still under way, or the server goes down.
        if status == 503 || status == 409 && !statuses.contains(&409) {
            return None;
        }
        assert!(statuses.contains(&status), "{path}: {status} {}", answer.text());
        Some(answer.json())
    })
    .await
}

/// A worker after another: each works until it dies, which it does at every fourth job or so.
async fn live(operator: Client, seen: Arc<Seen>) {
    let chance = Ambient::system();
    while !seen.stop.load(Ordering::SeqCst) {
        let leased = insist(&operator, "/api/v1/jobs/lease", &json!({"types": ["work"], "max": 3, "waitSeconds": 1}), &[200]).await;
        for job in leased["data"].as_array().unwrap() {
            let (id, token) = (text(&job["id"]), &job["leaseToken"]);
            let beat = json!({"leaseToken": token, "progress": chance.below(100)});
            insist(&operator, &format!("/api/v1/jobs/{id}/heartbeat"), &beat, &[200, 409]).await;
            if chance.below(4) == 0 {
                seen.died.fetch_add(1, Ordering::SeqCst);
                break;
            }
            let done = json!({"leaseToken": token, "result": {"by": token}});
            let told = insist(&operator, &format!("/api/v1/jobs/{id}/complete"), &done, &[200, 409]).await;
            if told["status"] == "completed" {
                assert_eq!(told["result"]["by"].as_str().unwrap_or(token.as_str().unwrap()), token.as_str().unwrap());
                seen.told.lock().unwrap().insert(id);
            } else {
                assert_eq!(told["code"], "lease_lost");
            }
        }
    }
}

/// Whoever reads a job again and again sees its progress grow, and no job that has ended begin again.
async fn watch(host: Client, seen: Arc<Seen>) {
    let mut before: HashMap<String, (i64, bool)> = HashMap::new();
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(100));
    while !seen.stop.load(Ordering::SeqCst) {
        looks.tick().await;
        let Ok(list) = host.request(http::Method::GET, "/api/v1/jobs?limit=100").try_send().await else { continue };
        if list.status != 200 {
            continue;
        }
        for job in list.json()["data"].as_array().unwrap() {
            let now = (job["progress"].as_i64().unwrap(), !job["completedAt"].is_null());
            let (progress, ended) = before.insert(text(&job["id"]), now).unwrap_or((0, false));
            assert!(now.0 >= progress && (now.1 || !ended), "{job}");
        }
    }
}

async fn completed(host: &Client) -> HashSet<String> {
    all(host, "/api/v1/jobs?status=completed").await.iter().map(|job| text(&job["id"])).collect()
}

/// The jobs that events tell of.
async fn completions(host: &Client) -> Vec<String> {
    let events = all(host, "/api/v1/events?type=job.completed").await;
    events.iter().map(|event| text(&event["data"]["jobId"])).collect()
}

async fn all(host: &Client, path: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), String::new());
    loop {
        let Ok(answer) = host.request(http::Method::GET, &format!("{path}&limit=100{next}")).try_send().await else { return rows };
        let page = answer.expect(200).json();
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["pagination"]["nextCursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return rows,
        }
    }
}

async fn company_and_agent(key: &Client) -> (String, String) {
    let company = text(&key.post("/api/partner/v1/companies/create", &json!({"name": "Acme"})).await.expect(201).json()["id"]);
    let path = format!("/api/partner/v1/companies/{company}/agents/create");
    let agent = text(&key.post(&path, &json!({"name": "Alex"})).await.expect(201).json()["id"]);
    (company, agent)
}

fn worker(world: &World) -> Worker {
    let mut settings = WorkerSettings::new(&world.server.base(), &world.service_key);
    settings.wait_seconds = 1;
    Worker::start(&settings)
}

async fn ended(key: &Client, path: &str) -> Value {
    wait::until("the job to end", SOON, || async {
        let job = key.get(path).await.expect(200).json();
        (!job["completedAt"].is_null()).then_some(job)
    })
    .await
}
