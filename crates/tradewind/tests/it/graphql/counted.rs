//! How many statements a query costs: counted between the server and PostgreSQL, on the wire.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::world::{Tenant, World, text};

/// A relay to PostgreSQL that counts what is executed.
struct Counter {
    port: u16,
    executed: Arc<AtomicU64>,
}

impl Counter {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let executed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&executed);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                // A question waits for its answer: what is gathered before it is sent would wait for nothing.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || drop(std::io::copy(&mut back, &mut forth)));
                let count = Arc::clone(&count);
                std::thread::spawn(move || drop(relay(client, server, &count)));
            }
        });
        Self { port, executed }
    }
}

/// Passes on what the frontend says, message by message (PostgreSQL, "Frontend/Backend Protocol"): the first one has no type.
fn relay(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) -> std::io::Result<()> {
    loop {
        let mut head = [0; 4];
        from.read_exact(&mut head)?;
        let mut body = vec![0; u32::from_be_bytes(head) as usize - 4];
        from.read_exact(&mut body)?;
        to.write_all(&[&head[..], &body].concat())?;
        // The wish for TLS comes before the beginning.
        if body[..4] != 80_877_103_u32.to_be_bytes() {
            break;
        }
    }
    loop {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let mut body = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4];
        from.read_exact(&mut body)?;
        // Execute. Transactions are begun and ended by simple queries.
        if head[0] == b'E' {
            count.fetch_add(1, Ordering::SeqCst);
        }
        to.write_all(&[&head[..], &body].concat())?;
    }
}

/// A nested list costs the same number of statements for three parents as for thirty.
#[tokio::test]
async fn nested_lists_cost_a_statement_for_each_level() {
    let engine = testkit::Engine::postgres();
    let url = url::Url::parse(&engine.database_url().unwrap()).unwrap();
    let counter = Counter::start(url.port().unwrap());
    let mut through = url;
    through.set_port(Some(counter.port)).unwrap();
    let world = World::start(engine, |settings| {
        settings.set("TRADEWIND_BLUEPRINT", "call-coaching").set("TRADEWIND_DATABASE_URL", through.as_str())
    });
    let tenant = world.tenant("Acme").await;
    let mut agents = Vec::new();
    for n in 0..30 {
        let company = text(&made(&tenant, "company", json!({"name": format!("Company {n}")})).await["id"]);
        for m in 0..2 {
            agents.push(made(&tenant, "agent", json!({"name": format!("Agent {m}"), "companyId": company})).await);
        }
    }
    assert_eq!(agents.len(), 60);
    let cost = async |first: usize| {
        let query =
            format!("{{ companies(first: {first}) {{ nodes {{ id agents(first: 5) {{ nodes {{ id company {{ name }} }} }} }} }} }}");
        let ask = async || tenant.host.post("/graphql", &json!({"query": query})).await.expect(200).json();
        // Once for what is read only once: the schema, the credential.
        ask().await;
        // Other parts of the server have statements of their own: the least of several runs is the query's.
        let mut least = u64::MAX;
        for _ in 0..10 {
            let before = counter.executed.load(Ordering::SeqCst);
            let answer = ask().await;
            let companies = answer["data"]["companies"]["nodes"].as_array().unwrap().clone();
            assert_eq!(companies.len(), first, "{answer}");
            assert!(companies.iter().all(|company| company["agents"]["nodes"].as_array().unwrap().len() == 2));
            least = least.min(counter.executed.load(Ordering::SeqCst) - before);
        }
        least
    };
    let (few, many) = (cost(3).await, cost(30).await);
    assert_eq!(few, many, "statements for 3 and for 30 companies");
    assert!((3..=12).contains(&many), "{many} statements");
}

async fn made(tenant: &Tenant, resource: &str, members: Value) -> Value {
    tenant.host.post(&format!("/api/v1/records/{resource}"), &members).await.expect(201).json()
}
