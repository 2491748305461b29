//! People against the binary: the first start, a host's link, the session's cookie at the API, two nodes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::server::Server;
use testkit::{Engine, engine, wait};

use crate::world::{SOON, World, text};

/// Follows a link of the host's; the cookie of the session that it begins.
async fn cookie_of(world: &World, tenant: &str, email: &str, role: &str) -> String {
    let body = json!({"tenantId": tenant, "email": email, "role": role});
    let made = world.operator.post("/api/v1/portal-sessions", &body).await.expect(201).json();
    let url = text(&made["url"]);
    let path = &url[url.find("/portal/").unwrap()..];
    let answer = world.server.client().get(path).await;
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {} {}", answer.status, answer.text()));
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    let again = world.server.client().get(path).await;
    assert!(again.header("set-cookie").is_none_or(|set| !set.contains("tradewind_session=") || set.contains("Max-Age=0")), "good once");
    set.split(';').next().unwrap().to_owned()
}

fn with_cookie(server: &Server, cookie: &str) -> Client {
    server.client().with("cookie", cookie)
}

async fn me(client: &Client) -> Value {
    client.get("/api/v1/me").await.expect(200).json()
}

testkit::engines! {
    async fn a_first_start_prints_a_link_and_the_command_line_makes_accounts(world: World) {
        assert!(world.server.stderr().contains("/portal/set-up?token="), "{}", world.server.stderr());
        let run = |args: &[&str]| {
            let output = world.server.settings().run(args);
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let (code, link, _) = run(&["user", "create", "--email", "root@example.com"]);
        assert!(code == Some(0) && link.trim().contains("/portal/reset-password?token=") && link.lines().count() == 1, "{link}");
        let (code, _, fault) = run(&["user", "create", "--email", "root@example.com"]);
        assert!(code == Some(1) && fault.contains("this e-mail address"), "{fault}");
        assert_eq!(run(&["user", "create", "--email", "x@example.com", "--role", "owner"]).0, Some(1));
        let (code, link, _) = run(&["user", "reset-password", "--email", "root@example.com"]);
        assert!(code == Some(0) && link.contains("/portal/reset-password?token="), "{link}");
        assert_eq!(run(&["user", "reset-password", "--email", "nobody@example.com"]).0, Some(1));
        let users = world.operator.get("/api/v1/users").await.expect(200).json();
        assert_eq!((&users["data"][0]["email"], &users["data"][0]["operatorRole"]), (&json!("root@example.com"), &json!("admin")));
    }

    async fn a_sessions_cookie_stands_for_its_person_at_the_api(world: World) {
        let (tenant, other) = (world.tenant("Acme").await, world.tenant("Globex").await);
        let developer = with_cookie(&world.server, &cookie_of(&world, &tenant.id, "ada@example.com", "developer").await);
        let shown = me(&developer).await;
        assert_eq!((&shown["user"]["email"], &shown["memberships"][0]["role"]), (&json!("ada@example.com"), &json!("developer")));
        developer.get("/api/v1/leads").await.assert_status(200);
        let lead = crate::world::lead("Ada");
        developer.post("/api/v1/leads", &lead).await.assert_problem(403, "csrf_token_missing");
        let writing = developer.with("x-csrf-token", &text(&shown["csrfToken"]));
        writing.post("/api/v1/records/lead", &lead).await.assert_status(201);
        developer.with("x-csrf-token", "forged").post("/api/v1/records/lead", &lead).await.assert_problem(403, "csrf_token_wrong");
        developer.with("tradewind-tenant", &other.id).get("/api/v1/leads").await.assert_problem(404, "not_found");
        writing.post("/api/v1/tenants", &json!({"name": "Mine"})).await.assert_problem(403, "operator_only");
        writing.post("/api/v1/invitations", &json!({"email": "b@example.com", "role": "viewer"})).await.assert_problem(403, "insufficient_scope");
        writing.post("/api/v1/me/totp", &json!({})).await.assert_problem(403, "host_session");
        // A key goes first: a page that makes a browser send both gets no more than the key has.
        let key = tenant.key_scoped(&[]).await;
        world.server.client().bearer(&key.token).get("/api/v1/me").await.assert_problem(403, "people_only");
        let viewer = with_cookie(&world.server, &cookie_of(&world, &tenant.id, "vera@example.com", "viewer").await);
        let writing = viewer.with("x-csrf-token", &text(&me(&viewer).await["csrfToken"]));
        viewer.get("/api/v1/leads").await.assert_status(200);
        writing.post("/api/v1/leads", &lead).await.assert_problem(403, "insufficient_scope");
        let sessions = viewer.get("/api/v1/me/sessions").await.expect(200).json();
        let id = text(&sessions["data"][0]["id"]);
        assert_eq!(sessions["data"][0]["isCurrent"], true);
        writing.delete(&format!("/api/v1/me/sessions/{id}")).await.assert_status(204);
        viewer.get("/api/v1/me").await.assert_problem(401, "session_over");
        let log = tenant.host.get("/api/v1/audit-log").await.expect(200).text();
        assert!(log.contains("portal_session.create") && log.contains("member.create"), "{log}");
    }
}

/// As keys are: by the blueprint's default tier, all sessions of one person together.
#[test]
fn people_are_limited_at_the_gate() {
    engine::run(Engine::sqlite(), async |world: World| {
        let tenant = world.tenant("Acme").await;
        let first = with_cookie(&world.server, &cookie_of(&world, &tenant.id, "ada@example.com", "viewer").await);
        let second = with_cookie(&world.server, &cookie_of(&world, &tenant.id, "ada@example.com", "viewer").await);
        let other = with_cookie(&world.server, &cookie_of(&world, &tenant.id, "ben@example.com", "viewer").await);
        let narrow = json!({"requestsPerMinute": 6, "requestsPerHour": null, "requestsPerDay": null, "burst": null});
        // The default tier of `insurance-leads`.
        world.operator.put("/api/v1/rate-limits/standard", &narrow).await.assert_status(200);
        let answer = wait::until("the tier", SOON, || async {
            let answer = first.get("/api/v1/me").await;
            (answer.header("x-ratelimit-limit") == Some("6")).then_some(answer)
        });
        assert_eq!(answer.await.status, 200);
        let mut refused = None;
        for n in 0..8 {
            let answer = if n % 2 == 0 { &first } else { &second }.get("/api/v1/me").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("six a minute, in both sessions together");
        assert!(refused.header("retry-after").is_some(), "{}", refused.text());
        refused.assert_problem(429, "rate_limited");
        other.get("/api/v1/me").await.assert_status(200);
    });
}

#[test]
fn a_session_revoked_on_one_node_is_refused_on_the_other_within_a_second() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = crate::two_nodes::second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        for round in 0..3 {
            let cookie = cookie_of(&world, &tenant.id, &format!("p{round}@example.com"), "viewer").await;
            let (here, there) = (with_cookie(&world.server, &cookie), with_cookie(&other, &cookie));
            let shown = me(&there).await;
            me(&here).await;
            let user = text(&shown["user"]["id"]);
            world.operator.delete(&format!("/api/v1/users/{user}/sessions")).await.assert_status(204);
            let begun = Instant::now();
            here.get("/api/v1/me").await.assert_problem(401, "session_over");
            wait::until("the notice", SOON, || async { (there.get("/api/v1/me").await.status == 401).then_some(()) }).await;
            assert!(begun.elapsed() < Duration::from_secs(1), "refused only after {:?}", begun.elapsed());
        }
    });
}
