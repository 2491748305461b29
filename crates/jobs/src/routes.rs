//! The HTTP surface: jobs, the workers' routes, schedules.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::jobs::{self, Job};
use crate::leases::{self, Completion, Failure, Heartbeat, LeaseRequest, Leased, Pulse};
use crate::schedules::{self, JobSchedule, NewSchedule, SchedulePatch};
use crate::{Jobs, NewJob};

const ALL: &str = "/api/v1/jobs";
const ONE: &str = "/api/v1/jobs/{id}";
const LEASE: &str = "/api/v1/jobs/lease";
const SCHEDULES: &str = "/api/v1/job-schedules";
const SCHEDULE: &str = "/api/v1/job-schedules/{id}";

/// Whoever may do something with jobs of some type; the operation asks which.
fn any(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Jobs").needs(Access::AnyCredential)
}

fn working(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Jobs").needs(Access::Permission(Permission::JobsWork))
}

impl Jobs {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.job_routes().merge(self.worker_routes()).merge(self.schedule_routes())
    }

    fn job_routes(self: &Arc<Self>) -> Api {
        let create = any(Endpoint::post(ALL, "jobs.create")).summary("Queue a job").body::<NewJob>().answers::<Job>(202);
        let list = any(Endpoint::get(ALL, "jobs.list"))
            .summary("List jobs, the newest first, without input and result")
            .query(&[("status", "pending, processing, completed, failed or cancelled"), ("type", "Only jobs of this type")])
            .paged()
            .answers_page::<Job>();
        let get = any(Endpoint::get(ONE, "jobs.get")).summary("Get a job: status, progress, result or error").answers::<Job>(200);
        let cancel =
            any(Endpoint::post(format!("{ONE}/cancel"), "jobs.cancel")).summary("Cancel a job that has not ended").answers::<Job>(200);
        Api::new()
            .route(create, jobs::create, Arc::clone(self))
            .route(list, jobs::list, Arc::clone(self))
            .route(get, jobs::get, Arc::clone(self))
            .route(cancel, jobs::cancel, Arc::clone(self))
    }

    fn worker_routes(self: &Arc<Self>) -> Api {
        let lease = working(Endpoint::post(LEASE, "jobs.lease"))
            .summary("Lease jobs to work on; waits for some, if asked to")
            .idempotent(false)
            .body::<LeaseRequest>()
            .answers::<Leased>(200);
        let heartbeat = working(Endpoint::post(format!("{ONE}/heartbeat"), "jobs.heartbeat"))
            .summary("Keep a lease and tell the progress")
            .body::<Heartbeat>()
            .answers::<Pulse>(200);
        let complete = working(Endpoint::post(format!("{ONE}/complete"), "jobs.complete"))
            .summary("Complete a job with its result")
            .body::<Completion>()
            .answers::<Job>(200);
        let fail = working(Endpoint::post(format!("{ONE}/fail"), "jobs.fail"))
            .summary("Say that the attempt failed; it is tried again as the type says")
            .body::<Failure>()
            .answers::<Job>(200);
        Api::new()
            .route(lease, leases::lease, Arc::clone(self))
            .route(heartbeat, leases::heartbeat, Arc::clone(self))
            .route(complete, leases::complete, Arc::clone(self))
            .route(fail, leases::fail, Arc::clone(self))
    }

    fn schedule_routes(self: &Arc<Self>) -> Api {
        let create = any(Endpoint::post(SCHEDULES, "job_schedules.create"))
            .summary("Make a schedule that starts jobs by cron")
            .body::<NewSchedule>()
            .answers::<JobSchedule>(201);
        let list = Endpoint::get(SCHEDULES, "job_schedules.list")
            .tag("Jobs")
            .needs(Access::Permission(Permission::JobsRead))
            .summary("List schedules, the newest first")
            .paged()
            .answers_page::<JobSchedule>();
        let get = any(Endpoint::get(SCHEDULE, "job_schedules.get")).summary("Get a schedule").answers::<JobSchedule>(200);
        let update = any(Endpoint::patch(SCHEDULE, "job_schedules.update"))
            .summary("Change a schedule")
            .body::<SchedulePatch>()
            .answers::<JobSchedule>(200);
        let delete = any(Endpoint::delete(SCHEDULE, "job_schedules.delete")).summary("Delete a schedule").answers_nothing();
        Api::new()
            .route(create, schedules::create, Arc::clone(self))
            .route(list, schedules::list, Arc::clone(self))
            .route(get, schedules::get, Arc::clone(self))
            .route(update, schedules::update, Arc::clone(self))
            .route(delete, schedules::delete, Arc::clone(self))
    }

    /// Now.
    pub(crate) fn now(&self) -> kernel::Timestamp {
        self.ambient.now()
    }
}
