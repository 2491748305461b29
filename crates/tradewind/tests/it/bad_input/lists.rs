//! Query parameters.

use super::{assert_points, assert_refused, still_serves};
use crate::world::World;

testkit::engines! {
    async fn limits_pages_and_cursors_have_bounds(world: World) {
        let tenant = world.tenant("Acme").await;
        let client = format!("/api/v1/api-clients/{}", tenant.client);
        let lists = [
            "/api/v1/tenants",
            "/api/v1/api-clients",
            &format!("{client}/api-keys"),
            &format!("{client}/webhooks"),
            "/api/v1/leads",
            "/api/v1/records/lead",
            "/api/v1/events",
            "/api/v1/deliveries",
            "/api/v1/undelivered",
            "/api/v1/request-logs",
        ];
        for list in lists {
            for limit in ["-1", "0", "101", "99999999999999999999", "NaN", "Infinity", "1e3", "1.5", "", "%20", "ten", "0x10", "%00"] {
                let answer = tenant.host.get(&format!("{list}?limit={limit}")).await;
                assert_points(&format!("{list}?limit={limit}"), &answer, "validation_failed", "/limit");
            }
            for cursor in ["x", "%21%21", "AAAA", "MS4x!", "LTE", &"A".repeat(5000), "%00", "%ff", "eyJrIjoxfQ"] {
                let answer = tenant.host.get(&format!("{list}?cursor={cursor}")).await;
                // NUL is found earlier, wherever it stands.
                if cursor == "%00" {
                    assert!(matches!(answer.status.as_u16(), 400 | 422), "{list}?cursor={cursor}: {} {}", answer.status, answer.text());
                    crate::world::assert_is_problem(list, &answer);
                } else {
                    assert_refused(&format!("{list}?cursor={cursor}"), &answer, 400, "malformed_cursor");
                }
            }
            for query in ["limit=5&limit=6", "page=0", "page=-1", "page=99999999999999999999", "page=x"] {
                let answer = tenant.host.get(&format!("{list}?{query}")).await;
                assert_eq!(answer.status, 422, "{list}?{query}: {}", answer.text());
                crate::world::assert_is_problem(query, &answer);
            }
        }
        still_serves(&world, &tenant).await;
    }

    async fn filters_that_say_nothing_find_nothing_or_are_refused(world: World) {
        let tenant = world.tenant("Acme").await;
        tenant.host.post("/api/v1/leads", &crate::world::lead("Ada")).await.assert_status(201);
        for query in [
            "search=%25",
            "search=_",
            "search=%5C",
            "search=%27%20OR%201%3D1--",
            "status=%27%3B%20DROP%20TABLE%20records%3B--",
            "search=%F0%9F%98%80",
        ] {
            let answer = tenant.host.get(&format!("/api/v1/leads?{query}")).await.expect(200).json();
            assert_eq!(answer["data"], serde_json::json!([]), "{query}");
        }
        for query in ["search=%00", "status=a%00b", "sort=password", "sort=%27", "from=yesterday"] {
            let path = if query.starts_with("from") { "/api/v1/events" } else { "/api/v1/leads" };
            let answer = tenant.host.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, 422, "{query}: {}", answer.text());
            crate::world::assert_is_problem(query, &answer);
        }
        let long = "a".repeat(20_000);
        for query in
            [format!("search={long}"), "search=%ff%fe".to_owned(), "status=%zz".to_owned(), "&&&==&".to_owned(), "a".repeat(30_000)]
        {
            let answer = tenant.host.get(&format!("/api/v1/leads?{query}")).await;
            assert!(answer.status.as_u16() < 500, "{query}: {} {}", answer.status, answer.text());
        }
        assert_eq!(tenant.host.get("/api/v1/leads").await.expect(200).json()["pagination"]["total"], 1);
        still_serves(&world, &tenant).await;
    }
}
