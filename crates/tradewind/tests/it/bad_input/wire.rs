//! Paths, headers and bytes.

use super::{assert_refused, counts, still_serves};
use crate::raw;
use crate::world::World;

testkit::engines! {
    async fn paths_that_name_nothing_are_404_and_methods_405(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let long = "a".repeat(8000);
        for id in [
            "x",
            "rec_x",
            "%zz",
            "%",
            "%2",
            "%ff",
            "%00",
            "%2e%2e%2fx",
            "..%2f..%2fetc%2fpasswd",
            "rec_00000000000000000000000000",
            "REC_00000000000000000000000000",
            "%F0%9F%98%80",
            "rec_zzzzzzzzzzzzzzzzzzzzzzzzzz",
            long.as_str(),
            "1%27%20OR%201%3D1",
        ] {
            for (method, path) in [
                ("GET", "leads"),
                ("DELETE", "leads"),
                ("GET", "api-clients"),
                ("GET", "api-keys"),
                ("GET", "webhooks"),
                ("GET", "deliveries"),
                ("GET", "events"),
                ("GET", "tenants"),
                ("GET", "event-types"),
                ("GET", "records/lead"),
            ] {
                let answer = tenant.host.request(method.parse().unwrap(), &format!("/api/v1/{path}/{id}")).send().await;
                assert_refused(&format!("{method} {path}/{id}"), &answer, 404, "not_found");
            }
        }
        for path in [
            "/api",
            "/api/v1",
            "/api/v1/nothing",
            "/api/v2/leads",
            "/api/v1/leads/",
            "//api/v1/leads",
            "/api/v1/records/spaceship",
            "/API/V1/LEADS",
            "/api/v1/../v1/leads",
        ] {
            let answer = tenant.host.get(path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            crate::world::assert_is_problem(path, &answer);
        }
        for (method, path) in [
            ("DELETE", "/api/v1/leads"),
            ("PUT", "/api/v1/events"),
            ("TRACE", "/api/v1/leads"),
            ("BREW", "/api/v1/leads"),
            ("PATCH", "/api/v1/webhook-events"),
        ] {
            let answer = tenant.host.request(method.parse().unwrap(), path).send().await;
            assert_refused(&format!("{method} {path}"), &answer, 405, "method_not_allowed");
            assert!(answer.header("allow").is_some(), "{method} {path}: 405 names the methods");
        }
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    async fn credentials_that_are_garbage_are_401(world: World) {
        let tenant = world.tenant("Acme").await;
        let anyone = world.server.client();
        let long = format!("Bearer {}", "a".repeat(4000));
        let twice = format!("Bearer {0} {0}", world.service_key);
        let upper = format!("Bearer {}", world.service_key.to_uppercase());
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            "Basic YTpi",
            "bearer x",
            "Bearer ins_live_",
            "Bearer ____",
            "Bearer tws_live_",
            "Bearer null",
            long.as_str(),
            twice.as_str(),
            upper.as_str(),
            "Negotiate x",
            "Bearer \u{fc}",
        ] {
            let Ok(_) = value.parse::<http::HeaderValue>() else { continue };
            let answer = anyone.with("authorization", value).get("/api/v1/leads").await;
            assert_eq!(answer.status, 401, "{value:?}: {}", answer.text());
            let code = crate::world::assert_is_problem(value, &answer);
            assert!(matches!(code.as_str(), "missing_credential" | "invalid_credential"), "{value:?}: {code}");
        }
        for value in ["nonsense", "ten_00000000000000000000000000", "ext:nobody", "", "ext:"] {
            let answer = world.operator.with("tradewind-tenant", value).get("/api/v1/leads").await;
            assert_refused(&format!("Tradewind-Tenant: {value:?}"), &answer, 404, "not_found");
        }
        let answer = world.operator.get("/api/v1/leads").await;
        assert_eq!(answer.status.as_u16() / 100, 4, "no tenant named: {}", answer.text());
        crate::world::assert_is_problem("no tenant named", &answer);
        let long = "k".repeat(300);
        for value in ["", long.as_str()] {
            let answer = tenant.host.with("idempotency-key", value).post("/api/v1/leads", &crate::world::lead("Ada")).await;
            assert_refused(&format!("Idempotency-Key of {} characters", value.len()), &answer, 400, "invalid_idempotency_key");
        }
        still_serves(&world, &tenant).await;
    }

    async fn bytes_that_are_no_request_harm_nobody(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let to = world.server.address();
        let auth = format!("authorization: Bearer {}\r\ntradewind-tenant: {}", world.service_key, tenant.id);
        let many: String = (0..2000).map(|n| format!("x-{n}: y\r\n")).collect();
        let huge = format!("x-huge: {}", "a".repeat(1024 * 1024));
        let refused: Vec<(&str, Vec<u8>)> = vec![
            ("noise", vec![0xfe; 4096]),
            ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20)),
            ("no version", b"GET /\r\n\r\n".to_vec()),
            ("a wrong version", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
            ("a NUL in a header", format!("GET /api/v1/leads HTTP/1.1\r\nhost: x\r\n{auth}\r\nx-a: a\0b\r\n\r\n").into_bytes()),
            ("a space in a header's name", format!("GET /api/v1/leads HTTP/1.1\r\nhost: x\r\n{auth}\r\nx a: b\r\n\r\n").into_bytes()),
            ("two lengths", format!("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\n{auth}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}").into_bytes()),
            ("a negative length", format!("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\n{auth}\r\ncontent-length: -2\r\n\r\n{{}}").into_bytes()),
            ("2000 headers", format!("GET /api/v1/leads HTTP/1.1\r\nhost: x\r\n{many}\r\n").into_bytes()),
            ("a header of 1 MiB", format!("GET /api/v1/leads HTTP/1.1\r\nhost: x\r\n{huge}\r\n\r\n").into_bytes()),
            ("a broken chunk", format!("POST /api/v1/leads HTTP/1.1\r\nhost: x\r\n{auth}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n").into_bytes()),
        ];
        for (what, bytes) in refused {
            let answer = raw::exchange(to, &bytes).await;
            assert!(answer.status == 0 || (400..500).contains(&answer.status), "{what}: {} {}", answer.head, answer.body);
            still_serves(&world, &tenant).await;
        }
        // A value that is no UTF-8: read, and judged.
        let mut bytes = format!("GET /api/v1/leads HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{auth}\r\nuser-agent: ").into_bytes();
        bytes.extend_from_slice(b"\xff\xfe\r\n\r\n");
        assert_eq!(raw::exchange(to, &bytes).await.status, 200);
        let head = format!("POST /api/v1/leads HTTP/1.1\r\n{auth}\r\ncontent-length: 2");
        assert_eq!(raw::send(to, &head, b"{}").await.status, 415, "no content type");
        assert_eq!(counts(&tenant).await, before);
        still_serves(&world, &tenant).await;
    }

    /// What one program reads first another reads last: such a request is not served, whichever of the two would do.
    async fn headers_that_mean_something_once_stand_there_once(world: World) {
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let to = world.server.address();
        let auth = format!("authorization: Bearer {}\r\ntradewind-tenant: {}", world.service_key, tenant.id);
        let json = "content-type: application/json";
        let body = crate::world::lead("Ada").to_string();
        for twice in [
            format!("{auth}\r\nauthorization: Bearer nobody\r\n{json}"),
            format!("authorization: Bearer nobody\r\n{auth}\r\n{json}"),
            format!("{auth}\r\n{json}\r\ncontent-type: text/plain"),
            format!("{auth}\r\n{json}\r\n{json}"),
            format!("{auth}\r\n{json}\r\nidempotency-key: a\r\nidempotency-key: b"),
            format!("{auth}\r\n{json}\r\ntradewind-tenant: ten_00000000000000000000000000"),
            format!("{auth}\r\n{json}\r\nx-api-secret: a\r\nX-API-Secret: b"),
        ] {
            let head = format!("POST /api/v1/leads HTTP/1.1\r\n{twice}\r\ncontent-length: {}", body.len());
            let answer = raw::send(to, &head, body.as_bytes()).await;
            assert_eq!(answer.status, 400, "{twice}: {}", answer.body);
            assert!(answer.body.contains("\"duplicate_header\""), "{twice}: {}", answer.body);
        }
        assert_eq!(counts(&tenant).await, before);
        // Others may come as often as they like.
        let head = format!("GET /api/v1/leads HTTP/1.1\r\n{auth}\r\naccept: */*\r\naccept: text/plain\r\nx-a: 1\r\nx-a: 2");
        assert_eq!(raw::send(to, &head, b"").await.status, 200);
        still_serves(&world, &tenant).await;
    }

    async fn a_client_that_leaves_in_the_middle_leaves_nothing(world: World) {
        use tokio::io::AsyncWriteExt as _;
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        let body = crate::world::lead("Ada").to_string();
        for kept in [0, 1, body.len() / 2, body.len() - 1] {
            let mut stream = tokio::net::TcpStream::connect(world.server.address()).await.unwrap();
            let head = format!(
                "POST /api/v1/leads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntradewind-tenant: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                world.service_key,
                tenant.id,
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&body.as_bytes()[..kept]).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        still_serves(&world, &tenant).await;
        assert_eq!(counts(&tenant).await, before);
    }
}
