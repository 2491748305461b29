//! GraphQL of the real server: judged by the audits of GraphQL over HTTP and by official clients, under attack, and counted.

mod counted;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::wait;

use crate::browser;
use crate::world::{SOON, World, lead, text};
use testkit::tools;

const PACKAGES: [&str; 5] = ["graphql@^16", "graphql-http@^1.22.4", "graphql-ws@^6", "graphql-sse@^2.5", "ws@^8"];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/graphql").join(name)
}

/// Node with a script and the packages; none where it cannot be installed.
fn node(name: &str, world: &World, tenant: &str) -> Option<Command> {
    if !tools::present("node", name) || !tools::present("npm", name) {
        return None;
    }
    let mut command = Command::new("node");
    command.arg(script(name)).arg(tools::npm("graphql-npm", &PACKAGES)).args([world.server.base().as_str(), &world.service_key, tenant]);
    Some(command)
}

/// Every audit of graphql-http, also those of what is only recommended.
#[tokio::test]
async fn the_audits_of_graphql_over_http_pass() {
    let world = World::start(testkit::Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    if let Some(mut command) = node("audits.mjs", &world, &tenant.id) {
        tools::run(&mut command);
    }
}

/// With the whole schema shown, Run and the answer stay in sight.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_fits_its_window() {
    if !browser::present("the console of GraphQL") {
        return;
    }
    let world = World::start(testkit::Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let given = json!({"base": world.server.base(), "key": world.service_key, "tenant": tenant.id});
    tokio::task::spawn_blocking(move || browser::journey("graphql/console.mjs", &given)).await.unwrap();
}

testkit::engines! {
    /// Official clients ask, are refused, and are told what happens.
    async fn official_clients_work(world: World) {
        let tenant = world.tenant("Acme").await;
        let Some(mut command) = node("clients.mjs", &world, &tenant.id) else { return };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listens = lines.next().map(Result::unwrap).unwrap_or_default() == "listening";
        let made = std::cell::Cell::new(0);
        let child = std::cell::RefCell::new(child);
        wait::until("the clients to have been told enough", SOON, async || {
            if listens {
                let mut one = lead("Ada");
                one["notes"] = json!(made.replace(made.get() + 1).to_string());
                tenant.host.post("/api/v1/records/lead", &one).await.assert_status(201);
            }
            child.borrow_mut().try_wait().unwrap().map(drop)
        })
        .await;
        let output = child.into_inner().wait_with_output().unwrap();
        assert!(output.status.success(), "{} made; {}", made.get(), String::from_utf8_lossy(&output.stderr));
        // What came over the socket passed the gate: it is in the log of requests.
        let logged = async || {
            let log = tenant.host.get("/api/v1/request-logs?endpoint=/graphql&limit=100").await.expect(200).json();
            crate::world::rows(&log).iter().any(|row| row["endpoint"] == "/graphql" && row["method"] == "POST").then_some(())
        };
        wait::until("the socket's operations in the log of requests", SOON, logged).await;
    }

    /// A tenant's operation names another's records by id: as ids that never were. For every resource type.
    async fn no_tenant_reaches_another(world: World) {
        let (a, b) = (world.tenant("A").await, world.tenant("B").await);
        let theirs = text(&a.host.post("/api/v1/records/lead", &lead("Ada")).await.expect(201).json()["id"]);
        let never = format!("{}{}", &theirs[..theirs.len() - 1], if theirs.ends_with('0') { '1' } else { '0' });
        let key = b.key().await.http;
        let ask = async |query: &str, id: &str| {
            let body = json!({"query": query, "variables": {"id": id}});
            key.post("/graphql", &body).await.expect(200).json()
        };
        for query in [
            "query($id: ID!) { lead(id: $id) { id email } leads { nodes { id } totalCount } }",
            "mutation($id: ID!) { updateLead(id: $id, patch: {notes: \"mine\"}) { id } }",
            "mutation($id: ID!) { deleteLead(id: $id) { id } }",
        ] {
            let (found, missing) = (ask(query, &theirs).await, ask(query, &never).await);
            assert_eq!(found, missing, "{query}");
            assert!(!found.to_string().contains(&theirs) && !found.to_string().contains("Ada"), "{found}");
        }
        let own = a.host.post("/graphql", &json!({"query": "{ leads { nodes { id notes } } }"})).await.expect(200).json();
        assert_eq!(own["data"]["leads"]["nodes"], json!([{"id": theirs, "notes": null}]));
    }
}

/// Hostile documents, many times over: each is refused with a documented error, and the server's memory stays where it was.
#[tokio::test]
async fn hostile_documents_leave_memory_flat() {
    let world = World::start(testkit::Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let aliases: String = (0..10_000).map(|n| format!("a{n}: __typename ")).collect();
    let bomb: String = (0..40).map(|n| format!("fragment F{n} on Lead {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let documents = [
        format!("{}{}", "{ leads { nodes ".repeat(100), "} }".repeat(100)),
        format!("{{ {aliases} }}"),
        format!("{{ leads {{ nodes {{ ...F0 }} }} }} {bomb} fragment F40 on Lead {{ id }}"),
        "fragment A on Lead { ...B } fragment B on Lead { ...A } { leads { nodes { ...A } } }".to_owned(),
        format!("{{ lead(id: \"{}\") {{ id }} }}", "x".repeat(900_000)),
        "{".repeat(900_000),
    ];
    let round = async || {
        for document in &documents {
            let body = json!({"query": document});
            let answer = tenant.host.post("/graphql", &body).await.expect(200);
            let code = text(&answer.json()["errors"][0]["extensions"]["code"]);
            assert!(["query_too_deep", "query_too_long", "query_too_complex", "fragment_cycle"].contains(&code.as_str()), "{code}");
            assert!(answer.body.len() < 2000);
        }
        let batch: Vec<Value> = (0..2000).map(|_| json!({"query": "{ __typename }"})).collect();
        tenant.host.post("/graphql", &json!(batch)).await.assert_status(400);
    };
    // What the first ones set up stays: threads, caches, the allocator's pages.
    for _ in 0..20 {
        round().await;
    }
    let before = world.server.resident_bytes();
    for _ in 0..40 {
        round().await;
    }
    let after = world.server.resident_bytes();
    assert!(after < before + 16 * 1024 * 1024, "{before} bytes before, {after} after");
}
