//! Request bodies.

use serde_json::{Value, json};

use super::{assert_points, assert_refused, counts, pointers, still_serves, writes};
use crate::world::{World, lead};

const JSON: &str = "application/json";
/// Far beyond what any parser should follow.
const DEPTH: usize = 100_000;

/// A lead's text with a place for raw bytes inside a string.
fn around(bytes: &[u8]) -> Vec<u8> {
    let mut out = br#"{"name":""#.to_vec();
    out.extend_from_slice(bytes);
    out.extend_from_slice(br#"","url":"https://example.com"}"#);
    out
}

testkit::engines! {
    async fn what_is_no_json_is_400_on_every_route(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let deep_object = format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
        let malformed: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("half an object", br#"{"name": "x""#.to_vec()),
            ("no JSON", b"name=x".to_vec()),
            ("two values", br#"{} {}"#.to_vec()),
            ("a comment", br#"{/* */}"#.to_vec()),
            ("NaN", br#"{"name": NaN}"#.to_vec()),
            ("a trailing comma", br#"{"name": "x",}"#.to_vec()),
            ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
            ("a raw NUL", around(b"a\0b")),
            ("invalid UTF-8", around(b"a\xffb")),
            ("open brackets", "[".repeat(DEPTH).into_bytes()),
            ("nested lists", format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)).into_bytes()),
            ("nested objects", deep_object.into_bytes()),
        ];
        for (path, _) in writes(&tenant) {
            for (what, body) in &malformed {
                let answer = tenant.host.request("POST".parse().unwrap(), &path).body(JSON, body.clone()).send().await;
                assert_refused(&format!("{what} to {path}"), &answer, 400, "malformed_json");
            }
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    async fn unknown_members_wrong_types_and_nul_are_422_with_pointers(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        for (path, good) in writes(&tenant) {
            if path.ends_with("/batch") {
                continue;
            }
            let mut unknown = good.clone();
            unknown["nonsense"] = json!(1);
            let answer = tenant.host.post(&path, &unknown).await;
            assert_points(&format!("an unknown member to {path}"), &answer, "validation_failed", "/nonsense");
            let (first, _) = good.as_object().unwrap().iter().next().unwrap();
            for wrong in [json!(17), json!([1]), json!({"a": 1}), json!(true), json!("nul \u{0} inside")] {
                let mut body = good.clone();
                body[first] = wrong.clone();
                let answer = tenant.host.post(&path, &body).await;
                assert_eq!(answer.status, 422, "{wrong} as {first} to {path}: {}", answer.text());
                let code = crate::world::assert_is_problem(&path, &answer);
                let points = pointers(&answer).iter().any(|at| at.starts_with(&format!("/{first}")));
                assert!(points || code != "validation_failed", "{wrong} as {first} to {path}: {}", answer.text());
            }
            for whole in [json!([]), json!("text"), json!(1), Value::Null] {
                let answer = tenant.host.post(&path, &whole).await;
                assert_eq!(answer.status, 422, "{whole} to {path}: {}", answer.text());
                crate::world::assert_is_problem(&path, &answer);
            }
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    async fn large_bodies_are_413_with_and_without_a_length(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let padding = "x".repeat(2 * 1024 * 1024);
        for (path, mut body) in writes(&tenant) {
            // A batch may be larger; a bound it has too.
            body["padding"] = json!(if path.ends_with("/batch") { padding.repeat(5) } else { padding.clone() });
            let text = body.to_string().into_bytes();
            let answer = tenant.host.request("POST".parse().unwrap(), &path).body(JSON, text.clone()).send().await;
            assert_refused(&format!("a large body to {path}"), &answer, 413, "body_too_large");
            let head = format!(
                "POST {path} HTTP/1.1\r\nauthorization: Bearer {}\r\ntradewind-tenant: {}\r\ncontent-type: {JSON}\r\ntransfer-encoding: chunked",
                world.service_key, tenant.id
            );
            let answer = crate::raw::send(world.server.address(), &head, &crate::raw::chunked(&text)).await;
            assert_eq!(answer.status, 413, "chunked to {path}: {} {}", answer.head, answer.body);
            assert!(answer.body.contains("body_too_large"), "{}", answer.body);
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    async fn other_content_types_are_415(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        for (path, body) in writes(&tenant) {
            for content_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json; charset=utf-16",
                "nonsense",
                "application/xml",
            ] {
                let answer = tenant.host.request("POST".parse().unwrap(), &path).body(content_type, body.to_string()).send().await;
                assert_refused(&format!("{content_type} to {path}"), &answer, 415, "unsupported_media_type");
            }
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    async fn names_have_a_length_and_no_control_characters(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let long = "n".repeat(10_000);
        let wide = "☃".repeat(10_000);
        for name in [long.as_str(), wide.as_str(), "", "a\nb", "\u{7f}", "a\u{0}b"] {
            for (path, mut body) in writes(&tenant) {
                if body.get("name").is_some() || path.ends_with("/webhooks") {
                    body["name"] = json!(name);
                    let answer = tenant.host.post(&path, &body).await;
                    if name.is_empty() && path.ends_with("/webhooks") {
                        continue;
                    }
                    assert_points(&format!("{:?}… as name to {path}", name.chars().next()), &answer, "validation_failed", "/name");
                }
            }
        }
        let after = counts(&tenant).await;
        let webhooks =
            |counts: &[(String, usize)]| counts.iter().filter(|(path, _)| !path.ends_with("/webhooks")).cloned().collect::<Vec<_>>();
        assert_eq!(webhooks(&after), webhooks(&before));
        let mut body = lead("Ada");
        body["firstName"] = json!(long);
        assert_points("a long first name", &tenant.host.post("/api/v1/leads", &body).await, "validation_failed", "/firstName");
        still_serves(&world, &tenant).await;
    }

    async fn events_must_be_declared_and_satisfy_their_schema(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let post = async |body: Value| tenant.host.post("/api/v1/events", &body).await;
        for unknown in ["lead.exploded", "LEAD.CREATED", "lead"] {
            let answer = post(json!({"type": unknown, "data": {"leadId": "1"}})).await;
            assert_refused(unknown, &answer, 422, "unknown_event_type");
        }
        for impossible in ["", "a b", "*", "lead.*", "../etc", "lead.created\n"] {
            let answer = post(json!({"type": impossible, "data": {"leadId": "1"}})).await;
            assert_eq!(answer.status, 422, "{impossible:?}: {}", answer.text());
            crate::world::assert_is_problem(impossible, &answer);
        }
        for (data, pointer) in [
            (json!({}), "/data/leadId"),
            (json!({"leadId": 1}), "/data/leadId"),
            (json!({"leadId": "1", "status": 2}), "/data/status"),
            (json!([]), "/data"),
            (json!("x"), "/data"),
            (Value::Null, "/data"),
        ] {
            let answer = post(json!({"type": "lead.created", "data": data.clone()})).await;
            assert_points(&data.to_string(), &answer, "validation_failed", pointer);
        }
        for (member, value) in [
            ("id", json!("has space")),
            ("id", json!("")),
            ("id", json!("a".repeat(129))),
            ("id", json!("ü")),
            ("id", json!(7)),
            ("channels", json!(vec!["c"; 1000])),
            ("channels", json!("c")),
            ("channels", json!([""])),
            ("orderingKey", json!("k".repeat(10_000))),
            ("occurredAt", json!("yesterday")),
            ("deliverAt", json!("2999-01-01T00:00:00Z")),
            ("deliverAt", json!(-1)),
            ("clientId", json!("cli_nonsense")),
            ("tenantId", json!("nonsense")),
        ] {
            let mut body = json!({"type": "lead.created", "data": {"leadId": "1"}});
            body[member] = value.clone();
            let answer = post(body).await;
            assert_eq!(answer.status, 422, "{member}: {}", answer.text());
            crate::world::assert_is_problem(member, &answer);
            assert!(pointers(&answer).iter().any(|at| at.starts_with(&format!("/{member}"))), "{member} {value}: {}", answer.text());
        }
        let many: Vec<Value> = (0..1001).map(|n| json!({"type": "lead.created", "data": {"leadId": n.to_string()}})).collect();
        for events in [json!(many), json!([])] {
            let answer = tenant.host.post("/api/v1/events/batch", &json!({"events": events})).await;
            assert_points("a batch's size", &answer, "validation_failed", "/events");
        }
        let answer = tenant
            .host
            .post(
                "/api/v1/events/batch",
                &json!({"events": [7, {"type": "lead.created"}, {"type": "lead.created", "data": {"leadId": 5}}]}),
            )
            .await;
        let answer = answer.expect(202).json();
        for entry in answer["data"].as_array().unwrap() {
            assert_eq!(entry["error"]["status"], 422, "{answer}");
        }
        assert_eq!(answer["data"][2]["error"]["errors"][0]["pointer"], "/events/2/data/leadId", "{answer}");
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    /// Half a surrogate pair and a number beyond every double are JSON by its grammar, and not what most programs can read. They may be
    /// refused; if they are accepted, they are delivered, also where a filter looks at the data.
    async fn data_at_the_edge_of_json_is_refused_or_reaches_everyone(world: World) {
        let tenant = world.tenant("Acme").await;
        let hook = |filter: Value| json!({"url": "http://127.0.0.1:9/", "events": ["*"], "filter": filter});
        tenant.webhook_with(hook(Value::Null)).await;
        tenant.webhook_with(hook(json!({"data.status": "WON"}))).await;
        for member in [
            r#""note":"\ud800""#,
            r#""\udfff":1"#,
            r#""n":1e999"#,
            r#""n":-1e400000000000"#,
            r#""n":123456789012345678901234567890"#,
            r#""n":-0"#,
        ] {
            let body = format!(r#"{{"type":"lead.created","data":{{"leadId":"1","status":"WON",{member}}}}}"#);
            let answer = tenant.host.request("POST".parse().unwrap(), "/api/v1/events").body(JSON, body).send().await;
            match answer.status.as_u16() {
                202 => assert_eq!(answer.json()["deliveries"], 2, "{member} is lost on its way to the filtered webhook"),
                400 | 422 => drop(crate::world::assert_is_problem(member, &answer)),
                other => panic!("{member}: {other} {}", answer.text()),
            }
        }
        still_serves(&world, &tenant).await;
    }

    async fn records_and_webhooks_refuse_what_their_rules_forbid(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        for (member, value) in [
            ("insuranceType", json!("SPACESHIP")),
            ("email", json!("no address")),
            ("source", Value::Null),
            ("score", json!(101)),
            ("dateOfBirth", json!("1815-13-10")),
            ("id", json!("rec_mine")),
            ("createdAt", json!("2020-01-01T00:00:00Z")),
            ("tenantId", json!("ten_x")),
        ] {
            let mut body = lead("Ada");
            body[member] = value.clone();
            let answer = tenant.host.post("/api/v1/leads", &body).await;
            assert_points(&format!("{member}: {value}"), &answer, "validation_failed", &format!("/{member}"));
        }
        let hooks = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        for (member, value) in [
            ("events", json!(["lead.exploded"])),
            ("events", json!([])),
            ("events", json!("lead.created")),
            ("events", json!(["le*d"])),
            ("retryConfig", json!({"maxRetries": -1})),
            ("retryConfig", json!({"maxRetries": 1_000_000})),
            ("retryConfig", json!({"timeout": 0})),
            ("httpMethod", json!("BREW")),
            ("customHeaders", json!({"Host": "evil"})),
            ("customHeaders", json!({"a b": "c"})),
            ("customHeaders", json!({"X-A": "a\r\nX-B: c"})),
            ("customHeaders", json!({"webhook-signature": "v1,x"})),
            ("customHeaders", json!({"Content-Length": "0"})),
            ("filter", json!(7)),
            ("channels", json!(vec!["c"; 1000])),
            ("rateLimitPerSecond", json!(0)),
            ("rateLimitPerSecond", json!(-5)),
            ("auth", json!({"type": "magic"})),
            ("auth", json!({"type": "basic", "username": "only"})),
            ("description", json!("d".repeat(100_000))),
        ] {
            let mut body = json!({"url": "http://127.0.0.1:9/", "events": ["*"]});
            body[member] = value.clone();
            let answer = tenant.host.post(&hooks, &body).await;
            assert_eq!(answer.status, 422, "{member}: {value}: {}", answer.text());
            crate::world::assert_is_problem(member, &answer);
            assert!(pointers(&answer).iter().any(|at| at.starts_with(&format!("/{member}"))), "{member} {value}: {}", answer.text());
        }
        for (member, value) in [
            ("scopes", json!(["no:such"])),
            ("scopes", json!("leads:read")),
            ("expiresInDays", json!(-1)),
            ("expiresInDays", json!(1_000_000_000)),
            ("expiresAt", json!("2001-01-01T00:00:00Z")),
            ("allowedIps", json!(["300.1.1.1"])),
            ("allowedIps", json!(["10.0.0.0/99"])),
            ("rateLimitOverride", json!(0)),
            ("rateLimitOverride", json!(-3)),
            ("rateLimitOverride", json!({"requests": 1, "window": 0})),
            ("rateLimitOverride", json!({})),
            ("environment", json!("moon")),
        ] {
            let mut body = json!({"clientId": tenant.client, "name": "Key"});
            body[member] = value.clone();
            let answer = tenant.host.post("/api/v1/api-keys", &body).await;
            assert_eq!(answer.status, 422, "{member}: {value}: {}", answer.text());
            crate::world::assert_is_problem(member, &answer);
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }
}
