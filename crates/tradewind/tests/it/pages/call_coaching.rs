//! The page of call-coaching. Left to later work: the admin interface and its Hebrew form (what it shows is replayed by the routes beneath it).
//! Shown elsewhere: limits across servers (`limits`), maintenance (`operating`), the Postman collection and the example clients (tests of their
//! own), GraphQL.

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::receiver::Receiver;
use testkit::{Bed, Engine, wait};

use super::{assert_has, assert_points, key_of, native_rows, part, replay, serve};
use crate::world::{SOON, Tenant, World, assert_signed, received, rows, text};

struct Coaching(World);

impl Bed for Coaching {
    async fn open(engine: Engine) -> Self {
        Self(serve(engine, "call-coaching"))
    }
}

const API: &str = "/api/partner/v1";
const TALK: &str = "Agent: Hello, how are you today?\nCustomer: Fine, what does it cost?\nAgent: Um, it is 20 a month.";

testkit::engines! {
    async fn the_page_holds(coaching: Coaching) {
        let world = &coaching.0;
        replay(vec![
            part("dual authentication", dual_authentication(world)),
            part("limits and allow-lists", limits(world)),
            part("scopes", scopes(world)),
            part("idempotency", idempotency(world)),
            part("companies", companies(world)),
            part("agents", agents(world)),
            part("POST /calls/analyze", submit(world)),
            part("GET /jobs/{id}/status", job_status(world)),
            part("a job's webhook", job_webhook(world)),
            part("a dead worker", dead_worker(world)),
            part("GET /calls, /calls/{id}", calls(world)),
            part("insights, statistics, performance", figures(world)),
            part("simulations", simulations(world)),
            part("batch", batch(world)),
            part("export", export(world)),
            part("monitoring and admin", monitoring(world)),
            part("someone else's", strangers(world)),
        ])
        .await;
    }
}

/// A partner with a key that may do everything.
struct Partner {
    tenant: Tenant,
    http: Client,
}

impl Partner {
    async fn new(world: &World, name: &str) -> Self {
        let tenant = world.tenant(name).await;
        let http = key_of(&tenant, &world.server.client(), json!({})).await.0;
        Self { tenant, http }
    }

    async fn get(&self, path: &str) -> Response {
        self.http.get(&format!("{API}{path}")).await
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.http.post(&format!("{API}{path}"), &body).await
    }

    async fn company(&self, name: &str) -> String {
        text(&self.post("/companies/create", json!({"name": name})).await.expect(201).json()["id"])
    }

    async fn agent(&self, company: &str, name: &str) -> String {
        text(&self.post(&format!("/companies/{company}/agents/create"), json!({"name": name})).await.expect(201).json()["id"])
    }

    /// A company and an agent of it.
    async fn team(&self) -> (String, String) {
        let company = self.company("Northwind").await;
        let agent = self.agent(&company, "Dana").await;
        (company, agent)
    }

    async fn submitted(&self, body: Value) -> String {
        text(&self.post("/calls/analyze", body).await.expect(202).json()["jobId"])
    }

    async fn status(&self, job: &str) -> Value {
        self.get(&format!("/jobs/{job}/status")).await.expect(200).json()
    }

    /// What a worker of the host leases for this tenant.
    async fn leased(&self, kind: &str) -> Value {
        wait::until("a job to lease", SOON, async || {
            let leased =
                self.tenant.host.post("/api/v1/jobs/lease", &json!({"types": [kind], "max": 1, "waitSeconds": 5})).await.expect(200).json();
            leased["data"].get(0).cloned()
        })
        .await
    }

    async fn complete(&self, lease: &Value, result: Value) -> Response {
        let path = format!("/api/v1/jobs/{}/complete", text(&lease["id"]));
        self.tenant.host.post(&path, &json!({"leaseToken": lease["leaseToken"], "result": result})).await
    }

    /// A call that was submitted and analysed.
    async fn analysed(&self, (company, agent): &(String, String), call_type: &str, score: f64) -> String {
        let job = self.submitted(json!({"companyId": company, "agentId": agent, "transcript": TALK, "callType": call_type})).await;
        let lease = self.leased("call.analyze").await;
        self.complete(&lease, analysis(score)).await.assert_status(200);
        job
    }
}

fn analysis(score: f64) -> Value {
    json!({
        "score": score, "talkRatio": 0.6, "longestMonologueSeconds": 42.5, "questions": 3, "interruptions": 1, "fillerWords": 2, "sentiment": 0.25,
        "topics": ["price", "support"],
    })
}

async fn dual_authentication(world: &World) {
    let tenant = world.tenant("Acme, dual authentication").await;
    let anyone = world.server.client();
    let (key, made) = key_of(&tenant, &anyone, json!({})).await;
    assert!(made["secret"].is_string() && made["key"].is_string(), "both are shown, this once: {made}");
    let health = key.get(&format!("{API}/health")).await.expect(200);
    assert!(health.json().is_object(), "{}", health.text());
    let shown = tenant.host.get(&format!("/api/v1/api-keys/{}", text(&made["id"]))).await.expect(200).text();
    assert!(!shown.contains(&text(&made["secret"])) && !shown.contains(&text(&made["key"])), "{shown}");
    let token = anyone.bearer(&text(&made["key"]));
    for (who, client) in [
        ("without the secret", token.clone()),
        ("with another secret", token.with("x-api-secret", "wrong")),
        ("without the key", anyone.with("x-api-secret", &text(&made["secret"]))),
    ] {
        for path in ["/health", "/companies/x", "/calls"] {
            let refused = client.get(&format!("{API}{path}")).await;
            assert_eq!(refused.status, 401, "{who}: {}", refused.text());
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        }
    }
}

async fn limits(world: &World) {
    let tenant = world.tenant("Acme, limits").await;
    let anyone = world.server.client();
    let (key, _) = key_of(&tenant, &anyone, json!({"rateLimitOverride": null})).await;
    let first = key.get(&format!("{API}/health")).await.expect(200);
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), (Some("1000"), Some("999")), "1000 a minute");
    let (narrow, _) = key_of(&tenant, &anyone, json!({"rateLimitOverride": 2})).await;
    narrow.get(&format!("{API}/health")).await.assert_status(200);
    narrow.get(&format!("{API}/health")).await.assert_status(200);
    let over = narrow.get(&format!("{API}/health")).await;
    over.assert_problem(429, "rate_limited");
    assert!(over.header("retry-after").is_some());
    let (here, _) = key_of(&tenant, &anyone, json!({"allowedIps": ["203.0.113.7", "127.0.0.0/8"]})).await;
    here.get(&format!("{API}/health")).await.assert_status(200);
    let (elsewhere, _) = key_of(&tenant, &anyone, json!({"allowedIps": ["203.0.113.7", "198.51.100.0/24"]})).await;
    elsewhere.get(&format!("{API}/health")).await.assert_problem(403, "ip_not_allowed");
}

/// Each route needs its scope, and no other opens it.
async fn scopes(world: &World) {
    let partner = Partner::new(world, "Acme, scopes").await;
    let team = partner.team().await;
    let job = partner.analysed(&team, "demo", 80.0).await;
    let call = text(&rows(&partner.get("/calls").await.expect(200).json())[0]["id"]);
    let (company, agent) = team;
    let simulation = text(&partner.post("/simulations/trigger", json!({"agentId": agent})).await.expect(202).json()["jobId"]);
    let all = [
        "companies:read",
        "companies:write",
        "agents:read",
        "agents:write",
        "calls:read",
        "calls:write",
        "jobs:read",
        "analytics:read",
        "simulations:read",
        "simulations:write",
    ];
    let declared = partner.tenant.host.get("/api/v1/scopes").await.expect(200).json();
    let names: Vec<String> = rows(&declared).iter().map(|scope| text(&scope["name"])).collect();
    assert!(all.iter().all(|scope| names.iter().any(|name| name == scope)), "{names:?}");
    let body = json!({"name": "X", "companyId": company, "agentId": agent, "transcript": TALK});
    for (method, path, scope) in [
        ("GET", format!("/companies/{company}"), "companies:read"),
        ("POST", "/companies/create".to_owned(), "companies:write"),
        ("PUT", format!("/companies/{company}/questionnaire"), "companies:write"),
        ("POST", format!("/companies/{company}/agents/create"), "agents:write"),
        ("GET", format!("/companies/{company}/agents"), "agents:read"),
        ("POST", "/calls/analyze".to_owned(), "calls:write"),
        ("GET", format!("/jobs/{job}/status"), "jobs:read"),
        ("GET", "/calls".to_owned(), "calls:read"),
        ("GET", format!("/calls/{call}"), "calls:read"),
        ("GET", "/insights".to_owned(), "analytics:read"),
        ("GET", "/statistics".to_owned(), "analytics:read"),
        ("GET", format!("/agents/{agent}/performance"), "analytics:read"),
        ("POST", "/simulations/trigger".to_owned(), "simulations:write"),
        ("GET", format!("/simulations/jobs/{simulation}"), "simulations:read"),
    ] {
        let others: Vec<&str> = all.iter().copied().filter(|one| *one != scope).collect();
        for (held, refused) in [(vec![scope], false), (others, true)] {
            let key = key_of(&partner.tenant, &world.server.client(), json!({"scopes": held})).await.0;
            let request = key.request(method.parse().unwrap(), &format!("{API}{path}"));
            let answer = if method == "GET" { request.send().await } else { request.json(&body).send().await };
            let is_refused = answer.status == 403;
            assert_eq!(is_refused, refused, "{method} {path} with {held:?}: {} {}", answer.status, answer.text());
            if refused {
                answer.assert_problem(403, "insufficient_scope");
            }
        }
    }
}

async fn idempotency(world: &World) {
    let partner = Partner::new(world, "Acme, idempotency").await;
    let (company, agent) = partner.team().await;
    for (n, (method, path, body)) in [
        ("POST", "/companies/create".to_owned(), json!({"name": "Once"})),
        ("PUT", format!("/companies/{company}/questionnaire"), json!({"size": "small"})),
        ("POST", format!("/companies/{company}/agents/create"), json!({"name": "Once"})),
        ("POST", "/calls/analyze".to_owned(), json!({"companyId": company, "agentId": agent, "transcript": TALK})),
        ("POST", "/simulations/trigger".to_owned(), json!({"agentId": agent})),
    ]
    .into_iter()
    .enumerate()
    {
        let key = partner.http.with("idempotency-key", &format!("7f0c2a52-0000-4000-8000-00000000000{n}"));
        let send = async |body: &Value| key.request(method.parse().unwrap(), &format!("{API}{path}")).json(body).send().await;
        let (first, again) = (send(&body).await, send(&body).await);
        assert!(first.status.is_success(), "{method} {path}: {}", first.text());
        assert_eq!((first.status, first.json()), (again.status, again.json()), "{method} {path}");
        assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")), "{method} {path}");
        send(&json!({"name": "Another", "other": true})).await.assert_problem(422, "idempotency_key_reused");
    }
    let agents = partner.get(&format!("/companies/{company}/agents")).await.expect(200).json();
    assert_eq!(agents["pagination"]["total"], 2, "the repeat did nothing twice");
}

async fn companies(world: &World) {
    let partner = Partner::new(world, "Acme, companies").await;
    let made = partner.post("/companies/create", json!({"name": "Northwind", "industry": "Trade"})).await.expect(201);
    let company = made.json();
    assert_has(&company, &["id", "name", "createdAt"]);
    let at = made.header("location").unwrap_or_default().to_owned();
    assert_eq!(at, format!("{API}/companies/{}", text(&company["id"])));
    assert_eq!(partner.http.get(&at).await.expect(200).json(), company, "plain bodies, camelCase");
    assert_points(&partner.post("/companies/create", json!({})).await, 422, "/name");
    assert_points(&partner.post("/companies/create", json!({"name": "A", "colour": 1})).await, 422, "/colour");
    assert_points(&partner.post("/companies/create", json!({"name": 1})).await, 422, "/name");
    partner
        .http
        .request("POST".parse().unwrap(), &format!("{API}/companies/create"))
        .body("application/json", "{")
        .send()
        .await
        .assert_status(400);
    partner
        .http
        .request("POST".parse().unwrap(), &format!("{API}/companies/create"))
        .body("text/plain", "{}")
        .send()
        .await
        .assert_status(415);
    let path = format!("{API}/companies/{}/questionnaire", text(&company["id"]));
    let nested = json!({"team": {"size": 12, "tools": ["phone", "crm"]}, "goals": [{"name": "close", "weight": 0.5}]});
    let put = partner.http.put(&path, &nested).await.expect(200);
    assert!(put.text().contains("\"tools\""), "{}", put.text());
    assert_eq!(partner.http.get(&at).await.expect(200).json()["questionnaire"], nested);
    partner.http.put(&path, &json!({"other": true})).await.assert_status(200);
    assert_eq!(partner.http.get(&at).await.expect(200).json()["questionnaire"], json!({"other": true}), "replaced, not merged");
    for id in ["rec_00000000000000000000000000", "x", "..%2fagents"] {
        partner.get(&format!("/companies/{id}")).await.assert_problem(404, "not_found");
        partner.http.put(&format!("{API}/companies/{id}/questionnaire"), &nested).await.assert_problem(404, "not_found");
    }
}

async fn agents(world: &World) {
    let partner = Partner::new(world, "Acme, agents").await;
    let (one, other) = (partner.company("One").await, partner.company("Other").await);
    let made = partner
        .post(&format!("/companies/{one}/agents/create"), json!({"name": "Dana", "email": "dana@example.com"}))
        .await
        .expect(201)
        .json();
    assert_has(&made, &["id", "name", "companyId", "createdAt"]);
    assert_eq!(made["companyId"], json!(one));
    partner.agent(&other, "Elsewhere").await;
    partner.agent(&one, "Eli").await;
    let listed = partner.get(&format!("/companies/{one}/agents")).await;
    let names: Vec<String> = native_rows(&listed).iter().map(|agent| text(&agent["name"])).collect();
    assert_eq!(names, ["Eli", "Dana"], "of this company only, newest first");
    let part = partner.get(&format!("/companies/{one}/agents?limit=1")).await.json();
    let next = text(&part["pagination"]["nextCursor"]);
    assert_eq!(native_rows(&partner.get(&format!("/companies/{one}/agents?limit=1&cursor={next}")).await)[0]["name"], "Dana");
    assert_points(&partner.post(&format!("/companies/{one}/agents/create"), json!({"email": "x@example.com"})).await, 422, "/name");
    let nobody = "rec_00000000000000000000000000";
    partner.post(&format!("/companies/{nobody}/agents/create"), json!({"name": "X"})).await.assert_problem(404, "not_found");
    partner.get(&format!("/companies/{nobody}/agents")).await.assert_problem(404, "not_found");
}

async fn submit(world: &World) {
    let partner = Partner::new(world, "Acme, submit").await;
    let (company, agent) = partner.team().await;
    for source in [json!({"transcript": TALK}), json!({"recordingUrl": "https://example.com/call.mp3"})] {
        let mut body = json!({"companyId": company, "agentId": agent, "callType": "demo", "metadata": {"crm": {"id": 7}}});
        body.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        let answer = partner.post("/calls/analyze", body).await.expect(202).json();
        assert_has(&answer, &["jobId", "type", "status", "statusUrl"]);
        assert!(text(&answer["jobId"]).starts_with("job_"), "{answer}");
        assert_eq!(answer["status"], "pending");
        let path = text(&answer["statusUrl"]);
        let path = path.strip_prefix(&world.server.base()).unwrap_or(&path);
        assert_eq!(path, format!("{API}/jobs/{}/status", text(&answer["jobId"])));
        partner.http.get(path).await.assert_status(200);
    }
    for (body, pointer) in [
        (json!({"agentId": agent, "transcript": TALK}), "/companyId"),
        (json!({"companyId": company, "transcript": TALK}), "/agentId"),
        (json!({"companyId": company, "agentId": agent, "transcript": ""}), "/transcript"),
        (json!({"companyId": company, "agentId": agent, "transcript": TALK, "colour": 1}), "/colour"),
        (json!({"companyId": company, "agentId": agent, "recordingUrl": "no url"}), "/recordingUrl"),
        (json!({"companyId": company, "agentId": agent, "transcript": TALK, "metadata": "x"}), "/metadata"),
        (json!({"companyId": "rec_00000000000000000000000000", "agentId": agent, "transcript": TALK}), "/companyId"),
        (json!({"companyId": company, "agentId": "nobody", "transcript": TALK}), "/agentId"),
    ] {
        assert_points(&partner.post("/calls/analyze", body).await, 422, pointer);
    }
    partner.post("/calls/analyze", json!({"companyId": company, "agentId": agent})).await.assert_problem(422, "validation_failed");
}

async fn job_status(world: &World) {
    let partner = Partner::new(world, "Acme, job status").await;
    let (company, agent) = partner.team().await;
    let job = partner.submitted(json!({"companyId": company, "agentId": agent, "transcript": TALK})).await;
    let pending = partner.status(&job).await;
    assert_has(&pending, &["status", "progress", "createdAt"]);
    assert_eq!((&pending["status"], &pending["progress"]), (&json!("pending"), &json!(0)));
    let lease = partner.leased("call.analyze").await;
    assert_has(&lease, &["id", "type", "tenantId", "input", "attempt", "leaseToken", "leaseUntil"]);
    assert_eq!((&lease["id"], &lease["input"]["transcript"], &lease["attempt"]), (&json!(job), &json!(TALK), &json!(1)));
    let beat = |progress: i64| {
        let body = json!({"leaseToken": lease["leaseToken"], "progress": progress});
        let (host, path) = (partner.tenant.host.clone(), format!("/api/v1/jobs/{job}/heartbeat"));
        async move { host.post(&path, &body).await.assert_status(200) }
    };
    for (told, seen) in [(40, 40), (20, 40), (90, 90)] {
        beat(told).await;
        let status = partner.status(&job).await;
        assert_eq!((&status["status"], &status["progress"]), (&json!("processing"), &json!(seen)), "progress never runs backwards");
    }
    partner.complete(&lease, analysis(88.0)).await.assert_status(200);
    let done = partner.status(&job).await;
    assert_eq!((&done["status"], &done["progress"], &done["result"]["score"]), (&json!("completed"), &json!(100), &json!(88.0)));
    assert!(text(&done["completedAt"]) >= text(&done["createdAt"]));
    assert!(done["error"].is_null());
    // Failed for good: the reason is there.
    let other = partner.submitted(json!({"companyId": company, "agentId": agent, "transcript": TALK})).await;
    let lease = partner.leased("call.analyze").await;
    let fail =
        json!({"leaseToken": lease["leaseToken"], "error": {"code": "unreadable", "message": "The recording is silent."}, "retry": false});
    let failed = partner.tenant.host.post(&format!("/api/v1/jobs/{other}/fail"), &fail).await;
    assert_eq!(failed.status, 200, "{}", failed.text());
    let status = partner.status(&other).await;
    assert_eq!((&status["status"], &status["error"]["code"]), (&json!("failed"), &json!("unreadable")), "{status}");
    for id in ["job_00000000000000000000000000", "x"] {
        partner.get(&format!("/jobs/{id}/status")).await.assert_problem(404, "not_found");
    }
}

/// On completion and on failure: signed, with an id and a time against replay, and in the delivery log.
async fn job_webhook(world: &World) {
    let partner = Partner::new(world, "Acme, job webhook").await;
    let (company, agent) = partner.team().await;
    let receiver = Receiver::start();
    let everywhere = partner.tenant.webhook(&receiver.url("/all"), &["call.analyzed", "call.failed"]).await;
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let body =
        json!({"companyId": company, "agentId": agent, "transcript": TALK, "webhookUrl": receiver.url("/own"), "webhookSecret": secret});
    let job = partner.submitted(body).await;
    let lease = partner.leased("call.analyze").await;
    partner.complete(&lease, analysis(75.0)).await.assert_status(200);
    let came = received(&receiver, 2).await;
    for (path, secret) in [("/own", secret), ("/all", everywhere.secret.as_str())] {
        let request = came.iter().find(|request| request.path.ends_with(path)).unwrap_or_else(|| panic!("nothing came to {path}"));
        assert_signed(request, secret);
        let body = request.json();
        assert_eq!(body["type"], "call.analyzed");
        assert_eq!((&body["data"]["jobId"], &body["data"]["result"]["score"]), (&json!(job), &json!(75.0)), "{body}");
    }
    assert_points(
        &partner
            .post("/calls/analyze", json!({"companyId": company, "agentId": agent, "transcript": TALK, "webhookUrl": "nonsense"}))
            .await,
        422,
        "/webhookUrl",
    );
    let logged = wait::until("both deliveries in the log", SOON, async || {
        let list = partner.tenant.host.get("/api/v1/deliveries").await.expect(200).json();
        let delivered = rows(&list).iter().filter(|row| row["eventType"] == "call.analyzed" && row["status"] == "delivered").count();
        (delivered == 2).then_some(())
    });
    logged.await;
}

/// A worker that dies loses no job: its lease runs out or is given up, and another gets it; a late answer of the first changes nothing.
async fn dead_worker(world: &World) {
    let partner = Partner::new(world, "Acme, dead worker").await;
    let (company, agent) = partner.team().await;
    let job = partner.submitted(json!({"companyId": company, "agentId": agent, "transcript": TALK})).await;
    let first = partner.leased("call.analyze").await;
    // It says that it cannot go on; the next one takes over.
    let fail = json!({"leaseToken": first["leaseToken"], "error": {"code": "killed", "message": "Stopped."}});
    partner.tenant.host.post(&format!("/api/v1/jobs/{job}/fail"), &fail).await.assert_status(200);
    assert_eq!(partner.status(&job).await["status"], "pending", "it is tried again");
    partner.complete(&first, analysis(1.0)).await.assert_status(409);
    let second = partner.leased("call.analyze").await;
    assert_eq!((&second["id"], &second["attempt"]), (&json!(job), &json!(2)));
    partner.complete(&second, analysis(99.0)).await.assert_status(200);
    assert_eq!(partner.status(&job).await["result"]["score"], 99.0);
}

async fn calls(world: &World) {
    let partner = Partner::new(world, "Acme, calls").await;
    let team = partner.team().await;
    partner.analysed(&team, "demo", 80.0).await;
    let job = partner
        .submitted(json!({"companyId": team.0, "agentId": team.1, "transcript": TALK, "callType": "support", "metadata": {"k": 1}}))
        .await;
    let listed = partner.get("/calls").await;
    let calls = native_rows(&listed);
    assert_eq!((calls.len(), &calls[0]["callType"], &calls[1]["callType"]), (2, &json!("support"), &json!("demo")));
    assert_eq!((&calls[0]["status"], &calls[1]["status"]), (&json!("pending"), &json!("completed")));
    assert_eq!((&calls[1]["analysis"]["score"], &calls[1]["score"]), (&json!(80.0), &json!(80.0)), "with their analysis: {}", calls[1]);
    for (query, found) in [("?status=completed", 1), ("?callType=support", 1), ("?callType=other", 0), ("?search=COST", 2), ("?limit=1", 1)]
    {
        assert_eq!(native_rows(&partner.get(&format!("/calls{query}")).await).len(), found, "{query}");
    }
    assert_eq!(native_rows(&partner.get(&format!("/calls?agentId={}", team.1)).await).len(), 2);
    let one = partner.get(&format!("/calls/{}", text(&calls[0]["id"]))).await.expect(200).json();
    assert_has(&one, &["id", "companyId", "agentId", "transcript", "callType", "metadata", "status", "jobId", "createdAt"]);
    assert_eq!((&one["jobId"], &one["metadata"]), (&json!(job), &json!({"k": 1})));
    partner.get("/calls/rec_00000000000000000000000000").await.assert_problem(404, "not_found");
    assert_points(&partner.get("/calls?limit=0").await, 422, "/limit");
}

async fn figures(world: &World) {
    let partner = Partner::new(world, "Acme, figures").await;
    let (one, two) = (partner.team().await, partner.team().await);
    for (team, score) in [(&one, 60.0), (&one, 80.0), (&two, 100.0)] {
        partner.analysed(team, "demo", score).await;
    }
    partner.submitted(json!({"companyId": one.0, "agentId": one.1, "transcript": TALK})).await;
    let get = async |path: String| partner.get(&path).await.expect(200).json();
    let all = get("/insights".to_owned()).await.to_string();
    assert!(all.contains("price"), "the topics: {all}");
    let insights = |body: &Value| {
        let figures = if body["data"].is_object() { body["data"].clone() } else { body.clone() };
        (figures["calls"].as_i64(), figures["averageScore"].as_f64())
    };
    for (query, calls, score) in
        [(String::new(), 3, 80.0), (format!("?companyId={}", one.0), 2, 70.0), (format!("?agentId={}", two.1), 1, 100.0)]
    {
        let body = get(format!("/insights{query}")).await;
        assert_eq!(insights(&body), (Some(calls), Some(score)), "{query}: {body}");
    }
    let statistics = get("/statistics?period=30d".to_owned()).await;
    let text_of = statistics.to_string();
    for name in ["totalCalls", "completedCalls", "failedCalls", "averageScore"] {
        assert!(text_of.contains(name), "{name} in {statistics}");
    }
    assert!(text_of.contains("\"totalCalls\":4") && text_of.contains("\"completedCalls\":3"), "{statistics}");
    let series = statistics["series"].as_array().or_else(|| statistics["data"]["series"].as_array());
    assert!(series.is_some_and(|buckets| !buckets.is_empty()), "trends over the period: {statistics}");
    let performance = get(format!("/agents/{}/performance", one.1)).await;
    assert!(performance.to_string().contains("averageScore"), "{performance}");
    let over_time = performance["series"].as_array().or_else(|| performance["data"]["series"].as_array());
    assert!(over_time.is_some_and(|buckets| !buckets.is_empty()), "scores over time: {performance}");
    partner.get("/agents/rec_00000000000000000000000000/performance").await.assert_problem(404, "not_found");
    partner.get("/statistics?period=never").await.assert_problem(422, "validation_failed");
}

async fn simulations(world: &World) {
    let partner = Partner::new(world, "Acme, simulations").await;
    let (company, agent) = partner.team().await;
    let body = json!({"companyId": company, "agentId": agent, "scenario": "A customer asks for a discount.", "difficulty": "hard"});
    let answer = partner.post("/simulations/trigger", body).await.expect(202).json();
    assert_has(&answer, &["jobId", "type", "status", "statusUrl"]);
    let job = text(&answer["jobId"]);
    let lease = partner.leased("simulation.run").await;
    assert_eq!(lease["input"]["difficulty"], "hard");
    partner.complete(&lease, json!({"turns": [{"speaker": "customer", "text": "Hello"}], "score": 55})).await.assert_status(200);
    let done = partner.get(&format!("/simulations/jobs/{job}")).await.expect(200).json();
    assert_eq!((&done["status"], &done["result"]["score"]), (&json!("completed"), &json!(55)), "{done}");
    // A job of another type is none of its own.
    let call = partner.submitted(json!({"companyId": company, "agentId": agent, "transcript": TALK})).await;
    partner.get(&format!("/simulations/jobs/{call}")).await.assert_problem(404, "not_found");
    assert_points(&partner.post("/simulations/trigger", json!({"difficulty": "absurd"})).await, 422, "/difficulty");
}

/// Several companies, agents or calls in one request, with a result for each.
async fn batch(world: &World) {
    let partner = Partner::new(world, "Acme, batch").await;
    let company = partner.company("Northwind").await;
    let send = async |kind: &str, items: Value| {
        partner.http.post(&format!("/api/v1/records/{kind}/batch"), &json!({"operations": items})).await.expect(200).json()
    };
    let made = send(
        "company",
        json!([{"op": "create", "data": {"name": "A"}}, {"op": "create", "data": {}}, {"op": "create", "data": {"name": "C"}}]),
    )
    .await;
    let statuses: Vec<&Value> = rows(&made).iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, [&json!(201), &json!(422), &json!(201)], "{made}");
    assert_eq!(made["data"][1]["error"]["code"], "validation_failed");
    let agents = send("agent", json!([{"op": "create", "data": {"name": "Dana", "companyId": company}}, {"op": "create", "data": {"name": "X", "companyId": "rec_00000000000000000000000000"}}])).await;
    assert_eq!((&agents["data"][0]["status"], agents["data"][1]["status"].as_u64() >= Some(400)), (&json!(201), true), "{agents}");
    let agent = text(&agents["data"][0]["id"]);
    let document = world.server.client().get("/docs/openapi.json").await.expect(200).json();
    let path = format!("{API}/calls/batch");
    assert!(document["paths"].get(&path).is_some(), "calls are submitted many at once too: no {path}");
    let one = json!({"companyId": company, "agentId": agent, "transcript": TALK});
    let calls = partner.http.post(&path, &json!({"operations": [{"data": one}, {"data": {"companyId": company}}]})).await;
    assert!(calls.status.is_success(), "{} {}", calls.status, calls.text());
    let calls = calls.json();
    assert!(rows(&calls).len() == 2 && calls["data"][0].to_string().contains("job_"), "{calls}");
    assert_eq!(calls["data"][1]["error"]["code"], "validation_failed");
}

/// Calls, insights and usage as CSV and NDJSON.
async fn export(world: &World) {
    let partner = Partner::new(world, "Acme, export").await;
    let team = partner.team().await;
    partner.analysed(&team, "=cmd|' /C calc'!A0", 80.0).await;
    let csv = partner.http.get("/api/v1/records/call/export?format=csv").await.expect(200);
    assert!(csv.header("content-type").unwrap_or_default().starts_with("text/csv"), "{:?}", csv.header("content-type"));
    let lines: Vec<String> = csv.text().lines().map(str::to_owned).collect();
    assert!(lines[0].contains("callType") && csv.text().contains("80"), "{}", csv.text());
    assert!(!csv.text().contains(",=cmd") && !csv.text().contains("\"=cmd"), "no formula for spreadsheets: {}", csv.text());
    let ndjson = partner.http.get("/api/v1/records/call/export?format=ndjson").await.expect(200);
    assert!(ndjson.header("content-type").unwrap_or_default().contains("ndjson"), "{:?}", ndjson.header("content-type"));
    let row: Value = serde_json::from_str(ndjson.text().lines().next().unwrap()).unwrap();
    assert_eq!(row["analysis"]["score"], 80.0);
    for format in ["csv", "ndjson"] {
        let usage = partner.tenant.host.get(&format!("/api/v1/usage/export?format={format}")).await;
        assert_eq!(usage.status, 200, "usage as {format}: {}", usage.text());
        let insights = partner.get(&format!("/insights?format={format}")).await;
        let media = insights.header("content-type").unwrap_or_default().to_owned();
        assert!(insights.status == 200 && media.contains(format), "insights as {format}: {} {media} {}", insights.status, insights.text());
        assert!(insights.text().contains("80"));
    }
}

/// Requests, webhook attempts and jobs are logged; keys are switched; usage can be asked for by partner.
async fn monitoring(world: &World) {
    let tenant = world.tenant("Acme, monitoring").await;
    let (key, made) = key_of(&tenant, &world.server.client(), json!({})).await;
    let key = key.with("user-agent", "replay/1");
    key.get(&format!("{API}/health")).await.assert_status(200);
    key.get(&format!("{API}/calls/x")).await.assert_status(404);
    let row = wait::until("the call in the log", SOON, async || {
        let logs = tenant.host.get(&format!("/api/v1/request-logs?endpoint={API}/health")).await.expect(200).json();
        rows(&logs).iter().find(|row| row["endpoint"] == format!("{API}/health")).cloned()
    })
    .await;
    assert_has(&row, &["ip", "userAgent", "status", "endpoint", "method"]);
    assert_eq!((&row["userAgent"], &row["status"]), (&json!("replay/1"), &json!(200)));
    let usage = wait::until("the usage of the partner", SOON, async || {
        let usage = tenant.host.get(&format!("/api/v1/api-clients/{}/usage", tenant.client)).await.expect(200).json();
        (usage["totalRequests"] == 2).then_some(usage)
    })
    .await;
    assert_eq!((&usage["successfulRequests"], &usage["failedRequests"]), (&json!(1), &json!(1)));
    assert!(usage["averageResponseTime"].is_number(), "latency: {usage}");
    let path = format!("/api/v1/api-keys/{}", text(&made["id"]));
    tenant.host.patch(&path, &json!({"enabled": false})).await.assert_status(200);
    assert_eq!(key.get(&format!("{API}/health")).await.status, 401);
    tenant.host.patch(&path, &json!({"enabled": true})).await.assert_status(200);
    key.get(&format!("{API}/health")).await.assert_status(200);
    assert_eq!(native_rows(&tenant.host.get(&format!("/api/v1/api-clients/{}/api-keys", tenant.client)).await).len(), 1);
    let jobs = tenant.host.get("/api/v1/jobs").await;
    assert_eq!(native_rows(&jobs).len(), 0);
}

async fn strangers(world: &World) {
    let (ours, theirs) = (Partner::new(world, "Ours, strangers").await, Partner::new(world, "Theirs, strangers").await);
    let (company, agent) = ours.team().await;
    let job = ours.analysed(&(company.clone(), agent.clone()), "demo", 1.0).await;
    let call = text(&rows(&ours.get("/calls").await.expect(200).json())[0]["id"]);
    for path in [
        format!("/companies/{company}"),
        format!("/companies/{company}/agents"),
        format!("/jobs/{job}/status"),
        format!("/calls/{call}"),
        format!("/agents/{agent}/performance"),
        format!("/simulations/jobs/{job}"),
    ] {
        theirs.get(&path).await.assert_problem(404, "not_found");
    }
    theirs.http.put(&format!("{API}/companies/{company}/questionnaire"), &json!({})).await.assert_problem(404, "not_found");
    theirs.post(&format!("/companies/{company}/agents/create"), json!({"name": "X"})).await.assert_problem(404, "not_found");
    let theirs_too = theirs.post("/calls/analyze", json!({"companyId": company, "agentId": agent, "transcript": TALK})).await;
    assert!(matches!(theirs_too.status.as_u16(), 404 | 422), "{}", theirs_too.text());
    assert_eq!(native_rows(&theirs.get("/calls").await).len(), 0);
}
