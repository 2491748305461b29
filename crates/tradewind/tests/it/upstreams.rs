//! The operator's own backend behind the whole server: who gets through, what it is told, what is logged and counted.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Gate, Received, Receiver};
use testkit::{Bed, Engine, wait};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{SOON, World, rows};

/// A server in front of a backend, and of an address where nobody is.
struct Shop {
    backend: Receiver,
    socket: std::net::SocketAddr,
    world: World,
}

impl Bed for Shop {
    async fn open(engine: Engine) -> Self {
        let backend = Receiver::start();
        backend.answer(Answer::status(200).body("here"));
        let socket = echo().await;
        let nobody = testkit::port::free();
        let blueprint = format!(
            r#"{}
[[scopes]]
name = "shop:use"
description = "Use the shop."

[[upstreams]]
name = "shop"
targets = ["http://{}"]

[[upstreams]]
name = "nobody"
targets = ["http://127.0.0.1:{nobody}"]
retries = 0

[[upstreams]]
name = "live"
targets = ["http://{socket}"]

[[endpoints]]
method = "ANY"
path = "/shop/*rest"
operation = {{ type = "upstream", upstream = "shop", path = "/*rest" }}
scope = "shop:use"

[[endpoints]]
method = "GET"
path = "/nobody/{{id}}"
operation = {{ type = "upstream", upstream = "nobody" }}
scope = "shop:use"

[[endpoints]]
method = "GET"
path = "/live"
operation = {{ type = "upstream", upstream = "live", websocket = true }}
scope = "shop:use"
"#,
            blueprint::text("insurance-leads").unwrap(),
            backend.address(),
        );
        let file = engine.data_dir().join("shop.toml");
        std::fs::write(&file, blueprint).unwrap();
        let file = file.display().to_string();
        let world = World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", &file));
        Self { backend, socket, world }
    }
}

/// Accepts any upgrade, and then says back what it hears.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let head =
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

/// Reads until `mark` was seen.
async fn until(stream: &mut TcpStream, mark: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&seen).contains(mark) {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "it ended before {mark}: {}", String::from_utf8_lossy(&seen));
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap_or_else(|_| panic!("{mark} did not come"));
    String::from_utf8_lossy(&seen).into_owned()
}

/// The log's rows of an endpoint, once there are so many.
async fn logged(client: &Client, endpoint: &str, count: usize) -> Vec<Value> {
    wait::until("rows of the log", SOON, || async {
        let list = client.get("/api/v1/request-logs?limit=100").await.expect(200).json();
        let found: Vec<Value> = rows(&list).iter().filter(|row| row["endpoint"] == endpoint).cloned().collect();
        (found.len() >= count).then_some(found)
    })
    .await
}

fn header(received: &Received, name: &str) -> String {
    received.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned()
}

testkit::engines! {
    async fn two_tenants_reach_the_backend_each_as_itself(shop: Shop) {
        let world = &shop.world;
        let (one, two) = (world.tenant("One").await, world.tenant("Two").await);
        let (first, second) = (one.key().await, two.key().await);
        for (tenant, key) in [(&one, &first), (&two, &second)] {
            let answer = key.http.request("POST".parse().unwrap(), "/api/v1/shop/orders?x=1").json(&json!({"a": 1})).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let got = shop.backend.take().pop().unwrap();
            assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/orders?x=1"));
            assert_eq!(header(&got, "tradewind-tenant"), tenant.id);
            assert_eq!(header(&got, "tradewind-client"), tenant.client);
            assert_eq!(header(&got, "tradewind-key"), key.id);
            assert!(header(&got, "tradewind-scopes").split(' ').any(|scope| scope == "shop:use"));
            assert_eq!(header(&got, "tradewind-request-id"), answer.header("x-request-id").unwrap());
            assert!(header(&got, "tradewind-signature").starts_with("v1="));
            assert_eq!((got.header("authorization"), header(&got, "x-forwarded-for")), (None, "127.0.0.1".to_owned()));
            assert!(answer.header("ratelimit").is_some());
            // Somebody else's name is not to be had.
            let other = if tenant.id == one.id { &two.id } else { &one.id };
            key.http.with("tradewind-tenant", other).get("/api/v1/shop/orders").await.assert_problem(404, "not_found");
        }
        // The host names the tenant for which it acts.
        one.host.get("/api/v1/shop/orders").await.assert_status(200);
        let got = shop.backend.take().pop().unwrap();
        assert_eq!((header(&got, "tradewind-tenant"), header(&got, "tradewind-scopes")), (one.id.clone(), "*".to_owned()));
        world.operator.get("/api/v1/shop/orders").await.assert_problem(422, "tenant_required");
        assert_eq!(shop.backend.count(), 0);
        let secret = |name: &str| world.server.settings().run(&["upstream", "secret", name]);
        let (ours, again, unknown) = (secret("shop"), secret("shop"), secret("shopp"));
        assert!(ours.stdout.starts_with(b"twup_") && ours.stdout == again.stdout && ours.stdout != secret("live").stdout);
        assert_eq!(unknown.status.code(), Some(1));
    }

    async fn who_is_refused_reaches_no_backend(shop: Shop) {
        let tenant = shop.world.tenant("One").await;
        shop.world.server.client().get("/api/v1/shop/a").await.assert_problem(401, "missing_credential");
        shop.world.server.client().bearer("tw_live_nonsense").get("/api/v1/shop/a").await.assert_problem(401, "invalid_credential");
        tenant.key_scoped(&["leads:read"]).await.http.get("/api/v1/shop/a").await.assert_problem(403, "insufficient_scope");
        tenant.key_with(json!({"allowedEndpoints": ["GET /api/v1/shop/open*"]})).await.http.get("/api/v1/shop/closed").await.assert_problem(403, "endpoint_not_allowed");
        let bounded = tenant.key_with(json!({"rateLimitOverride": {"requests": 2, "window": 3_600_000}})).await;
        assert_eq!(shop.backend.count(), 0);
        let statuses = [bounded.http.get("/api/v1/shop/a").await.status, bounded.http.get("/api/v1/shop/a").await.status, bounded.http.get("/api/v1/shop/a").await.status];
        assert_eq!(statuses.map(|status| status.as_u16()), [200, 200, 429]);
        assert_eq!(shop.backend.count(), 2);
    }

    async fn every_call_is_logged_with_what_really_passed(shop: Shop) {
        let tenant = shop.world.tenant("One").await;
        let key = tenant.key().await;
        shop.backend.answer(Answer::status(200).body("x".repeat(5000)));
        key.http.request("PUT".parse().unwrap(), "/api/v1/shop/a/b").body("text/plain", "y".repeat(3000)).send().await.assert_status(200);
        let row = logged(&tenant.host, "/api/v1/shop/{*rest}", 1).await.remove(0);
        assert_eq!((&row["requestSize"], &row["responseSize"], &row["status"]), (&json!(3000), &json!(5000), &json!(200)), "{row}");
        assert_eq!((&row["apiKeyId"], &row["method"], &row["errorCode"]), (&json!(key.id), &json!("PUT"), &Value::Null), "{row}");
        shop.backend.answer(Answer::status(500));
        key.http.get("/api/v1/shop/broken").await.assert_status(500);
        let found = logged(&tenant.host, "/api/v1/shop/{*rest}", 2).await;
        assert!(found.iter().any(|row| row["status"] == 500 && row["errorCode"] == "upstream_error"), "{found:?}");
        key.http.get("/api/v1/nobody/7").await.assert_problem(502, "upstream_unreachable");
        let row = logged(&tenant.host, "/api/v1/nobody/{id}", 1).await.remove(0);
        assert_eq!((&row["status"], &row["errorCode"]), (&json!(502), &json!("upstream_unreachable")), "{row}");
    }

    async fn a_call_whose_caller_left_is_logged_too(shop: Shop) {
        let tenant = shop.world.tenant("One").await;
        let key = tenant.key().await;
        let gate = Gate::closed();
        shop.backend.answer(Answer::status(200).held(&gate));
        let mut stream = TcpStream::connect(shop.world.server.address()).await.unwrap();
        stream.write_all(format!("GET /api/v1/shop/slow HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", key.token).as_bytes()).await.unwrap();
        shop.backend.wait_for(1, SOON).await;
        drop(stream);
        let row = logged(&tenant.host, "/api/v1/shop/{*rest}", 1).await.remove(0);
        assert_eq!((&row["status"], &row["errorCode"], &row["apiKeyId"]), (&json!(499), &json!("client_gone"), &json!(key.id)), "{row}");
        gate.open();
    }

    async fn a_websocket_is_one_call_through_the_whole_server(shop: Shop) {
        let tenant = shop.world.tenant("One").await;
        let key = tenant.key().await;
        assert_ne!(shop.socket.port(), 0);
        let mut stream = TcpStream::connect(shop.world.server.address()).await.unwrap();
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        stream.write_all(format!("GET /api/v1/live HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n{upgrade}\r\n\r\n", key.token).as_bytes()).await.unwrap();
        assert!(until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 101"));
        stream.write_all(b"hello there").await.unwrap();
        until(&mut stream, "hello there").await;
        drop(stream);
        let row = logged(&tenant.host, "/api/v1/live", 1).await.remove(0);
        assert_eq!((&row["status"], &row["requestSize"], &row["responseSize"]), (&json!(101), &json!(11), &json!(11)), "{row}");
        let mut stranger = TcpStream::connect(shop.world.server.address()).await.unwrap();
        stranger.write_all(format!("GET /api/v1/live HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n{upgrade}\r\n\r\n").as_bytes()).await.unwrap();
        assert!(until(&mut stranger, "\r\n\r\n").await.starts_with("HTTP/1.1 401"));
    }

    async fn another_address_is_taken_up_without_a_restart(shop: Shop) {
        let tenant = shop.world.tenant("One").await;
        let key = tenant.key().await;
        key.http.get("/api/v1/nobody/7").await.assert_problem(502, "upstream_unreachable");
        let file = shop.world.engine.data_dir().join("shop.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let nobody = text.split("name = \"nobody\"\ntargets = [\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        std::fs::write(&file, text.replace(&nobody, &format!("http://{}", shop.backend.address()))).unwrap();
        assert!(shop.world.server.settings().run(&["reload"]).status.success());
        wait::until("the new address", Duration::from_secs(20), || async { (key.http.get("/api/v1/nobody/7").await.status == 200).then_some(()) }).await;
        assert_eq!(shop.backend.take().pop().unwrap().path, "/nobody/7");
    }
}
