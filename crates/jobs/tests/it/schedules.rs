//! Jobs that begin again and again.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::{Value, json};
use testkit::engines;

use crate::bed::Bed;

engines! {
    /// Each time once, with the next time before it; what was missed is made up for by one.
    async fn a_schedule_starts_a_job_each_time(bed: Bed) {
        bed.clock.set(Timestamp::parse("2026-11-22T10:00:30Z").unwrap());
        let made = bed.schedule(json!({"type": "plain", "cron": "*/15 * * * *", "input": {"n": 1}, "name": "Often"})).await;
        assert_eq!(made["nextRunAt"], "2026-11-22T10:15:00.000Z");
        bed.pass(14 * 60 + 29).await;
        assert!(bed.lease(&["plain"], 9).await.is_empty());
        bed.pass(1).await;
        let lease = bed.take("plain").await;
        assert_eq!(lease.input, json!({"n": 1}));
        let shown = bed.shown(&made).await;
        assert_eq!((&shown["nextRunAt"], &shown["lastJobId"]), (&json!("2026-11-22T10:30:00.000Z"), &json!(lease.id)));
        bed.clock.advance(Duration::from_secs(5 * 3600));
        bed.jobs.look().await.unwrap();
        bed.jobs.look().await.unwrap();
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 2, "twenty times were missed: one job");
        assert_eq!(bed.get(lease.id).await.schedule_id.unwrap().to_string(), made["id"].as_str().unwrap());
    }

    /// Of several servers one starts the job.
    async fn one_server_fires(bed: Bed) {
        let second = bed.second_node().await;
        bed.schedule(json!({"type": "plain", "cron": "* * * * *"})).await;
        for _ in 0..5 {
            bed.clock.advance(Duration::from_secs(60));
            let (one, other) = tokio::join!(bed.jobs.look(), second.jobs.look());
            one.unwrap();
            other.unwrap();
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 5);
        second.dispatch.drain(Duration::from_secs(1)).await;
        second.jobs.close();
    }

    /// Paused, changed, deleted; and audited.
    async fn schedules_are_kept(bed: Bed) {
        let made = bed.schedule(json!({"type": "plain", "cron": "0 6 * * *", "timezone": "Europe/Berlin"})).await;
        let path = format!("/job-schedules/{}", made["id"].as_str().unwrap());
        let (status, changed) = bed.call(&bed.host(), "PATCH", &path, Some(json!({"enabled": false, "name": "Night"}))).await;
        assert_eq!((status.as_u16(), &changed["nextRunAt"], &changed["name"]), (200, &Value::Null, &json!("Night")));
        bed.pass(2 * 86_400).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 0);
        let (_, list) = bed.call(&bed.host(), "GET", "/job-schedules", None).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        let stranger = kernel::Caller::system("test", Some(bed.other));
        for method in ["GET", "DELETE"] {
            assert_eq!(bed.call(&stranger, method, &path, None).await.0.as_u16(), 404);
        }
        assert_eq!(bed.call(&bed.host(), "DELETE", &path, None).await.0.as_u16(), 204);
        assert_eq!(bed.call(&bed.host(), "GET", &path, None).await.0.as_u16(), 404);
        let audited = bed.audited().await;
        for action in ["job_schedule.create", "job_schedule.update", "job_schedule.delete"] {
            assert!(audited.iter().any(|one| one == action), "{action}");
        }
    }

    /// A schedule whose job cannot be made goes on, and says why.
    async fn a_schedule_that_cannot_start_says_why(bed: Bed) {
        let call = bed.start("call.analyze", json!({"transcript": "Hi."})).await.record_id.unwrap();
        let made = bed.schedule(json!({"type": "call.again", "cron": "* * * * *", "input": {"callId": call}})).await;
        let scope = kernel::TenantScope::system("test", bed.tenant);
        bed.records.delete(&scope, "call", call.parse().unwrap()).await.unwrap();
        bed.pass(60).await;
        let shown = bed.shown(&made).await;
        assert!(shown["lastError"].is_string() && shown["lastJobId"].is_null() && shown["nextRunAt"].is_string());
    }

    /// A suspended tenant's schedules go on in time, and start nothing.
    async fn a_suspended_tenants_schedules_start_nothing(bed: Bed) {
        let made = bed.schedule(json!({"type": "plain", "cron": "* * * * *", "input": {}})).await;
        let set = |status: &'static str| {
            let (tenant, sql) = (bed.tenant, "UPDATE tenants SET status = ?2 WHERE id = ?1");
            bed.store.write(kernel::Scope::system("test"), move |tx| tx.exec(sql, &[tenant.into(), status.into()]))
        };
        set("suspended").await.unwrap();
        bed.pass(60).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 0);
        assert_eq!(bed.shown(&made).await["lastError"], "The tenant is suspended: nothing was started.");
        set("active").await.unwrap();
        bed.pass(60).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 1);
    }

    /// Bad times, zones and inputs are refused; scopes hold; so does the bound.
    async fn bad_schedules_are_refused(bed: Bed) {
        for (body, code, place) in [
            (json!({"type": "nope", "cron": "* * * * *"}), "unknown_job_type", "/type"),
            (json!({"type": "plain", "cron": "often"}), "invalid_cron", "/cron"),
            (json!({"type": "plain", "cron": "* * * * *", "timezone": "Mars"}), "validation_failed", "/timezone"),
            (json!({"type": "call.again", "cron": "* * * * *"}), "validation_failed", "/input/callId"),
            (json!({"type": "plain", "cron": "* * * * *", "priority": 900}), "validation_failed", "/priority"),
        ] {
            let (status, error) = bed.call(&bed.host(), "POST", "/job-schedules", Some(body)).await;
            assert_eq!((status.as_u16(), error["code"].as_str().unwrap(), error["errors"][0]["pointer"].as_str().unwrap()), (422, code, place));
        }
        let partner = bed.key(&["calls:write"]);
        assert_eq!(bed.call(&partner, "POST", "/job-schedules", Some(json!({"type": "plain", "cron": "* * * * *"}))).await.0.as_u16(), 403);
        for _ in 0..100 {
            bed.schedule(json!({"type": "plain", "cron": "0 0 1 1 *"})).await;
        }
        let (status, error) = bed.call(&bed.host(), "POST", "/job-schedules", Some(json!({"type": "plain", "cron": "0 0 1 1 *"}))).await;
        assert_eq!((status.as_u16(), error["code"].as_str().unwrap()), (409, "too_many_job_schedules"));
    }
}

impl Bed {
    async fn schedule(&self, body: Value) -> Value {
        let (status, made) = self.call(&self.host(), "POST", "/job-schedules", Some(body)).await;
        assert_eq!(status.as_u16(), 201, "{made}");
        made
    }

    async fn shown(&self, made: &Value) -> Value {
        self.call(&self.host(), "GET", &format!("/job-schedules/{}", made["id"].as_str().unwrap()), None).await.1
    }
}
