//! The routes, as a worker in any language sees them.

use serde_json::json;
use testkit::engines;

use crate::bed::Bed;

engines! {
    /// The whole cycle over HTTP.
    async fn a_cycle_over_http(bed: Bed) {
        let (host, worker) = (bed.host(), bed.worker());
        let (status, job) = bed.call(&host, "POST", "/jobs", Some(json!({"type": "plain", "input": {"n": 1}}))).await;
        assert_eq!((status.as_u16(), &job["status"]), (202, &json!("pending")));
        let path = format!("/jobs/{}", job["id"].as_str().unwrap());
        let (status, leased) = bed.call(&worker, "POST", "/jobs/lease", Some(json!({"types": ["plain"], "worker": "w-1"}))).await;
        assert_eq!(status.as_u16(), 200);
        let lease = &leased["data"][0];
        for name in ["id", "type", "tenantId", "input", "attempt", "deadline", "leaseToken", "leaseUntil"] {
            assert!(lease.get(name).is_some(), "{name}");
        }
        let token = lease["leaseToken"].clone();
        let sign = json!({"leaseToken": token, "progress": 30, "message": "Listening"});
        let (_, pulse) = bed.call(&worker, "POST", &format!("{path}/heartbeat"), Some(sign)).await;
        assert_eq!((&pulse["progress"], &pulse["status"]), (&json!(30), &json!("processing")));
        let (_, seen) = bed.call(&host, "GET", &path, None).await;
        assert_eq!((&seen["progress"], &seen["message"]), (&json!(30), &json!("Listening")));
        let (status, done) = bed.call(&worker, "POST", &format!("{path}/complete"), Some(json!({"leaseToken": token, "result": [1, 2]}))).await;
        assert_eq!((status.as_u16(), &done["status"]), (200, &json!("completed")));
        let (status, late) = bed.call(&worker, "POST", &format!("{path}/fail"), Some(json!({"leaseToken": token, "error": {"code": "x", "message": "y"}}))).await;
        assert_eq!((status.as_u16(), &late["code"]), (409, &json!("lease_lost")));
        let (status, _) = bed.call(&worker, "POST", &format!("{path}/complete"), Some(json!({"leaseToken": token, "resutl": 1}))).await;
        assert_eq!(status.as_u16(), 422);
        assert_eq!(bed.call(&host, "GET", "/jobs?status=nope", None).await.0.as_u16(), 422);
    }
}
